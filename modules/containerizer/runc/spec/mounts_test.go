package spec

import (
	"os"
	"path/filepath"
	"testing"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestVolumes(t *testing.T) {
	r := request(t)
	parent, data := t.TempDir(), t.TempDir()
	r.Parent = &Parent{Pid: os.Getpid(), Directory: parent}
	own := r.Config.GetDirectory()
	require.NoError(t, os.Symlink("/etc", filepath.Join(own, "out")))
	require.NoError(t, os.MkdirAll(filepath.Join(own, "etc/mesos"), 0o755))
	require.NoError(t, os.Symlink("/nowhere", filepath.Join(own, "dangling")))
	require.NoError(t, os.Chown(own, 12, 34))
	volume := func(path string, mode mesosv1.Volume_Mode, change func(*mesosv1.Volume)) *mesosv1.Volume {
		v := &mesosv1.Volume{ContainerPath: &path, Mode: &mode}
		change(v)
		return v
	}
	host := func(path string) func(*mesosv1.Volume) {
		return func(v *mesosv1.Volume) { v.HostPath = &path }
	}
	sandbox := func(kind mesosv1.Volume_Source_SandboxPath_Type, path string) func(*mesosv1.Volume) {
		return func(v *mesosv1.Volume) {
			v.Source = &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_SANDBOX_PATH.Enum(),
				SandboxPath: &mesosv1.Volume_Source_SandboxPath{Type: &kind, Path: &path}}
		}
	}
	r.Config.ContainerInfo = &mesosv1.ContainerInfo{Volumes: []*mesosv1.Volume{
		volume("/data", mesosv1.Volume_RO, host(data)),
		volume("in", mesosv1.Volume_RW, host("made")),
		volume("/self", mesosv1.Volume_RW, sandbox(mesosv1.Volume_Source_SandboxPath_SELF, "own/deep")),
		volume("/parent", mesosv1.Volume_RW, sandbox(mesosv1.Volume_Source_SandboxPath_PARENT, "../../shared")),
		volume("/not-out", mesosv1.Volume_RW, host("out/mesos")),
	}}
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, specs.Mount{Destination: "/data", Type: "bind", Source: data, Options: []string{"rbind", "rslave", "ro"}}, mountOn(t, s, "/data"))
	assert.Equal(t, filepath.Join(own, "made"), mountOn(t, s, "/mnt/mesos/sandbox/in").Source)
	assert.Equal(t, filepath.Join(own, "own/deep"), mountOn(t, s, "/self").Source)
	assert.Equal(t, filepath.Join(parent, "shared"), mountOn(t, s, "/parent").Source, "it does not climb")
	assert.Equal(t, filepath.Join(own, "etc/mesos"), mountOn(t, s, "/not-out").Source, "a link does not lead out")
	assert.Equal(t, own, mountOn(t, s, "/mnt/mesos/sandbox").Source)
	var made unix.Stat_t
	require.NoError(t, unix.Stat(filepath.Join(own, "made"), &made))
	assert.Equal(t, []uint32{12, 34}, []uint32{made.Uid, made.Gid}, "it belongs to whom the sandbox belongs to")

	for name, one := range map[string]struct {
		volume *mesosv1.Volume
		err    string
	}{
		"a host path that is not there": {volume("/x", mesosv1.Volume_RW, host("/no/such/folder")), "no such file"},
		"behind a link to nothing":      {volume("/x", mesosv1.Volume_RW, host("dangling/x")), "not a directory"},
		"an image":                      {volume("/x", mesosv1.Volume_RW, func(v *mesosv1.Volume) { v.Image = &mesosv1.Image{} }), "made of images"},
		"a secret": {volume("/x", mesosv1.Volume_RW, func(v *mesosv1.Volume) {
			v.Source = &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_SECRET.Enum()}
		}), "of the type SECRET are not supported"},
		"nobody's sandbox": {volume("/x", mesosv1.Volume_RW, sandbox(mesosv1.Volume_Source_SandboxPath_UNKNOWN, "x")), "not known"},
	} {
		t.Run(name, func(t *testing.T) {
			r.Config.ContainerInfo.Volumes = []*mesosv1.Volume{one.volume}
			_, err := Build(r)
			require.ErrorContains(t, err, "volume /x: ")
			require.ErrorContains(t, err, one.err)
		})
	}
	r.Parent = nil
	r.Config.ContainerInfo.Volumes = []*mesosv1.Volume{volume("/x", mesosv1.Volume_RW, sandbox(mesosv1.Volume_Source_SandboxPath_PARENT, "x"))}
	_, err = Build(r)
	require.ErrorContains(t, err, "there is no parent")
}

func TestPersistentVolumes(t *testing.T) {
	r := request(t)
	volume := t.TempDir()
	require.NoError(t, os.Symlink(volume, filepath.Join(r.Config.GetDirectory(), "kept")))
	disk := func(path string) *mesosv1.Resource {
		return &mesosv1.Resource{Disk: &mesosv1.Resource_DiskInfo{Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: proto.String("1")},
			Volume: &mesosv1.Volume{ContainerPath: &path, Mode: mesosv1.Volume_RO.Enum()}}}
	}
	r.Config.Resources = []*mesosv1.Resource{disk("kept"), disk("not-linked"), disk("../kept"), disk("/etc")}
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, bind(volume, volume, true), mountOn(t, s, volume))
	for _, m := range s.Mounts {
		assert.NotEqual(t, "/etc", m.Destination)
	}
}

func TestMountsOfIsolators(t *testing.T) {
	r := request(t)
	flags := func(f uint32) *uint32 { return &f }
	r.Launch.Mounts = []*slave.ContainerMountInfo{
		{Target: proto.String("/a"), Source: proto.String("/etc"), Flags: flags(unix.MS_BIND | unix.MS_REC | unix.MS_RDONLY)},
		{Target: proto.String("/b"), Source: proto.String("tmpfs"), Type: proto.String("tmpfs"), Flags: flags(unix.MS_NOSUID), Options: proto.String("size=1m,mode=700")},
	}
	s, err := Build(r)
	require.NoError(t, err)
	assert.Equal(t, specs.Mount{Destination: "/a", Type: "bind", Source: "/etc", Options: []string{"rbind", "ro"}}, mountOn(t, s, "/a"))
	assert.Equal(t, specs.Mount{Destination: "/b", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "size=1m", "mode=700"}}, mountOn(t, s, "/b"))
	r.Launch.Mounts = []*slave.ContainerMountInfo{{Target: proto.String("relative")}}
	_, err = Build(r)
	require.ErrorContains(t, err, "no absolute path")
	r.Launch.Mounts = []*slave.ContainerMountInfo{{Target: proto.String("/a"), Flags: flags(unix.MS_MOVE)}}
	_, err = Build(r)
	require.ErrorContains(t, err, "does not know")
}
