package filesystemposix_test

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/isolator/filesystemposix"
	"github.com/mesos-modules/mms/roles/isolator"
)

func Example() {
	module := filesystemposix.Library.Modules[0].Declare()
	fmt.Println(module.Name, filesystemposix.Word, module.Parameters.Specs()[0].Key)
	// Output: org_apache_mesos_PosixFilesystemIsolator filesystem/posix work_dir
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, filesystemposix.Library, filesystemposix.Name)
	t.Run("with a volume", func(t *testing.T) {
		moduletest.Conformance(t, filesystemposix.Library, filesystemposix.Name,
			moduletest.Parameter(filesystemposix.Name, "work_dir", t.TempDir()),
			moduletest.ContainerConfig(&slave.ContainerConfig{Directory: proto.String(t.TempDir()), Resources: []*mesosv1.Resource{volume("v", "data")}}))
	})
}

func volume(id, path string) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name: proto.String("disk"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(64)},
		Reservations: []*mesosv1.Resource_ReservationInfo{{Role: proto.String("a/b")}},
		Disk: &mesosv1.Resource_DiskInfo{
			Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: proto.String(id)},
			Volume:      &mesosv1.Volume{ContainerPath: proto.String(path), Mode: mesosv1.Volume_RW.Enum()},
		},
	}
}

type bench struct {
	isolator.Isolator
	work, sandbox string
	id            *mesosv1.ContainerID
}

func newBench(t *testing.T) *bench {
	b := &bench{work: t.TempDir(), sandbox: t.TempDir(), id: &mesosv1.ContainerID{Value: proto.String("c")}}
	b.Isolator = moduletest.Load[isolator.Isolator](moduletest.New(t, filesystemposix.Library,
		moduletest.Parameter(filesystemposix.Name, "work_dir", b.work)), filesystemposix.Name)
	return b
}

func (b *bench) prepare(t *testing.T, resources ...*mesosv1.Resource) error {
	_, err := b.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, Resources: resources})
	return err
}

func TestVolumes(t *testing.T) {
	t.Run("a volume is linked into the sandbox, and belongs to its owner", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, os.Chown(b.sandbox, 65534, 65534))
		require.NoError(t, b.prepare(t, volume("v", "data")))
		to, err := os.Readlink(filepath.Join(b.sandbox, "data"))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(b.work, "volumes", "roles", "a b", "v"), to)
		info, err := os.Stat(to)
		require.NoError(t, err)
		assert.Equal(t, uint32(65534), info.Sys().(*syscall.Stat_t).Uid)
	})
	t.Run("an update links what is new and takes away what is gone, and keeps the data", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, b.prepare(t, volume("one", "one")))
		require.NoError(t, os.WriteFile(filepath.Join(b.sandbox, "one", "kept"), nil, 0o600))
		require.NoError(t, b.Update(t.Context(), b.id, []*mesosv1.Resource{volume("two", "two")}, nil))
		assert.NoFileExists(t, filepath.Join(b.sandbox, "one"))
		assert.FileExists(t, filepath.Join(b.sandbox, "two"))
		assert.FileExists(t, filepath.Join(b.work, "volumes", "roles", "a b", "one", "kept"))
	})
	t.Run("a recovered container's links are known", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, b.prepare(t, volume("one", "one")))
		require.NoError(t, b.Recover(t.Context(), []*slave.ContainerState{{ContainerId: b.id, Pid: proto.Uint64(1), Directory: &b.sandbox,
			ExecutorInfo: &mesosv1.ExecutorInfo{Resources: []*mesosv1.Resource{volume("one", "one")}}}}, nil))
		require.NoError(t, b.Update(t.Context(), b.id, nil, nil))
		assert.NoFileExists(t, filepath.Join(b.sandbox, "one"))
	})
	t.Run("a disk with a root of its own", func(t *testing.T) {
		b := newBench(t)
		root := t.TempDir()
		mount := volume("v", "mounted")
		mount.Disk.Source = &mesosv1.Resource_DiskInfo_Source{Type: mesosv1.Resource_DiskInfo_Source_MOUNT.Enum(),
			Mount: &mesosv1.Resource_DiskInfo_Source_Mount{Root: &root}}
		path := volume("v", "below")
		path.Disk.Source = &mesosv1.Resource_DiskInfo_Source{Type: mesosv1.Resource_DiskInfo_Source_PATH.Enum(),
			Path: &mesosv1.Resource_DiskInfo_Source_Path{Root: proto.String("disks/1")}}
		require.NoError(t, b.prepare(t, mount, path))
		to, err := os.Readlink(filepath.Join(b.sandbox, "mounted"))
		require.NoError(t, err)
		assert.Equal(t, root, to)
		to, err = os.Readlink(filepath.Join(b.sandbox, "below"))
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(b.work, "disks/1/volumes/roles/a b/v"), to)
	})
	for about, c := range map[string]struct {
		change func(*mesosv1.Resource)
		says   string
	}{
		"a path that leaves the sandbox": {func(r *mesosv1.Resource) { r.Disk.Volume.ContainerPath = proto.String("../x") }, "is not one name"},
		"a path with folders":            {func(r *mesosv1.Resource) { r.Disk.Volume.ContainerPath = proto.String("a/b") }, "is not one name"},
		"an id that leaves the volumes":  {func(r *mesosv1.Resource) { r.Disk.Persistence.Id = proto.String("..") }, "no name for a folder"},
		"a role that leaves the volumes": {func(r *mesosv1.Resource) { r.Reservations[0].Role = proto.String("a/../../..") }, "leaves the folder"},
		"a disk that is no folder": {func(r *mesosv1.Resource) {
			r.Disk.Source = &mesosv1.Resource_DiskInfo_Source{Type: mesosv1.Resource_DiskInfo_Source_RAW.Enum()}
		}, "of type RAW"},
	} {
		t.Run(about+" is refused", func(t *testing.T) {
			r := volume("v", "data")
			c.change(r)
			assert.ErrorContains(t, newBench(t).prepare(t, r), c.says)
		})
	}
	t.Run("a file in the place of the link is an error that names the volume", func(t *testing.T) {
		b := newBench(t)
		require.NoError(t, os.WriteFile(filepath.Join(b.sandbox, "data"), nil, 0o600))
		assert.ErrorContains(t, b.prepare(t, volume("v", "data")), "persistent volume v")
	})
	t.Run("a root file system is refused", func(t *testing.T) {
		b := newBench(t)
		_, err := b.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, Rootfs: proto.String("/rootfs")})
		assert.ErrorContains(t, err, "filesystem/linux")
	})
}
