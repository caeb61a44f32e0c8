package filesystemlinux_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/testimage"
	"github.com/mesos-modules/mms/modules/isolator/filesystemlinux"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/isolator"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func Example() {
	module := filesystemlinux.Library.Modules[0].Declare()
	fmt.Println(module.Name, filesystemlinux.Word, module.Parameters.Specs()[0].Key)
	// Output: org_apache_mesos_LinuxFilesystemIsolator filesystem/linux images_dir
}

func parameter(key, value string) moduletest.Option {
	return moduletest.Parameter(filesystemlinux.Name, key, value)
}

func TestConformance(t *testing.T) {
	testimage.Root(t)
	moduletest.Conformance(t, filesystemlinux.Library, filesystemlinux.Name)
	t.Run("with an image and a volume", func(t *testing.T) {
		images := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(images, "tiny"), 0o755))
		moduletest.Conformance(t, filesystemlinux.Library, filesystemlinux.Name, parameter("images_dir", images), parameter("work_dir", t.TempDir()),
			moduletest.ContainerConfig(&slave.ContainerConfig{Directory: proto.String(t.TempDir()), CommandInfo: &mesosv1.CommandInfo{},
				ContainerInfo: inImage("tiny", hostPath("data", "/usr"))}))
	})
}

func inImage(name string, volumes ...*mesosv1.Volume) *mesosv1.ContainerInfo {
	return &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), Volumes: volumes, Mesos: &mesosv1.ContainerInfo_MesosInfo{
		Image: &mesosv1.Image{Type: mesosv1.Image_DOCKER.Enum(), Docker: &mesosv1.Image_Docker{Name: &name}}}}
}

func disk(id, path string) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name: proto.String("disk"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(64)},
		Reservations: []*mesosv1.Resource_ReservationInfo{{Role: proto.String("role")}},
		Disk: &mesosv1.Resource_DiskInfo{
			Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: proto.String(id)},
			Volume:      &mesosv1.Volume{ContainerPath: proto.String(path), Mode: mesosv1.Volume_RW.Enum()},
		},
	}
}

func hostPath(at, path string) *mesosv1.Volume {
	return &mesosv1.Volume{ContainerPath: &at, HostPath: &path, Mode: mesosv1.Volume_RW.Enum()}
}

func sandboxPath(at, path string, of mesosv1.Volume_Source_SandboxPath_Type) *mesosv1.Volume {
	return &mesosv1.Volume{ContainerPath: &at, Mode: mesosv1.Volume_RW.Enum(), Source: &mesosv1.Volume_Source{
		Type: mesosv1.Volume_Source_SANDBOX_PATH.Enum(), SandboxPath: &mesosv1.Volume_Source_SandboxPath{Type: of.Enum(), Path: &path}}}
}

type bench struct {
	isolator.Isolator
	kit                          *moduletest.Kit
	work, images, sandbox, state string
	id                           *mesosv1.ContainerID
}

func newBench(t *testing.T, options ...moduletest.Option) *bench {
	testimage.Root(t)
	b := &bench{work: t.TempDir(), images: t.TempDir(), sandbox: t.TempDir(), state: t.TempDir(), id: &mesosv1.ContainerID{Value: proto.String("c")}}
	require.NoError(t, os.Mkdir(filepath.Join(b.images, "tiny"), 0o755))
	b.begin(t, options...)
	return b
}

func (b *bench) begin(t *testing.T, options ...moduletest.Option) {
	b.kit = moduletest.New(t, filesystemlinux.Library, append([]moduletest.Option{moduletest.StateDir(b.state),
		parameter("work_dir", b.work), parameter("images_dir", b.images), parameter("launcher_dir", "/opt/mesos")}, options...)...)
	b.Isolator = moduletest.Load[isolator.Isolator](b.kit, filesystemlinux.Name)
}

func (b *bench) prepare(t *testing.T, info *mesosv1.ContainerInfo, resources ...*mesosv1.Resource) (*slave.ContainerLaunchInfo, error) {
	return b.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, ContainerInfo: info, Resources: resources})
}

// containers are the folders that the module keeps.
func (b *bench) containers(t *testing.T) (all []string) {
	found, err := filepath.Glob(filepath.Join(b.state, "*", "containers", "*"))
	require.NoError(t, err)
	for _, f := range found {
		all = append(all, filepath.Base(f))
	}
	return all
}

// mounts are the bind mounts of the volumes, by target below the root.
func mounts(launch *slave.ContainerLaunchInfo) map[string]string {
	all := map[string]string{}
	for _, m := range launch.GetMounts() {
		if m.GetFlags()&unix.MS_BIND != 0 {
			all[strings.TrimPrefix(m.GetTarget(), launch.GetRootfs())] = m.GetSource()
		}
	}
	return all
}

func TestImages(t *testing.T) {
	b := newBench(t)
	outside := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(b.images, "example.org/tool:1", "rootfs"), 0o755))
	require.NoError(t, os.Symlink("tiny", filepath.Join(b.images, "latest")))
	require.NoError(t, os.Symlink(outside, filepath.Join(b.images, "outside")))
	require.NoError(t, os.Mkdir(filepath.Join(b.images, "hostile"), 0o755))
	require.NoError(t, os.Symlink("/", filepath.Join(b.images, "hostile", "rootfs")))
	require.NoError(t, os.WriteFile(filepath.Join(b.images, "file"), nil, 0o600))
	for name, folder := range map[string]string{"tiny": "tiny", "example.org/tool:1": `example.org/tool\:1/rootfs`, "latest": "tiny"} {
		launch, err := b.prepare(t, inImage(name))
		require.NoError(t, err, name)
		first := launch.GetMounts()[0]
		assert.Equal(t, "overlay", first.GetType())
		assert.Equal(t, launch.GetRootfs(), first.GetTarget())
		assert.Contains(t, first.GetOptions(), "lowerdir="+filepath.Join(b.images, folder)+",")
		require.NoError(t, b.Cleanup(t.Context(), b.id))
	}
	for name, says := range map[string]string{
		"absent": "image absent: there is no folder of this name in " + b.images, "": "is no folder below", "../tiny": "is no folder below", "/etc": "is no folder below",
		"a/../../b": "is no folder below", "outside": "a link leads out of", "hostile": "a link leads out of", "file": "image file: open",
	} {
		_, err := b.prepare(t, inImage(name))
		assert.ErrorContains(t, err, says, name)
		require.NoError(t, b.Cleanup(t.Context(), b.id))
	}
	t.Run("of the kind appc", func(t *testing.T) {
		launch, err := b.prepare(t, &mesosv1.ContainerInfo{Mesos: &mesosv1.ContainerInfo_MesosInfo{
			Image: &mesosv1.Image{Type: mesosv1.Image_APPC.Enum(), Appc: &mesosv1.Image_Appc{Name: proto.String("tiny")}}}})
		require.NoError(t, err)
		assert.NotEmpty(t, launch.GetRootfs())
	})
	t.Run("the agent's own executor is in them, and no other program of the host", func(t *testing.T) {
		for program, in := range map[string]bool{"/opt/mesos/mesos-executor": true, "/opt/mesosother/x": false, "/bin/true": false} {
			launch, err := b.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, ContainerInfo: inImage("tiny"),
				CommandInfo: &mesosv1.CommandInfo{Shell: proto.Bool(false), Value: &program}})
			require.NoError(t, err)
			_, is := mounts(launch)[program]
			assert.Equal(t, in, is, program)
		}
	})
	t.Run("without images_dir there are none", func(t *testing.T) {
		i := moduletest.Load[isolator.Isolator](moduletest.New(t, filesystemlinux.Library), filesystemlinux.Name)
		_, err := i.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, ContainerInfo: inImage("tiny")})
		assert.ErrorContains(t, err, "filesystem/linux has no parameter images_dir")
	})
	t.Run("a root file system that somebody else has made is refused", func(t *testing.T) {
		_, err := b.Prepare(t.Context(), b.id, &slave.ContainerConfig{Directory: &b.sandbox, Rootfs: proto.String("/there")})
		assert.ErrorContains(t, err, "has a root file system already")
	})
}

func TestVolumes(t *testing.T) {
	t.Run("of every kind", func(t *testing.T) {
		b := newBench(t)
		host := t.TempDir()
		require.NoError(t, os.Chown(b.sandbox, 65534, 65534))
		launch, err := b.prepare(t, inImage("tiny", hostPath("a", host), hostPath("/b", host), hostPath("c", "own/c"),
			sandboxPath("d", "own/d", mesosv1.Volume_Source_SandboxPath_SELF), sandboxPath("e", "data", mesosv1.Volume_Source_SandboxPath_SELF)), disk("v", "data"))
		require.NoError(t, err)
		all := mounts(launch)
		volume := filepath.Join(b.work, "volumes/roles/role/v")
		for at, from := range map[string]string{
			"/mnt/mesos/sandbox": b.sandbox, "/mnt/mesos/sandbox/a": host, "/b": host, "/mnt/mesos/sandbox/c": b.sandbox + "/own/c",
			"/mnt/mesos/sandbox/d": b.sandbox + "/own/d", "/mnt/mesos/sandbox/data": volume, "/mnt/mesos/sandbox/e": volume,
		} {
			assert.Equal(t, from, all[at], at)
		}
		for _, made := range []string{volume, b.sandbox + "/own", b.sandbox + "/own/c"} {
			info, err := os.Stat(made)
			require.NoError(t, err)
			assert.Equal(t, uint32(65534), owner(info), "%s belongs to the sandbox's owner", made)
		}
	})
	t.Run("without an image they are in the sandbox of the host", func(t *testing.T) {
		b := newBench(t)
		launch, err := b.prepare(t, &mesosv1.ContainerInfo{Volumes: []*mesosv1.Volume{hostPath("a", "/usr"), hostPath("/tmp", "/usr")}}, disk("v", "data"))
		require.NoError(t, err)
		assert.Nil(t, launch.Rootfs)
		assert.Equal(t, map[string]string{b.sandbox + "/a": "/usr", "/tmp": "/usr", b.sandbox + "/data": filepath.Join(b.work, "volumes/roles/role/v")}, mounts(launch))
	})
	t.Run("of the parent's are found where the host has them", func(t *testing.T) {
		b := newBench(t)
		_, err := b.prepare(t, nil, disk("v", "data"))
		require.NoError(t, err)
		nested, sandbox := &mesosv1.ContainerID{Value: proto.String("n"), Parent: b.id}, filepath.Join(b.sandbox, "containers/n")
		require.NoError(t, os.MkdirAll(sandbox, 0o755))
		prepare := func(v *mesosv1.Volume) (*slave.ContainerLaunchInfo, error) {
			return b.Prepare(t.Context(), nested, &slave.ContainerConfig{Directory: &sandbox, ContainerInfo: &mesosv1.ContainerInfo{Volumes: []*mesosv1.Volume{v}}})
		}
		launch, err := prepare(sandboxPath("mine", "data", mesosv1.Volume_Source_SandboxPath_PARENT))
		require.NoError(t, err)
		assert.Equal(t, map[string]string{sandbox + "/mine": filepath.Join(b.work, "volumes/roles/role/v")}, mounts(launch))
		launch, err = prepare(sandboxPath("mine", "plain", mesosv1.Volume_Source_SandboxPath_PARENT))
		require.NoError(t, err)
		assert.Equal(t, map[string]string{sandbox + "/mine": b.sandbox + "/plain"}, mounts(launch))
		_, err = prepare(sandboxPath("mine", "data/part", mesosv1.Volume_Source_SandboxPath_PARENT))
		assert.ErrorContains(t, err, "data/part is in the volume data")
		require.NoError(t, b.Update(t.Context(), nested, nil, nil))
	})
	link := func(at, to string) func(*testing.T, *bench) {
		return func(t *testing.T, b *bench) { require.NoError(t, os.Symlink(to, filepath.Join(b.sandbox, at))) }
	}
	secret := &mesosv1.Volume{ContainerPath: proto.String("a"), Mode: mesosv1.Volume_RO.Enum(), Source: &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_SECRET.Enum()}}
	both := hostPath("a", "/usr")
	both.HostPath, both.Source = nil, &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_HOST_PATH.Enum(), HostPath: &mesosv1.Volume_Source_HostPath{Path: proto.String("/usr"),
		MountPropagation: &mesosv1.MountPropagation{Mode: mesosv1.MountPropagation_BIDIRECTIONAL.Enum()}}}
	for about, c := range map[string]struct {
		before func(*testing.T, *bench)
		volume *mesosv1.Volume
		disk   *mesosv1.Resource
		image  bool
		says   string
	}{
		"a path that leaves the sandbox":         {volume: hostPath("../x", "/usr"), says: `its path "../x" in the container is none`},
		"a path that leaves the image":           {volume: hostPath("/a/../../x", "/usr"), image: true, says: "in the container is none"},
		"a path that is the sandbox":             {volume: hostPath(".", "/usr"), says: "hide the sandbox"},
		"a path that is the root":                {volume: hostPath("//", "/usr"), image: true, says: "hide the container's root"},
		"a path that is none":                    {volume: hostPath("", "/usr"), says: "is none"},
		"a path through a link":                  {before: link("a", "/etc"), volume: hostPath("a/b", "/usr"), says: "it goes through a link"},
		"a path that is a link":                  {before: link("a", "/etc"), volume: hostPath("a", "/usr"), says: "it goes through a link"},
		"a path that the host does not have":     {volume: hostPath("/no/such/folder", "/usr"), says: "the host has no /no/such/folder"},
		"a source that the host does not have":   {volume: hostPath("a", "/no/such/folder"), says: "the host has no /no/such/folder"},
		"a source that leaves the sandbox":       {volume: sandboxPath("a", "../x", mesosv1.Volume_Source_SandboxPath_SELF), says: "is no path in a sandbox"},
		"a source that is outside the sandbox":   {volume: sandboxPath("a", "/etc", mesosv1.Volume_Source_SandboxPath_SELF), says: "is no path in a sandbox"},
		"a source through a link":                {before: link("s", "/etc"), volume: sandboxPath("a", "s/b", mesosv1.Volume_Source_SandboxPath_SELF), says: "it goes through a link"},
		"a relative source through a link":       {before: link("s", "/etc"), volume: hostPath("a", "s/b"), says: "it goes through a link"},
		"a source of a parent that there is not": {volume: sandboxPath("a", "b", mesosv1.Volume_Source_SandboxPath_PARENT), says: "no parent that is known"},
		"a source of no kind":                    {volume: sandboxPath("a", "b", mesosv1.Volume_Source_SandboxPath_UNKNOWN), says: "SELF or PARENT"},
		"no source":                              {volume: &mesosv1.Volume{ContainerPath: proto.String("a")}, says: "it has no source"},
		"a secret":                               {volume: secret, says: "knows no sources of type SECRET"},
		"mounts that would be shown to the host": {volume: both, says: "BIDIRECTIONAL"},
		"an image that would be changed":         {volume: &mesosv1.Volume{ContainerPath: proto.String("a"), Mode: mesosv1.Volume_RW.Enum(), Image: inImage("tiny").Mesos.Image}, says: "its mode is RO"},
		"a persistent volume through a link":     {before: link("a", "/etc"), disk: disk("v", "a"), says: "persistent volume v: open"},
		"a persistent volume that is no folder":  {disk: disk("..", "a"), says: "no name for a folder"},
	} {
		t.Run(about+" is refused", func(t *testing.T) {
			b := newBench(t)
			if c.before != nil {
				c.before(t, b)
			}
			info, resources := &mesosv1.ContainerInfo{}, []*mesosv1.Resource(nil)
			if c.image {
				info = inImage("tiny")
			}
			if c.volume != nil {
				info.Volumes = []*mesosv1.Volume{c.volume}
			}
			if c.disk != nil {
				resources = append(resources, c.disk)
			}
			_, err := b.prepare(t, info, resources...)
			require.ErrorContains(t, err, c.says)
			require.NoError(t, b.Cleanup(t.Context(), b.id))
			assert.Empty(t, b.containers(t))
		})
	}
}

// taker stands for the containerizer mesos.
type taker struct {
	containerizer.Containerizer
	taken *int
}

func (k taker) Export() any { return k }
func (k taker) TakeImages() { *k.taken++ }

func TestTheContainerizerIsTold(t *testing.T) {
	taken := 0
	with := moduletest.With(facade.Library{Modules: []facade.Declared{facade.Module[containerizer.Containerizer]{
		Name: "org_apache_mesos_MesosContainerizer", Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (containerizer.Containerizer, error) {
			return taker{taken: &taken}, nil
		},
	}}})
	t.Run("that images are found, once the agent uses the module", func(t *testing.T) {
		b := newBench(t, with)
		assert.Zero(t, taken)
		require.NoError(t, b.Recover(t.Context(), nil, nil))
		assert.Equal(t, 1, taken)
	})
	t.Run("nothing, if there is no folder of images", func(t *testing.T) {
		taken = 0
		i := moduletest.Load[isolator.Isolator](moduletest.New(t, filesystemlinux.Library, with), filesystemlinux.Name)
		require.NoError(t, i.Recover(t.Context(), nil, nil))
		assert.Zero(t, taken)
	})
	t.Run("nothing, if it is not there, which the log says", func(t *testing.T) {
		b := newBench(t)
		assert.Contains(t, strings.Join(b.kit.Log(), "\n"), "takes no images")
	})
}

func TestParameters(t *testing.T) {
	testimage.Root(t)
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	for key, c := range map[string]struct{ value, says string }{
		"images_dir":        {file, "images_dir: " + file + ": it is no folder"},
		"sandbox_directory": {"relative", `"relative" is not absolute`},
	} {
		err := moduletest.New(t, filesystemlinux.Library, parameter(key, c.value)).Start(filesystemlinux.Name)
		assert.ErrorContains(t, err, c.says)
	}
	err := moduletest.New(t, filesystemlinux.Library, parameter("images_dir", "/no/such")).Start(filesystemlinux.Name)
	assert.ErrorContains(t, err, "images_dir: /no/such: stat /no/such: no such file")
}

func owner(info os.FileInfo) uint32 { return info.Sys().(*syscall.Stat_t).Uid }

// The runtime may take the main thread for any goroutine, and that thread never ends.
func TestTheMainThreadStaysWhereItIs(t *testing.T) {
	before, err := os.Readlink("/proc/self/ns/mnt")
	require.NoError(t, err)
	b := newBench(t)
	for range 30 {
		b.kit.Close()
		b.begin(t)
	}
	after, err := os.Readlink("/proc/self/ns/mnt")
	require.NoError(t, err)
	assert.Equal(t, before, after)
}

func TestWithoutRoot(t *testing.T) {
	testimage.Root(t)
	err := testimage.AsNobody(func() error {
		_, err := filesystemlinux.Library.Modules[0].Declare().New(t.Context(), nil, nil)
		return err
	})
	assert.ErrorContains(t, err, "run the agent as root, or take filesystem/posix")
}
