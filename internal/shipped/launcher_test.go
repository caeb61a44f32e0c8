package shipped_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/internal/testimage"
)

// withImages makes a folder of images with one in it, tiny:1, and returns it with the
// flags of an agent that finds it.
func withImages(t *testing.T, isolation string) (images string, flags []string) {
	t.Helper()
	testimage.Root(t)
	images = t.TempDir()
	testimage.Make(t, filepath.Join(images, "tiny:1", "rootfs"), "of the image\n")
	return images, []string{"--isolation=" + isolation, fmt.Sprintf(
		`--modules={"libraries":[{"name":"builtin","modules":[{"name":"org_apache_mesos_LinuxFilesystemIsolator","parameters":[{"key":"images_dir","value":%q}]}]}]}`, images)}
}

// nothingStays waits until no process of a container is left, and finds no mount either.
func nothingStays(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	clustertest.Eventually(t, func() string {
		for _, p := range c.Containers() {
			return "this process goes: " + p.Line
		}
		left, err := filepath.Glob(filepath.Join(c.Dir, "mesos-slave/modules/*LinuxFilesystem*/containers/*"))
		if err != nil || len(left) > 0 {
			return fmt.Sprint("the agent keeps ", left, err)
		}
		return ""
	})
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(t, err)
	assert.NotContains(t, string(mounts), c.Dir, "nothing is mounted on the host")
}

// shared is a folder of the host that tasks have as the volume "data".
func shared(t *testing.T) (folder, flag string) {
	folder = t.TempDir()
	require.NoError(t, os.Chmod(folder, 0o777))
	return folder, fmt.Sprintf(`--volumes=[{"container_path":"data","host_path":%q,"mode":"RW"},{"container_path":"/ro","host_path":%q,"mode":"RO"}]`, folder, folder)
}

func textOf(t *testing.T, elements ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(elements...))
	require.NoError(t, err)
	return string(text)
}

func TestATaskInAnImage(t *testing.T) {
	t.Parallel()
	images, flags := withImages(t, "filesystem/linux,namespaces/pid,linux/capabilities,posix/cpu")
	c := up(t, nil, flags)
	data, volumes := shared(t)
	require.NoError(t, os.WriteFile(filepath.Join(data, "file"), []byte("of the host\n"), 0o644))
	command := strings.Join([]string{"exec >data/out 2>&1", "cat /image data/file /ro/file", "echo $MESOS_SANDBOX $MESOS_DIRECTORY", "readlink /proc/self/cwd",
		"echo mine >/image", "touch /ro/mine", "cat /proc/1/comm", "ls -d /home /image", "grep Cap /proc/self/status"}, "; ")
	status, out := c.Run("--name=image", "--docker_image=tiny:1", volumes, "--command="+command, small,
		`--effective_capabilities={"capabilities":["CHOWN"]}`, `--bounding_capabilities={"capabilities":["CHOWN"]}`)
	require.Zero(t, status, out)
	assert.Equal(t, "of the image\nof the host\nof the host\n/mnt/mesos/sandbox /mnt/mesos/sandbox\n/mnt/mesos/sandbox\n"+
		"touch: cannot touch '/ro/mine': Read-only file system\nmesos-container\n"+
		"ls: cannot access '/home': No such file or directory\n/image\n"+
		"CapInh:\t0000000000000000\nCapPrm:\t0000000000000001\nCapEff:\t0000000000000001\nCapBnd:\t0000000000000001\nCapAmb:\t0000000000000000\n",
		textOf(t, data, "out"))
	assert.Equal(t, "of the image\n", textOf(t, images, "tiny:1", "rootfs", "image"), "the image does not change")
	nothingStays(t, c)
	t.Run("an image that is not there", func(t *testing.T) {
		status, out := c.Run("--name=missing", "--docker_image=tiny:2", "--command=true", small)
		assert.NotZero(t, status)
		assert.Contains(t, out, "reason: REASON_CONTAINER_LAUNCH_FAILED")
		assert.Contains(t, out, "image tiny:2: there is no folder of this name in "+images)
		nothingStays(t, c)
	})
	t.Run("more capabilities than the operator allows", func(t *testing.T) {
		status, out := c.Run("--name=wish", "--command=true", small, `--effective_capabilities={"capabilities":["CHOWN"]}`, `--bounding_capabilities={"capabilities":["KILL"]}`)
		assert.NotZero(t, status)
		assert.Contains(t, out, "asks for the capability CHOWN, which is not among the bounding ones: KILL")
	})
}

func TestAnImageWithoutTheIsolator(t *testing.T) {
	t.Parallel()
	c := up(t, nil, nil)
	status, out := c.Run("--name=image", "--docker_image=tiny:1", "--command=true", small)
	assert.NotZero(t, status)
	assert.Contains(t, out, "wants an image, and nobody here finds any: name filesystem/linux in --isolation and give it the parameter images_dir")
}

func TestAnImageGoesOnWithoutTheAgent(t *testing.T) {
	t.Parallel()
	_, flags := withImages(t, "filesystem/linux,namespaces/pid")
	c := up(t, nil, flags)
	data, volumes := shared(t)
	type result struct {
		status int
		out    string
	}
	done := make(chan result, 1)
	go func() {
		status, out := c.Run("--name=stays", "--checkpoint", "--docker_image=tiny:1", volumes, small,
			"--command=echo up >data/up; while [ ! -e data/go ]; do sleep 0.05; done; cat /image >data/out; exit 6")
		done <- result{status, out}
	}()
	clustertest.Eventually(t, func() string {
		if _, err := os.Stat(filepath.Join(data, "up")); err != nil {
			return err.Error()
		}
		return ""
	})
	require.NoError(t, c.Slave.Kill())
	require.NoError(t, c.StartSlave(context.WithoutCancel(t.Context())))
	_, err := c.AwaitRegistered(t.Context())
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(data, "go"), nil, 0o600))
	r := <-done
	assert.Equal(t, 6, r.status, r.out)
	assert.Equal(t, "of the image\n", textOf(t, data, "out"))
	nothingStays(t, c)
}

func TestATaskGroupInImages(t *testing.T) {
	t.Parallel()
	_, flags := withImages(t, "filesystem/linux,namespaces/pid")
	c := up(t, nil, flags)
	data, _ := shared(t)
	task := func(name, container, command string) string {
		return fmt.Sprintf(`{"name":%q,"task_id":{"value":%q},"agent_id":{"value":""},"command":{"value":%q},"container":{"type":"MESOS",%s`+
			`"volumes":[{"container_path":"data","host_path":%q,"mode":"RW"}]},"resources":[`+
			`{"name":"cpus","type":"SCALAR","scalar":{"value":0.1}},{"name":"mem","type":"SCALAR","scalar":{"value":32}}]}`, name, name, command, container, data)
	}
	image := `"mesos":{"image":{"type":"DOCKER","docker":{"name":"tiny:1"}}},`
	status, out := c.Run("--task_group={\"tasks\":[" +
		task("inside", image, "exec >data/inside 2>&1; cat /image /proc/1/comm; readlink /proc/self/cwd; ls /home || echo no home") + "," +
		task("outside", "", "exec >data/outside 2>&1; cat /image || echo no image; cat /proc/1/comm") + "]}")
	require.Zero(t, status, out)
	assert.Equal(t, "of the image\nmesos-container\n/mnt/mesos/sandbox\nls: cannot access '/home': No such file or directory\nno home\n", textOf(t, data, "inside"))
	assert.Equal(t, "cat: /image: No such file or directory\nno image\nmesos-container\n", textOf(t, data, "outside"))
	nothingStays(t, c)
}

func TestNamespacesNeedTheMountsOfTheirIsolator(t *testing.T) {
	t.Parallel()
	testimage.Root(t)
	_, err := cluster.Up(t.Context(), cluster.Config{Bin: programs, Dir: t.TempDir(), Slave: []string{"--isolation=namespaces/pid"}})
	assert.ErrorContains(t, err, "namespaces/pid needs the mount namespaces of filesystem/linux: name both in --isolation")
}
