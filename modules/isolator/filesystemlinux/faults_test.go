package filesystemlinux_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/testimage"
)

func TestWhatACrashLeaves(t *testing.T) {
	t.Run("of launches that were not finished is taken away, of the others kept", func(t *testing.T) {
		b := newBench(t)
		for _, name := range []string{"lives", "orphan", "gone"} {
			b.id = &mesosv1.ContainerID{Value: proto.String(name)}
			_, err := b.prepare(t, inImage("tiny"))
			require.NoError(t, err)
		}
		b.kit.Close()
		b.begin(t)
		require.NoError(t, b.Recover(t.Context(), []*slave.ContainerState{{ContainerId: &mesosv1.ContainerID{Value: proto.String("lives")}, Directory: &b.sandbox}},
			[]*mesosv1.ContainerID{{Value: proto.String("orphan")}}))
		assert.Equal(t, []string{"container-lives", "container-orphan"}, b.containers(t))
		require.NoError(t, b.Cleanup(t.Context(), &mesosv1.ContainerID{Value: proto.String("orphan")}))
		require.NoError(t, b.Cleanup(t.Context(), &mesosv1.ContainerID{Value: proto.String("lives")}))
		assert.Empty(t, b.containers(t))
	})
	t.Run("a mount is unmounted, and what it shows is not removed", func(t *testing.T) {
		b := newBench(t)
		launch, err := b.prepare(t, inImage("tiny"))
		require.NoError(t, err)
		precious := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(precious, "file"), nil, 0o600))
		inner := filepath.Join(launch.GetRootfs(), "a b")
		require.NoError(t, os.Mkdir(inner, 0o755))
		require.NoError(t, unix.Mount(precious, inner, "", unix.MS_BIND, ""))
		t.Cleanup(func() { _ = unix.Unmount(inner, unix.MNT_DETACH) }) // if the test fails
		require.NoError(t, b.Cleanup(t.Context(), b.id))
		assert.FileExists(t, filepath.Join(precious, "file"))
		assert.Empty(t, b.containers(t))
	})
	t.Run("a record that cannot be read keeps the agent from starting, and is named", func(t *testing.T) {
		b := newBench(t)
		_, err := b.prepare(t, nil)
		require.NoError(t, err)
		found, err := filepath.Glob(filepath.Join(b.state, "*/containers/*/container"))
		require.NoError(t, err)
		require.Len(t, found, 1)
		require.NoError(t, os.WriteFile(found[0], []byte("{"), 0o600))
		b.kit.Close()
		b.begin(t)
		err = b.Recover(t.Context(), []*slave.ContainerState{{ContainerId: b.id, Directory: &b.sandbox}}, nil)
		assert.ErrorContains(t, err, found[0]+" cannot be read")
	})
	t.Run("a container of another isolator is left as it is", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, b.Recover(t.Context(), []*slave.ContainerState{{ContainerId: b.id, Pid: proto.Uint64(uint64(os.Getpid())), Directory: &b.sandbox}}, nil))
		require.NoError(t, b.Update(t.Context(), b.id, []*mesosv1.Resource{disk("v", "data")}, nil))
		assert.NoDirExists(t, filepath.Join(b.sandbox, "data"))
		launch, err := b.Prepare(t.Context(), &mesosv1.ContainerID{Value: proto.String("d"), Parent: b.id}, &slave.ContainerConfig{
			Directory: &b.sandbox, ContainerClass: slave.ContainerClass_DEBUG.Enum()})
		require.NoError(t, err)
		assert.Nil(t, launch, "there is no namespace to enter")
	})
	t.Run("a volume that comes is not mounted in a process of the host's", func(t *testing.T) {
		b := newBench(t)
		_, err := b.prepare(t, nil)
		require.NoError(t, err)
		require.NoError(t, b.Isolate(t.Context(), b.id, int32(os.Getpid())))
		err = b.Update(t.Context(), b.id, []*mesosv1.Resource{disk("v", "data")}, nil)
		assert.ErrorContains(t, err, "has no mount namespace of its own")
	})
}

func TestWithoutOverlay(t *testing.T) {
	testimage.Root(t)
	// The kernel makes no overlay whose changes are kept in another one.
	state, lower, upper := t.TempDir(), t.TempDir(), t.TempDir()
	require.NoError(t, os.MkdirAll(upper+"/work", 0o755))
	require.NoError(t, os.MkdirAll(upper+"/upper", 0o755))
	require.NoError(t, unix.Mount("overlay", state, "overlay", 0, "volatile,lowerdir="+lower+",upperdir="+upper+"/upper,workdir="+upper+"/work"))
	t.Cleanup(func() { require.NoError(t, unix.Unmount(state, unix.MNT_DETACH)) })
	b := newBench(t, moduletest.StateDir(state))
	assert.Contains(t, strings.Join(b.kit.Log(), "\n"), "root file systems are read-only")
	t.Run("an image has to have the folders that are mounted on", func(t *testing.T) {
		_, err := b.prepare(t, inImage("tiny", hostPath("/data", "/usr")))
		require.ErrorContains(t, err, "is read-only, because there is no overlay here, and lacks what is mounted on: make /proc /sys /dev /mnt/mesos/sandbox /data in it")
	})
	t.Run("and is mounted read-only then", func(t *testing.T) {
		for _, name := range []string{"proc", "sys", "dev", "mnt/mesos/sandbox", "data"} {
			require.NoError(t, os.MkdirAll(filepath.Join(b.images, "tiny", name), 0o755))
		}
		launch, err := b.prepare(t, inImage("tiny", hostPath("/data", "/usr")))
		require.NoError(t, err)
		first := launch.GetMounts()[0]
		assert.Equal(t, filepath.Join(b.images, "tiny"), first.GetSource())
		assert.NotZero(t, first.GetFlags()&unix.MS_RDONLY)
	})
}
