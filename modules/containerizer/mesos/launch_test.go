package mesos_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/seccomp"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/testimage"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/roles/containerizer"
)

// limit is how long anything may take that a test waits for.
const limit = 20 * time.Second

type bench struct {
	containerizer.Containerizer
	t       *testing.T
	runtime string
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, runtime: t.TempDir()}
	kit := moduletest.New(t, mesos.Library, moduletest.Parameter(mesos.Name, "launcher_dir", launcherDir(t)),
		moduletest.Parameter(mesos.Name, "runtime_dir", b.runtime))
	b.Containerizer = moduletest.Load[containerizer.Containerizer](kit, mesos.Name)
	return b
}

func containerID(values ...string) (all *mesosv1.ContainerID) {
	for _, v := range values {
		all = &mesosv1.ContainerID{Value: proto.String(v), Parent: all}
	}
	return all
}

// run launches a shell command with what change wants besides, and returns its wait
// status, output and errors.
func (b *bench) run(id *mesosv1.ContainerID, command string, change func(*slave.ContainerConfig, *slave.ContainerLaunchInfo)) (int32, string, string) {
	b.t.Helper()
	folder := b.t.TempDir()
	config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String(command)}}
	launch := &slave.ContainerLaunchInfo{Command: config.CommandInfo, Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		{Name: proto.String("PATH"), Value: proto.String(os.Getenv("PATH"))}}}}
	change(config, launch)
	file := func(name string) *slave.ContainerIO_IO {
		return &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(filepath.Join(folder, name))}
	}
	_, err := b.Launch(b.t.Context(), id, config, launch, &slave.ContainerIO{Out: file("out"), Err: file("err")})
	require.NoError(b.t, err)
	ended := make(chan *slave.ContainerTermination, 1)
	require.NoError(b.t, b.Watch(b.t.Context(), id, func(t *slave.ContainerTermination) { ended <- t }))
	require.NoError(b.t, b.Start(b.t.Context(), id))
	require.ErrorContains(b.t, b.Start(b.t.Context(), id), "was started before")
	var termination *slave.ContainerTermination
	select {
	case termination = <-ended:
	case <-time.After(limit):
		b.t.Fatal("the container does not end")
	}
	require.NoError(b.t, b.Destroy(b.t.Context(), id))
	require.NoError(b.t, b.End(b.t.Context(), id, termination))
	return termination.GetStatus(), read(b.t, folder, "out"), read(b.t, folder, "err")
}

func read(t *testing.T, folder, name string) string {
	text, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return string(text)
}

func text(folder, name string) string {
	data, _ := os.ReadFile(filepath.Join(folder, name)) // nothing yet
	return string(data)
}

func rlimit(kind mesosv1.RLimitInfo_RLimit_Type, soft, hard uint64) *mesosv1.RLimitInfo {
	return &mesosv1.RLimitInfo{Rlimits: []*mesosv1.RLimitInfo_RLimit{{Type: kind.Enum(), Soft: &soft, Hard: &hard}}}
}

func TestWhatALaunchInfoAsksFor(t *testing.T) {
	b := newBench(t)
	t.Run("resource limits", func(t *testing.T) {
		_, out, _ := b.run(containerID("limits"), "ulimit -Sn; ulimit -Hn", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Rlimits = rlimit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 99, 111)
		})
		assert.Equal(t, "99\n111\n", out)
	})
	t.Run("no limit where none is given", func(t *testing.T) {
		_, out, _ := b.run(containerID("unlimited"), "ulimit -c", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Rlimits = &mesosv1.RLimitInfo{Rlimits: []*mesosv1.RLimitInfo_RLimit{{Type: mesosv1.RLimitInfo_RLimit_RLMT_CORE.Enum()}}}
		})
		assert.Equal(t, "unlimited\n", out)
	})
	t.Run("limits, no new privileges and another user together", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root becomes somebody else")
		_, out, errs := b.run(containerID("all"), "ulimit -Hn; grep NoNewPrivs /proc/self/status; id -u; exec printf %s done",
			func(c *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
				l.Rlimits = rlimit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 50, 60)
				l.NoNewPrivileges = proto.Bool(true)
				l.User = proto.String("nobody")
				l.WorkingDirectory = proto.String("/")
				l.SupplementaryGroups = []uint32{4321}
			})
		assert.Equal(t, "60\nNoNewPrivs:\t1\n65534\ndone", out, errs)
	})
	t.Run("a command with limits and a user ends with its shim", func(t *testing.T) {
		folder := t.TempDir()
		require.NoError(t, os.Chmod(folder, 0o777))
		for up := filepath.Dir(folder); up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			require.NoError(t, os.Chmod(up, 0o755))
		}
		config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("echo $$ > pid; exec sleep 1000")}}
		launch := &slave.ContainerLaunchInfo{WorkingDirectory: &folder, User: proto.String("nobody"),
			Rlimits:     rlimit(mesosv1.RLimitInfo_RLimit_RLMT_NOFILE, 50, 60),
			Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("PATH"), Value: proto.String(os.Getenv("PATH"))}}}}
		id := containerID("dies")
		pid, err := b.Launch(t.Context(), id, config, launch, nil)
		require.NoError(t, err)
		require.NoError(t, b.Start(t.Context(), id))
		var command int
		require.Eventually(t, func() bool {
			_, err := fmt.Sscanln(text(folder, "pid"), &command)
			return err == nil
		}, limit, time.Millisecond)
		require.NoError(t, syscall.Kill(int(pid), syscall.SIGKILL))
		require.Eventually(t, func() bool { return syscall.Kill(command, 0) != nil }, limit, time.Millisecond)
		require.NoError(t, b.Destroy(t.Context(), id))
	})
	t.Run("supplementary groups", func(t *testing.T) {
		_, out, _ := b.run(containerID("groups"), "id -G", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.User, l.SupplementaryGroups, l.WorkingDirectory = proto.String("nobody"), []uint32{4321}, proto.String("/")
		})
		assert.Contains(t, strings.Fields(out), "4321")
	})
	t.Run("commands that come before, in their order and with their environment", func(t *testing.T) {
		status, out, _ := b.run(containerID("before"), "cat said", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.PreExecCommands = []*mesosv1.CommandInfo{
				{Value: proto.String("echo $WHO > said"), Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("WHO"), Value: proto.String("first")}}}},
				{Shell: proto.Bool(false), Value: proto.String("sh"), Arguments: []string{"sh", "-c", "echo second >> said"}},
			}
		})
		assert.Zero(t, status)
		assert.Equal(t, "first\nsecond\n", out)
	})
	t.Run("one that fails keeps the command from running", func(t *testing.T) {
		status, out, errs := b.run(containerID("before-fails"), "echo ran", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.PreExecCommands = []*mesosv1.CommandInfo{{Value: proto.String("exit 3")}, {Value: proto.String("echo never")}}
		})
		assert.Equal(t, int32(256), status)
		assert.Empty(t, out)
		assert.Contains(t, errs, "comes before the command")
	})
	t.Run("a signal that comes before the command does waits for it", func(t *testing.T) {
		folder := t.TempDir()
		config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("sleep 1000")}}
		id := containerID("early")
		_, err := b.Launch(t.Context(), id, config, &slave.ContainerLaunchInfo{
			PreExecCommands: []*mesosv1.CommandInfo{{Value: proto.String("while [ ! -e go ]; do :; done")}}}, nil)
		require.NoError(t, err)
		ended := make(chan *slave.ContainerTermination, 1)
		require.NoError(t, b.Watch(t.Context(), id, func(t *slave.ContainerTermination) { ended <- t }))
		require.NoError(t, b.Start(t.Context(), id))
		found, err := b.Kill(t.Context(), id, int32(syscall.SIGTERM))
		require.NoError(t, err)
		assert.True(t, found)
		require.NoError(t, os.WriteFile(filepath.Join(folder, "go"), nil, 0o600))
		assert.Equal(t, int32(syscall.SIGTERM), (<-ended).GetStatus())
		require.NoError(t, b.Destroy(t.Context(), id))
	})
	t.Run("a root of its own", func(t *testing.T) {
		require.Zero(t, os.Geteuid(), "only root changes its root")
		image := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(image, "bin"), 0o755))
		_, _, errs := b.run(containerID("root"), "true", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Rootfs, l.WorkingDirectory = &image, proto.String("/bin")
		})
		assert.Contains(t, errs, "Failed to run /bin/sh", "an image without a shell")
	})
	t.Run("a long way to the runtime folder", func(t *testing.T) {
		id := containerID("one-of-a-length-that-is-usual-for-ids")
		b := newBench(t)
		folder := t.TempDir()
		config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("sleep 1000")}}
		var all []*mesosv1.ContainerID
		for range 4 { // 40 bytes each
			_, err := b.Launch(t.Context(), id, config, &slave.ContainerLaunchInfo{}, nil)
			require.NoError(t, err)
			all = append(all, id)
			id = &mesosv1.ContainerID{Value: id.Value, Parent: id}
		}
		for _, id := range all {
			require.NoError(t, b.Destroy(t.Context(), id))
		}
	})
}

func TestWhatIsRefused(t *testing.T) {
	b := newBench(t)
	for about, c := range map[string]struct {
		id     *mesosv1.ContainerID
		change func(*slave.ContainerConfig, *slave.ContainerLaunchInfo)
		says   string
	}{
		"an id that leaves the folder": {id: containerID(".."), says: "no name for a folder"},
		"an id with folders":           {id: containerID("a/b"), says: "no name for a folder"},
		"a parent that does":           {id: containerID("..", "b"), says: "no name for a folder"},
		"a namespace of users": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWUSER}
		}, says: "the namespace 0x10000000, which"},
		"the namespaces of a parent that is not there": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.EnterNamespaces = []int32{unix.CLONE_NEWPID}
		}, says: "the container has none"},
		"a namespace of its own and its parent's": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces, l.EnterNamespaces = []int32{unix.CLONE_NEWPID}, []int32{unix.CLONE_NEWPID}
		}, says: "a new pid namespace and one the parent's"},
		"mounts on the host": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Mounts = []*slave.ContainerMountInfo{{Target: proto.String("/")}}
		}, says: "none a mount namespace"},
		"a mount somewhere": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
			l.Mounts = []*slave.ContainerMountInfo{{Target: proto.String("here"), Source: proto.String("there"), Flags: proto.Uint32(unix.MS_BIND)}}
		}, says: `source of a bind mount "there" is not absolute`},
		"an operation that nobody knows": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
			l.FileOperations = []*slave.ContainerFileOperation{{Operation: slave.ContainerFileOperation_Operation(9).Enum()}}
		}, says: "wants the operation 9"},
		"a root somewhere": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) { l.Rootfs = proto.String("here") }, says: "is not absolute"},
		"a capability of other systems": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.EffectiveCapabilities = &mesosv1.CapabilityInfo{Capabilities: []mesosv1.CapabilityInfo_Capability{mesosv1.CapabilityInfo_UNKNOWN}}
		}, says: "wants UNKNOWN among the effective capabilities"},
		"seccomp and a terminal, both at once": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.SeccompProfile, l.TtySlavePath = &seccomp.ContainerSeccompProfile{}, proto.String("/dev/pts/0")
		}, says: "the shim makes the terminals here"},
		"a shell command without a value": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) { l.Command = &mesosv1.CommandInfo{} }, says: "has no value"},
		"a program without a name": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Command = &mesosv1.CommandInfo{Shell: proto.Bool(false)}
		}, says: "the program to run"},
		"a limit of other systems": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Rlimits = rlimit(mesosv1.RLimitInfo_RLimit_UNKNOWN, 1, 1)
		}, says: "Linux has none"},
		"half a limit": {change: func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.Rlimits = rlimit(mesosv1.RLimitInfo_RLimit_RLMT_AS, 1, 1)
			l.Rlimits.Rlimits[0].Hard = nil
		}, says: "together"},
	} {
		t.Run(about, func(t *testing.T) {
			folder := t.TempDir()
			config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")}}
			launch := &slave.ContainerLaunchInfo{}
			if c.change != nil {
				c.change(config, launch)
			}
			if c.id == nil {
				c.id = containerID("one")
			}
			_, err := b.Launch(t.Context(), c.id, config, launch, nil)
			require.ErrorContains(t, err, c.says)
			left, err := os.ReadDir(filepath.Join(b.runtime, "containers"))
			require.NoError(t, err)
			assert.Empty(t, left)
		})
	}
	t.Run("an id that is there", func(t *testing.T) {
		folder := t.TempDir()
		config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")}}
		_, err := b.Launch(t.Context(), containerID("twice"), config, &slave.ContainerLaunchInfo{}, nil)
		require.NoError(t, err)
		_, err = b.Launch(t.Context(), containerID("twice"), config, &slave.ContainerLaunchInfo{}, nil)
		require.ErrorContains(t, err, "there is a container twice already")
		_, err = b.Kill(t.Context(), containerID("twice"), 99)
		require.ErrorContains(t, err, "no signal 99")
		require.NoError(t, b.Destroy(t.Context(), containerID("twice")))
	})
	t.Run("a container of Docker's", func(t *testing.T) {
		ok, err := b.Supports(t.Context(), containerID("one"), &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_DOCKER.Enum()}})
		require.NoError(t, err)
		assert.False(t, ok)
	})
	t.Run("an image, unless somebody finds it", func(t *testing.T) {
		made, err := mesos.Library.Modules[0].Declare().New(t.Context(), stateless{}, facade.Parameters{{Key: "runtime_dir", Value: t.TempDir()}})
		require.NoError(t, err)
		m := made.(*mesos.Containerizer)
		config := &slave.ContainerConfig{ContainerInfo: &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(),
			Mesos: &mesosv1.ContainerInfo_MesosInfo{Image: &mesosv1.Image{}}}}
		ok, err := m.Supports(t.Context(), containerID("one"), config)
		require.ErrorContains(t, err, "name filesystem/linux in --isolation and give it the parameter images_dir")
		assert.False(t, ok)
		m.Export().(interface{ TakeImages() }).TakeImages()
		ok, err = m.Supports(t.Context(), containerID("one"), config)
		require.NoError(t, err)
		assert.True(t, ok)
	})
	t.Run("output that a link leads elsewhere", func(t *testing.T) {
		folder := t.TempDir()
		require.NoError(t, os.Symlink("/dev/null", filepath.Join(folder, "stdout")))
		config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")}}
		_, err := b.Launch(t.Context(), containerID("link"), config, &slave.ContainerLaunchInfo{}, &slave.ContainerIO{
			Out: &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(filepath.Join(folder, "stdout"))}})
		assert.ErrorIs(t, err, syscall.ELOOP)
	})
}

// stateless is a host that has a logger and nothing else.
type stateless struct{ facade.Host }

func (stateless) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func TestParameters(t *testing.T) {
	start := func(t *testing.T, launcher string) (*moduletest.Kit, error) {
		k := moduletest.New(t, mesos.Library, moduletest.Parameter(mesos.Name, "launcher", launcher))
		return k, k.Start(mesos.Name)
	}
	t.Run("root has the launcher linux", func(t *testing.T) {
		_, err := start(t, "linux")
		require.NoError(t, err)
	})
	t.Run("nobody else has it, and has posix without asking", func(t *testing.T) {
		testimage.Root(t)
		runtime := t.TempDir()
		require.NoError(t, os.Chmod(runtime, 0o777))
		for up := filepath.Dir(runtime); up != os.TempDir() && up != "/"; up = filepath.Dir(up) {
			require.NoError(t, os.Chmod(up, 0o755))
		}
		start := func(given ...facade.Parameter) error {
			return testimage.AsNobody(func() error {
				_, err := mesos.Library.Modules[0].Declare().New(t.Context(), stateless{}, append(given, facade.Parameter{Key: "runtime_dir", Value: runtime}))
				return err
			})
		}
		require.ErrorContains(t, start(facade.Parameter{Key: "launcher", Value: "linux"}), "run the agent as root or take posix")
		require.NoError(t, start())
	})
	t.Run("posix refuses namespaces and says who makes them", func(t *testing.T) {
		k := moduletest.New(t, mesos.Library, moduletest.Parameter(mesos.Name, "launcher", "posix"),
			moduletest.Parameter(mesos.Name, "runtime_dir", t.TempDir()))
		m := moduletest.Load[containerizer.Containerizer](k, mesos.Name)
		folder := t.TempDir()
		_, err := m.Launch(t.Context(), containerID("one"), &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("true")}},
			&slave.ContainerLaunchInfo{CloneNamespaces: []int32{unix.CLONE_NEWNS}}, nil)
		assert.ErrorContains(t, err, "which the launcher posix does not make; --launcher=linux does")
	})
	t.Run("others are refused", func(t *testing.T) {
		_, err := start(t, "windows")
		assert.ErrorContains(t, err, `no launcher "windows"; there are linux and posix`)
	})
}
