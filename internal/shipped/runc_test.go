package shipped_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/internal/testimage"
)

const runcModule = "org_apache_mesos_RuncContainerizer"

// runcParts are plugin, shim and images.
type runcParts struct{ plugin, shim, images string }

// runcAgent is an agent whose containers run in runc.
type runcAgent struct {
	*clustertest.Cluster
	root string // of its containers' control groups
}

// newRuncParts builds plugin and shim, and lays down the images shell:1, and says:1, which
// has an entry point.
func newRuncParts(t *testing.T) runcParts {
	t.Helper()
	privileged.Root(t, "only root makes mounts and control groups")
	dir := t.TempDir()
	p := runcParts{plugin: filepath.Join(dir, "runc.so"), shim: filepath.Join(dir, "bin"), images: filepath.Join(dir, "images")}
	built(t, "../..", filepath.Join(programs, "mesos-module"), "build", "--daemon="+filepath.Join(programs, "mesos-slave"),
		"-o", p.plugin, "./modules/containerizer/runc")
	built(t, "../../modules/containerizer/runc", "go", "build", "-o", p.shim+"/", "./cmd/mesos-runc-shim")
	files := filepath.Join(dir, "files")
	testimage.Make(t, files, "of the image\n")
	base := testimage.Gzip(t, testimage.Folder(t, files))
	testimage.Layout(t, filepath.Join(p.images, "shell"), testimage.Image{Tag: "1", Layers: []testimage.Layer{base}})
	testimage.Layout(t, filepath.Join(p.images, "says"), testimage.Image{Tag: "1", Layers: []testimage.Layer{base},
		Config: map[string]any{"Entrypoint": []string{"echo", "it"}, "Cmd": []string{"says", "this"}, "Env": []string{"PATH=/bin"}, "WorkingDir": "/tmp"}})
	return p
}

// flags are an agent's. root is that of the containers' control groups.
func (p runcParts) flags(t *testing.T, root string) []string {
	t.Helper()
	type parameter struct {
		Key   string `json:"key"`
		Value string `json:"value"`
	}
	manifest, err := json.Marshal(map[string]any{"libraries": []any{map[string]any{"file": p.plugin, "modules": []any{map[string]any{
		"name": runcModule, "parameters": []parameter{{"images_dir", p.images}, {"launcher_dir", p.shim}, {"cgroups_root", root}, {"containers", "all"}}}}}}})
	require.NoError(t, err)
	return []string{"--modules=" + string(manifest), "--containerizers=runc,mesos"}
}

// up starts a cluster with further flags for its agent.
func (p runcParts) up(t *testing.T, more ...string) *runcAgent {
	t.Helper()
	a := &runcAgent{root: "mesos-runc-" + strings.ReplaceAll(strings.Trim(t.TempDir(), "/"), "/", "-")}
	t.Cleanup(func() { a.removeGroups(t) })
	a.Cluster = up(t, nil, append(p.flags(t, a.root), more...))
	return a
}

func built(t *testing.T, folder, program string, args ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}

func (a *runcAgent) groups() (all []string) {
	all, _ = filepath.Glob("/sys/fs/cgroup/*/" + a.root) // the pattern is a good one
	return all
}

// removeGroups takes away the folder that containers had theirs in, which stays empty.
func (a *runcAgent) removeGroups(t *testing.T) {
	for _, folder := range a.groups() {
		assert.NoError(t, os.Remove(folder), "it has to be empty")
	}
}

// isClean waits until nothing of any container is left: processes, control groups,
// mounts, and what the runtime and the module know.
func (a *runcAgent) isClean(t *testing.T) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		for _, p := range a.Containers() {
			return "this process goes: " + p.Line
		}
		for _, folder := range a.groups() {
			entries, _ := os.ReadDir(folder)
			for _, e := range entries {
				if e.IsDir() {
					return "this control group is there: " + filepath.Join(folder, e.Name())
				}
			}
		}
		for _, left := range []string{"containers/*", "runtime/*"} {
			if found, _ := filepath.Glob(filepath.Join(a.state(t), left)); len(found) > 0 {
				return "this is there: " + found[0]
			}
		}
		return ""
	})
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), a.Dir)
}

// state is the module's folder.
func (a *runcAgent) state(t *testing.T) (found string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(a.Dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == "module-"+runcModule {
			found = path
			return filepath.SkipAll
		}
		return nil // what goes meanwhile
	}))
	require.NotEmpty(t, found, "the module has no state folder")
	return found
}

func inImage(name string) string {
	return fmt.Sprintf(`{"type":"MESOS","mesos":{"image":{"type":"DOCKER","docker":{"name":%q}}}}`, name)
}

func TestRunc(t *testing.T) {
	t.Parallel()
	parts := newRuncParts(t)
	a := parts.up(t, "--isolation=posix/cpu,posix/mem,posix/rlimits")
	t.Run("a task runs in its image and says how it ends", func(t *testing.T) {
		data := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(data, "file"), []byte("of the host\n"), 0o644))
		volumes := fmt.Sprintf(`--volumes=[{"container_path":"/data","host_path":%q,"mode":"RO"},{"container_path":"mine","host_path":"kept","mode":"RW"}]`, data)
		command := `cat /image /data/file; touch /data/no 2>/dev/null || echo read-only; echo of the sandbox > mine/file; pwd; echo $MESOS_SANDBOX;
			cat /mnt/mesos/sandbox/kept/file; touch /new; test -e ` + data + ` || echo alone; exit 7`
		status, out := a.Run("--quiet", "--name=image", "--docker_image=shell:1", volumes, "--command="+command, small)
		assert.Equal(t, 7, status, out)
		assert.Equal(t, "of the image\nof the host\nread-only\n/mnt/mesos/sandbox\n/mnt/mesos/sandbox\nof the sandbox\nalone\n", strings.ReplaceAll(out, "mesos-execute: task image: TASK_FAILED: Command exited with status 7\n", ""))
		a.isClean(t)
	})
	t.Run("an image's entry point, command, environment and folder hold where the task says nothing", func(t *testing.T) {
		task := `{"name":"says","task_id":{"value":"says"},"agent_id":{"value":""},"command":{"shell":false%s},"container":` + inImage("says:1") +
			`,"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}]}`
		status, out := a.Run("--task=" + fmt.Sprintf(task, ""))
		assert.Zero(t, status, out)
		assert.Contains(t, out, "it says this\n")
		_, out = a.Run("--task=" + fmt.Sprintf(task, `,"arguments":["does","that"]`))
		assert.Contains(t, out, "it does that\n")
		_, out = a.Run("--quiet", "--name=shell", "--docker_image=says:1", "--command=pwd; echo $PATH", small)
		assert.Equal(t, "/tmp\n/bin\n", out)
	})
	t.Run("an image that is not there is no container", func(t *testing.T) {
		status, out := a.Run("--name=no", "--docker_image=no:1", "--command=true", small)
		assert.NotZero(t, status)
		assert.Contains(t, out, "REASON_CONTAINER_LAUNCH_FAILED")
	})
	t.Run("a task is killed", func(t *testing.T) {
		status, out := a.Run("--name=killed", "--docker_image=shell:1", "--kill_after=500ms", "--command=sleep 1000", small)
		assert.NotZero(t, status)
		assert.Contains(t, out, "TASK_KILLED")
		a.isClean(t)
	})
	t.Run("a task that eats memory is ended and says why", func(t *testing.T) {
		// A variable of the shell doubles: nothing else is in the image.
		status, out := a.Run("--name=hog", "--docker_image=shell:1", "--command=a=0123456789; while :; do a=$a$a; done", "--resources=cpus:0.5;mem:32")
		assert.NotZero(t, status)
		assert.Contains(t, out, "REASON_CONTAINER_LIMITATION_MEMORY")
		assert.Contains(t, out, "Memory limit exceeded: Requested: 64MB", "32 of the task, 32 of its executor")
		a.isClean(t)
	})
	t.Run("a group of tasks in different images shares one executor", func(t *testing.T) {
		task := func(name, image, command string) string {
			return fmt.Sprintf(`{"name":%q,"task_id":{"value":%q},"agent_id":{"value":""},"command":{"value":%q},"container":%s,
				"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}]}`,
				name, name, command, inImage(image))
		}
		status, out := a.Run("--task_group={\"tasks\":[" + task("one", "shell:1", "echo one; cat /image") + "," + task("two", "says:1", "echo two; pwd") + "]}")
		assert.Zero(t, status, out)
		for _, said := range []string{"one\n", "two\n", "of the image\n", "/tmp\n"} {
			assert.Contains(t, out, said)
		}
		a.isClean(t)
	})
	t.Run("containers go on without their agent, and the next one finds them", func(t *testing.T) {
		gate := filepath.Join(t.TempDir(), "gate")
		require.NoError(t, syscall.Mkfifo(gate, 0o600))
		ctx, cancel := context.WithTimeout(t.Context(), clustertest.Patience)
		defer cancel()
		volumes := fmt.Sprintf(`--volumes=[{"container_path":"/gate","host_path":%q,"mode":"RW"}]`, filepath.Dir(gate))
		execute := exec.CommandContext(ctx, filepath.Join(a.Bin, "mesos-execute"), "--master="+a.Master.Address, "--checkpoint", "--name=lives",
			"--docker_image=shell:1", volumes, "--command=echo begun > /gate/gate; cat /gate/gate; exit 5", small)
		var out strings.Builder
		execute.Stdout, execute.Stderr = &out, &out
		require.NoError(t, execute.Start())
		text, err := os.ReadFile(gate)
		require.NoError(t, err)
		assert.Equal(t, "begun\n", string(text))
		require.NoError(t, a.Slave.Kill())
		require.NoError(t, a.StartSlave(context.WithoutCancel(ctx)))
		_, err = a.AwaitRegistered(ctx)
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(gate, []byte("goes on\n"), 0))
		assert.Error(t, execute.Wait())
		assert.Equal(t, 5, execute.ProcessState.ExitCode(), out.String())
		assert.Contains(t, out.String(), "goes on\n")
		a.isClean(t)
	})
	t.Run("it requires the isolators that it honours, where they are wanted", func(t *testing.T) {
		requires := func(isolation string) []string {
			flags := append(parts.flags(t, "none"), "--master=127.0.0.1:1", "--work_dir="+t.TempDir(), "--isolation="+isolation, "--verify-only", "--format=json")
			out, err := exec.Command(filepath.Join(programs, "mesos-slave"), flags...).Output()
			require.NoError(t, err, "%s", out)
			var report struct {
				Plan struct {
					Modules []struct {
						Name     string
						Requires []string
					}
				}
			}
			require.NoError(t, json.Unmarshal(out, &report), "%s", out)
			for _, m := range report.Plan.Modules {
				if m.Name == runcModule {
					return m.Requires
				}
			}
			return nil
		}
		always := []string{"org_apache_mesos_EnvironmentSecretIsolator", "org_apache_mesos_PosixFilesystemIsolator"}
		assert.ElementsMatch(t, always, requires("posix/cpu"))
		assert.ElementsMatch(t, append(always, "org_apache_mesos_CgroupsMemIsolator", "org_apache_mesos_LinuxCapabilitiesIsolator"),
			requires("posix/cpu,cgroups/mem,linux/capabilities"))
	})
	t.Run("with the isolators of control groups, these limit and measure", func(t *testing.T) {
		root, groups := withGroups(t)
		b := parts.up(t, groups...)
		gate := t.TempDir()
		require.NoError(t, syscall.Mkfifo(filepath.Join(gate, "gate"), 0o600))
		done := make(chan string, 1)
		go func() {
			_, out := b.Run("--quiet", "--name=grouped", "--docker_image=shell:1", "--command=cat /proc/self/cgroup; echo up > /gate/gate; cat /gate/gate",
				fmt.Sprintf(`--volumes=[{"container_path":"/gate","host_path":%q,"mode":"RW"}]`, gate), small)
			done <- out
		}()
		_, err := os.ReadFile(filepath.Join(gate, "gate"))
		require.NoError(t, err)
		require.NoError(t, os.WriteFile(filepath.Join(gate, "gate"), nil, 0))
		out := <-done
		assert.Contains(t, out, ":memory:/"+root+"/")
		assert.Contains(t, out, ":pids:/"+root+"/")
		assert.Contains(t, out, ":devices:/"+b.root+"/", "what no isolator has stays the runtime's")
		b.isClean(t)
	})
}
