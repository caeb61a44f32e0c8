package runc_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/modules/containerizer/runc"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// limit is how long anything may take that a test waits for.
const limit = 30 * time.Second

// bench is an agent's module with a folder, control groups and images of its own.
type bench struct {
	containerizer.Containerizer
	t          *testing.T
	kit        *moduletest.Kit
	state      string
	parameters map[string]string
}

func newBench(t *testing.T, parameters map[string]string) *bench {
	t.Helper()
	privileged.Root(t, "only root makes mounts and control groups")
	root := "mesos-runc-test-" + strings.NewReplacer("/", "-", " ", "-").Replace(t.Name())
	root = root[:min(len(root), 60)] + strconv.Itoa(os.Getpid())
	all := map[string]string{"launcher_dir": launcherDir, "containers": "all", "cgroups_root": root, "images_dir": shellImages(t)}
	for key, value := range parameters {
		all[key] = value
	}
	b := &bench{t: t, state: t.TempDir(), parameters: all}
	t.Cleanup(func() {
		for _, folder := range b.groups() {
			assert.NoError(t, os.Remove(folder), "nothing is left in the control groups")
		}
	})
	b.start()
	return b
}

// start is the agent's, or that of the next one.
func (b *bench) start() {
	b.t.Helper()
	options := []moduletest.Option{moduletest.StateDir(b.state)}
	for key, value := range b.parameters {
		options = append(options, moduletest.Parameter(runc.Name, key, value))
	}
	b.kit = moduletest.New(b.t, runc.Library, options...)
	b.Containerizer = moduletest.Load[containerizer.Containerizer](b.kit, runc.Name)
}

// folder is the module's.
func (b *bench) folder() string { return filepath.Join(b.state, "module-"+runc.Name) }

func (b *bench) groups() []string {
	all, _ := filepath.Glob("/sys/fs/cgroup/*/" + b.parameters["cgroups_root"]) // the pattern is a good one
	return all
}

// isClean says that nothing of any container is left.
func (b *bench) isClean() {
	b.t.Helper()
	for _, pattern := range []string{"containers/*", "runtime/*"} {
		found, err := filepath.Glob(filepath.Join(b.folder(), pattern))
		require.NoError(b.t, err)
		assert.Empty(b.t, found)
	}
	for _, folder := range b.groups() {
		entries, err := os.ReadDir(folder)
		require.NoError(b.t, err)
		for _, e := range entries {
			assert.False(b.t, e.IsDir(), "the control group %s is left in %s", e.Name(), folder)
		}
	}
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(b.t, err)
	assert.NotContains(b.t, string(mounts), b.state)
}

func containerID(values ...string) (id *mesosv1.ContainerID) {
	for _, v := range values {
		id = &mesosv1.ContainerID{Value: proto.String(v), Parent: id}
	}
	return id
}

// container is one with what its life consists of.
type container struct {
	b      *bench
	id     *mesosv1.ContainerID
	folder string
	config *slave.ContainerConfig
	launch *slave.ContainerLaunchInfo
	files  *slave.ContainerIO
	pid    int
	ended  chan *slave.ContainerTermination
}

// container describes a shell command in the image shell:1, and launches nothing.
func (b *bench) container(id *mesosv1.ContainerID, command string) *container {
	c := &container{b: b, id: id, folder: b.t.TempDir(), ended: make(chan *slave.ContainerTermination, 1)}
	info := &mesosv1.CommandInfo{Value: proto.String(command)}
	c.config = &slave.ContainerConfig{Directory: &c.folder, CommandInfo: info, ContainerInfo: inImage("shell:1")}
	c.launch = &slave.ContainerLaunchInfo{Command: info, WorkingDirectory: &c.folder,
		Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{variable("PATH", "/bin"), variable("MESOS_SANDBOX", c.folder)}}}
	file := func(name string) *slave.ContainerIO_IO {
		return &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(filepath.Join(c.folder, name))}
	}
	c.files = &slave.ContainerIO{Out: file("out"), Err: file("err")}
	b.t.Cleanup(func() { // of a test that failed
		_ = b.Destroy(context.Background(), id)
	})
	return c
}

func variable(name, value string) *mesosv1.Environment_Variable {
	return &mesosv1.Environment_Variable{Name: &name, Value: &value}
}

// hold launches and watches.
func (c *container) hold() {
	c.b.t.Helper()
	pid, err := c.b.Launch(c.b.t.Context(), c.id, c.config, c.launch, c.files)
	require.NoError(c.b.t, err)
	c.pid = int(pid)
	c.watch()
}

func (c *container) watch() {
	c.b.t.Helper()
	require.NoError(c.b.t, c.b.Watch(c.b.t.Context(), c.id, func(t *slave.ContainerTermination) { c.ended <- t }))
}

func (c *container) start() {
	c.b.t.Helper()
	c.hold()
	require.NoError(c.b.t, c.b.Start(c.b.t.Context(), c.id))
}

// end waits for the end.
func (c *container) end() *slave.ContainerTermination {
	c.b.t.Helper()
	select {
	case t := <-c.ended:
		return t
	case <-time.After(limit):
		require.FailNow(c.b.t, "the container does not end", "err: %s", c.text("err"))
		return nil
	}
}

func (c *container) destroy() {
	c.b.t.Helper()
	require.NoError(c.b.t, c.b.Destroy(c.b.t.Context(), c.id))
	require.NoError(c.b.t, c.b.End(c.b.t.Context(), c.id, &slave.ContainerTermination{}))
}

// run is a whole life, and returns the status and the output.
func (c *container) run() (int32, string) {
	c.b.t.Helper()
	c.start()
	t := c.end()
	c.destroy()
	require.NotNil(c.b.t, t.Status)
	return t.GetStatus(), c.text("out")
}

func (c *container) text(name string) string {
	text, _ := os.ReadFile(filepath.Join(c.folder, name)) // nothing yet
	return string(text)
}

// await waits for a line that the command writes.
func (c *container) await(line string) {
	c.b.t.Helper()
	eventually(c.b.t, func() bool { return strings.Contains(c.text("out"), line+"\n") })
}

func (c *container) state() *slave.ContainerState {
	return &slave.ContainerState{ContainerId: c.id, Pid: proto.Uint64(uint64(c.pid)), Directory: &c.folder, ContainerInfo: c.config.ContainerInfo}
}

func eventually(t *testing.T, is func() bool) {
	t.Helper()
	require.Eventually(t, is, limit, 5*time.Millisecond)
}

func alive(pid int) bool {
	if syscall.Kill(pid, 0) != nil {
		return false
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

// shimOf finds the shim of a container.
func (b *bench) shimOf(id *mesosv1.ContainerID) int {
	b.t.Helper()
	text, err := os.ReadFile(filepath.Join(b.folder(), "containers", id.GetValue(), "pid"))
	require.NoError(b.t, err)
	pid, err := strconv.Atoi(string(text))
	require.NoError(b.t, err)
	return pid
}

func number(path string) (int, bool) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(text)))
	return n, err == nil
}
