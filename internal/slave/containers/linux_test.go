package containers_test

import (
	"context"
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

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/testimage"
	"github.com/mesos-modules/mms/modules/isolator/filesystemlinux"
	"github.com/mesos-modules/mms/modules/isolator/linuxcapabilities"
	"github.com/mesos-modules/mms/modules/isolator/namespacespid"
	"github.com/mesos-modules/mms/roles/isolator"
)

// lender is a host that hands in one module.
type lender struct {
	host
	other any
}

func (l lender) Requirement(string) (any, bool) { return l.other, l.other != nil }
func (l lender) Export(string) (any, bool)      { return l.other.(facade.Exporter).Export(), true }

// linux is a Service with the isolators of namespaces, mounts and capabilities.
type linux struct {
	*real
	images, state string
	capabilities  facade.Parameters
}

func newLinux(t testing.TB) *linux {
	testimage.Root(t)
	l := &linux{real: &real{t: t, runtime: t.TempDir(), work: t.TempDir(), program: launcherDir(t)}, images: t.TempDir(), state: t.TempDir()}
	l.isolate = l.isolators
	testimage.Make(t, filepath.Join(l.images, "tiny"), "of the image\n")
	l.begin(nil)
	return l
}

// isolators are made anew for each agent.
func (l *linux) isolators() []containers.Isolator {
	make := func(library facade.Library, other any, given facade.Parameters) containers.Isolator {
		made, err := library.Modules[0].Declare().New(context.Background(), lender{host{state: l.state}, other}, given)
		require.NoError(l.t, err)
		return containers.Isolator{Name: library.Modules[0].Declare().Name, Isolator: made.(isolator.Isolator)}
	}
	files := make(filesystemlinux.Library, l.engine, facade.Parameters{{Key: "images_dir", Value: l.images}, {Key: "work_dir", Value: l.work}})
	return []containers.Isolator{files, make(linuxcapabilities.Library, nil, l.capabilities), make(namespacespid.Library, files.Isolator, nil)}
}

func imageOf(name string) *mesosv1.ContainerInfo {
	return &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), Mesos: &mesosv1.ContainerInfo_MesosInfo{
		Image: &mesosv1.Image{Type: mesosv1.Image_DOCKER.Enum(), Docker: &mesosv1.Image_Docker{Name: &name}}}}
}

// in is a request for a container in the image, with what change wants besides.
func (l *linux) in(id *mesosv1.ContainerID, command string, change ...func(*slave.ContainerConfig)) containers.LaunchRequest {
	request := l.request(id, command)
	request.Config.ContainerInfo = imageOf("tiny")
	for _, c := range change {
		c(request.Config)
	}
	return request
}

// run returns the status and output of a container that ends.
func (l *linux) run(request containers.LaunchRequest) (int32, string, string) {
	l.t.Helper()
	l.launch(request)
	t, err := l.Wait(l.ctx(), request.ID)
	require.NoError(l.t, err)
	return t.GetStatus(), l.output(request.ID, "stdout"), l.output(request.ID, "stderr")
}

// eventually waits until a file of a sandbox holds something.
func (l *linux) eventually(id *mesosv1.ContainerID, file string) string {
	l.t.Helper()
	path := filepath.Join(l.work, filepath.FromSlash(name(id)), file)
	require.Eventually(l.t, func() bool {
		text, err := os.ReadFile(path)
		return err == nil && strings.HasSuffix(string(text), "\n")
	}, limit, 5*time.Millisecond)
	text, err := os.ReadFile(path)
	require.NoError(l.t, err)
	return string(text)
}

// nothingLeft says that a container leaves no state and no mount.
func (l *linux) nothingLeft() {
	l.t.Helper()
	left, err := os.ReadDir(filepath.Join(l.state, "containers"))
	require.NoError(l.t, err)
	assert.Empty(l.t, left)
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	require.NoError(l.t, err)
	for _, folder := range []string{l.state, l.images, l.work} {
		assert.NotContains(l.t, string(mounts), folder)
	}
}

func diskOf(persistence, path string) *mesosv1.Resource {
	return &mesosv1.Resource{
		Name: proto.String("disk"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(64)},
		Reservations: []*mesosv1.Resource_ReservationInfo{{Role: proto.String("role")}},
		Disk: &mesosv1.Resource_DiskInfo{
			Persistence: &mesosv1.Resource_DiskInfo_Persistence{Id: proto.String(persistence)},
			Volume:      &mesosv1.Volume{ContainerPath: proto.String(path), Mode: mesosv1.Volume_RW.Enum()},
		},
	}
}

func sandboxVolume(at, path string, of mesosv1.Volume_Source_SandboxPath_Type) *mesosv1.Volume {
	return &mesosv1.Volume{ContainerPath: &at, Mode: mesosv1.Volume_RW.Enum(), Source: &mesosv1.Volume_Source{
		Type: mesosv1.Volume_Source_SANDBOX_PATH.Enum(), SandboxPath: &mesosv1.Volume_Source_SandboxPath{Type: of.Enum(), Path: &path}}}
}

func TestAContainerInAnImage(t *testing.T) {
	l := newLinux(t)
	t.Run("sees its image, its sandbox and its devices, and changes none of the image", func(t *testing.T) {
		status, out, errs := l.run(l.in(id("one"), "cat /image; echo $MESOS_SANDBOX; readlink /proc/self/cwd; echo mine >/image; cat /image; ls /dev; "+
			"cat /dev/null; cat /dev/zero >/dev/full; cat /proc/keys; echo 1 >/proc/sys/kernel/panic; touch /sys/x; echo kept >kept; exit 5"))
		assert.Equal(t, int32(5<<8), status)
		assert.Equal(t, "of the image\n/mnt/mesos/sandbox\n/mnt/mesos/sandbox\nmine\nfd\nfull\nnull\nptmx\npts\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n", out)
		for _, says := range []string{"No space left on device", "/proc/sys/kernel/panic: Read-only file system", "touch: cannot touch '/sys/x': Read-only file system"} {
			assert.Contains(t, errs, says)
		}
		assert.NotContains(t, errs, "/proc/keys", "it is there, and empty")
		assert.Equal(t, "kept\n", l.output(id("one"), "kept"))
		text, err := os.ReadFile(filepath.Join(l.images, "tiny", "image"))
		require.NoError(t, err)
		assert.Equal(t, "of the image\n", string(text))
		l.nothingLeft()
	})
	t.Run("has its first process and its own alone", func(t *testing.T) {
		_, out, _ := l.run(l.in(id("first"), "cat /proc/1/comm; echo /proc/[0-9]*"))
		lines := strings.Split(out, "\n")
		assert.True(t, strings.HasPrefix(lines[0], "containers.test") || lines[0] == "mesos-container", lines[0])
		assert.LessOrEqual(t, len(strings.Fields(lines[1])), 3)
	})
	t.Run("has its volumes", func(t *testing.T) {
		host := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(host, "file"), []byte("of the host\n"), 0o644))
		_, out, errs := l.run(l.in(id("holder"), "cat data/file deep/er/file; touch /ro/x; echo 1 >own/x; cat same/x; echo kept >tables/kept; cat /image2/image; ls /mnt/mesos/sandbox", func(c *slave.ContainerConfig) {
			c.Resources = []*mesosv1.Resource{diskOf("v", "tables")}
			c.ContainerInfo.Volumes = []*mesosv1.Volume{
				{ContainerPath: proto.String("data"), HostPath: &host, Mode: mesosv1.Volume_RW.Enum()},
				{ContainerPath: proto.String("deep/er"), HostPath: &host, Mode: mesosv1.Volume_RW.Enum()},
				{ContainerPath: proto.String("/ro"), Mode: mesosv1.Volume_RO.Enum(), Source: &mesosv1.Volume_Source{
					Type: mesosv1.Volume_Source_HOST_PATH.Enum(), HostPath: &mesosv1.Volume_Source_HostPath{Path: &host}}},
				{ContainerPath: proto.String("own"), HostPath: proto.String("relative"), Mode: mesosv1.Volume_RW.Enum()},
				sandboxVolume("same", "relative", mesosv1.Volume_Source_SandboxPath_SELF),
				{ContainerPath: proto.String("/image2"), Mode: mesosv1.Volume_RO.Enum(), Image: imageOf("tiny").GetMesos().GetImage()},
			}
		}))
		assert.Equal(t, "of the host\nof the host\n1\nof the image\ndata\ndeep\nown\nrelative\nsame\nstderr\nstdout\ntables\n", out, errs)
		assert.Contains(t, errs, "touch: cannot touch '/ro/x': Read-only file system")
		assert.FileExists(t, filepath.Join(l.work, "volumes/roles/role/v/kept"))
		assert.NoFileExists(t, filepath.Join(host, "x"))
		l.nothingLeft()
	})
	t.Run("runs as somebody else", func(t *testing.T) {
		request := l.in(id("user"), "id -u; cat /image; readlink /proc/1/root; ls /proc/1/fd; touch /x", func(c *slave.ContainerConfig) { c.User = proto.String("nobody") })
		require.NoError(t, os.Chmod(request.Config.GetDirectory(), 0o777))
		_, out, errs := l.run(request)
		assert.Equal(t, "65534\nof the image\n", out)
		assert.Contains(t, errs, "touch: cannot touch '/x': Permission denied")
		assert.Contains(t, errs, "'/proc/1/fd': Permission denied", "the shim's files are not to be looked at")
	})
	t.Run("with no capabilities changes no mount", func(t *testing.T) {
		_, out, errs := l.run(l.in(id("capabilities"), "grep CapEff /proc/self/status; mount -t tmpfs none /tmp || echo refused; readlink /proc/1/fd/3 /proc/1/root || echo hidden; ls /proc/1/root/ || echo hidden", func(c *slave.ContainerConfig) {
			c.ContainerInfo.LinuxInfo = &mesosv1.LinuxInfo{EffectiveCapabilities: &mesosv1.CapabilityInfo{}}
		}))
		assert.Equal(t, "CapEff:\t0000000000000000\nrefused\nhidden\nhidden\n", out, errs)
	})
	t.Run("has a terminal that it can name", func(t *testing.T) {
		request := l.in(id("terminal"), "tty; test -t 0 && echo yes", func(c *slave.ContainerConfig) { c.ContainerInfo.TtyInfo = &mesosv1.TTYInfo{} })
		_, out, _ := l.run(request)
		assert.Equal(t, "/dev/console\r\nyes\r\n", out)
	})
}

func TestAContainerWithoutAnImage(t *testing.T) {
	l := newLinux(t)
	host := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(host, "file"), []byte("of the host\n"), 0o644))
	request := l.in(id("one"), "cat data/file; readlink /proc/self/cwd; cat /proc/1/comm; echo /proc/[0-9]* | wc -w; touch "+host+"/seen", func(c *slave.ContainerConfig) {
		c.ContainerInfo = &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), Volumes: []*mesosv1.Volume{
			{ContainerPath: proto.String("data"), HostPath: &host, Mode: mesosv1.Volume_RO.Enum()}}}
	})
	_, out, errs := l.run(request)
	lines := strings.Split(out, "\n")
	assert.Equal(t, []string{"of the host", request.Config.GetDirectory()}, lines[:2], errs)
	count, err := strconv.Atoi(lines[3])
	require.NoError(t, err)
	assert.Less(t, count, 6)
	assert.FileExists(t, filepath.Join(host, "seen"))
	assert.NoFileExists(t, filepath.Join(request.Config.GetDirectory(), "data", "file"), "the host sees an empty folder")
	l.nothingLeft()
}

// debug returns what a container of the class DEBUG writes until it ends.
func (l *linux) debug(request containers.LaunchRequest) string {
	l.t.Helper()
	l.launch(request)
	out := make(chan string, 100)
	require.NoError(l.t, l.engine.AttachOutput(l.ctx(), request.ID, func(r *agent.ProcessIO) {
		if r == nil {
			close(out)
			return
		}
		out <- string(r.GetData().GetData())
	}))
	all := ""
	for piece := range out {
		all += piece
	}
	return all
}

func TestContainersInContainers(t *testing.T) {
	l := newLinux(t)
	l.launch(l.in(id("one"), "echo of the parent >shared/file; echo $$ >shared/pid; exec sleep 112321", func(c *slave.ContainerConfig) {
		c.Resources = []*mesosv1.Resource{diskOf("v", "shared")}
		c.ContainerInfo.LinuxInfo = &mesosv1.LinuxInfo{EffectiveCapabilities: &mesosv1.CapabilityInfo{}}
	}))
	pid := strings.TrimSpace(func() string {
		var text []byte
		require.Eventually(t, func() bool {
			text, _ = os.ReadFile(filepath.Join(l.work, "volumes/roles/role/v/pid")) // nothing yet
			return strings.HasSuffix(string(text), "\n")
		}, limit, 5*time.Millisecond)
		return string(text)
	}())
	t.Run("in an image see the parent's processes and volumes, and a file system of their own", func(t *testing.T) {
		request := l.in(id("one", "two"), "cat /image shared/file; cat /proc/"+pid+"/cmdline; echo mine >/image; exit 2", func(c *slave.ContainerConfig) {
			c.ContainerInfo.Volumes = []*mesosv1.Volume{sandboxVolume("shared", "shared", mesosv1.Volume_Source_SandboxPath_PARENT)}
		})
		status, out, errs := l.run(request)
		assert.Equal(t, int32(2<<8), status)
		assert.Equal(t, "of the image\nof the parent\nsleep\x00112321\x00", out, errs)
	})
	t.Run("of the class DEBUG are in the parent's file system, with its privileges", func(t *testing.T) {
		request := l.request(id("one", "debug"), "cat /image; cat /mnt/mesos/sandbox/shared/file; readlink /proc/self/cwd; cat /proc/"+pid+"/cmdline; grep CapEff /proc/self/status")
		request.Config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
		all := l.debug(request)
		assert.Equal(t, "of the image\nof the parent\n/mnt/mesos/sandbox\nsleep\x00112321\x00CapEff:\t0000000000000000\n", all)
	})
	t.Run("of the class DEBUG in one of that class are there too", func(t *testing.T) {
		outer := l.request(id("one", "outer"), "exec sleep 612321")
		inner := l.request(id("one", "outer", "inner"), "cat /image; ls /home 2>&1 || echo no home")
		for _, request := range []containers.LaunchRequest{outer, inner} {
			request.Config.ContainerClass = slave.ContainerClass_DEBUG.Enum()
		}
		l.launch(outer)
		assert.Equal(t, "of the image\nls: cannot access '/home': No such file or directory\nno home\n", l.debug(inner))
		_, err := l.Destroy(l.ctx(), outer.ID)
		require.NoError(t, err)
	})
	t.Run("that lose a process end it all the same", func(t *testing.T) {
		l.launch(l.in(id("one", "three"), "(true; sleep 212321) & echo $! >pid; exec sleep 312321"))
		l.eventually(id("one", "three"), "pid")
		_, err := l.Destroy(l.ctx(), id("one", "three"))
		require.NoError(t, err)
		assert.Equal(t, 0, sleeping(t, "212321")+sleeping(t, "312321"))
		assert.Equal(t, 1, sleeping(t, "112321"), "the parent goes on")
	})
	t.Run("end with their parent", func(t *testing.T) {
		l.launch(l.in(id("one", "four"), "echo up >up; exec sleep 412321"))
		l.eventually(id("one", "four"), "up")
		_, err := l.Destroy(l.ctx(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, 0, sleeping(t, "112321")+sleeping(t, "412321"))
		l.nothingLeft()
	})
}

// sleeping counts the processes "sleep n" below this one.
func sleeping(t *testing.T, n string) (count int) {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range all {
		line, _ := os.ReadFile(path) // it may have ended
		if string(line) == "sleep\x00"+n+"\x00" {
			count++
		}
	}
	return count
}

func TestVolumesThatComeAndGo(t *testing.T) {
	l := newLinux(t)
	for about, change := range map[string]func(*slave.ContainerConfig){
		"in an image":      func(*slave.ContainerConfig) {},
		"without an image": func(c *slave.ContainerConfig) { c.ContainerInfo = nil },
	} {
		t.Run(about, func(t *testing.T) {
			one := &mesosv1.ContainerID{Value: proto.String(strings.ReplaceAll(about, " ", "-"))}
			l.launch(l.in(one, "while [ ! -d later ] || ! echo written >later/file || [ ! -e later/go ]; do sleep 0.01; done; echo seen >said; while [ -e later/go ]; do sleep 0.01; done; echo gone >said2", change))
			require.NoError(t, l.Update(l.ctx(), one, []*mesosv1.Resource{diskOf(about, "later")}, nil))
			volume := filepath.Join(l.work, "volumes/roles/role", about)
			require.NoError(t, os.WriteFile(filepath.Join(volume, "go"), nil, 0o600))
			l.eventually(one, "said")
			assert.FileExists(t, filepath.Join(volume, "file"))
			require.NoError(t, l.Update(l.ctx(), one, nil, nil))
			l.eventually(one, "said2")
			_, err := l.Wait(l.ctx(), one)
			require.NoError(t, err)
			l.nothingLeft()
		})
	}
}

func TestLinuxContainersGoOnWithoutTheAgent(t *testing.T) {
	l := newLinux(t)
	l.launch(l.in(id("one"), "while [ ! -e go ]; do sleep 0.01; done; cat /image; exit 6"))
	l.launch(l.in(id("lost"), "exec sleep 512321"))
	require.NoError(t, os.MkdirAll(filepath.Join(l.state, "containers", "container-half"), 0o700))
	stop(t, l.Service, l.engine)
	recovered := l.begin([]*slave.ContainerState{{ContainerId: id("one"), Pid: proto.Uint64(1), Directory: proto.String(filepath.Join(l.work, "one")),
		ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}, Command: &mesosv1.CommandInfo{}}}})
	require.Len(t, recovered.Containers, 1)
	require.Len(t, recovered.Orphans, 1)
	assert.NoDirExists(t, filepath.Join(l.state, "containers", "container-half"), "what a launch has left that was never finished")
	require.NoError(t, l.Update(l.ctx(), id("one"), []*mesosv1.Resource{diskOf("v", "later")}, nil))
	require.NoError(t, os.WriteFile(filepath.Join(l.work, "one", "go"), nil, 0o600))
	termination, err := l.Wait(l.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(6<<8), termination.GetStatus())
	assert.Equal(t, "of the image\n", l.output(id("one"), "stdout"))
	require.Eventually(t, func() bool { return len(l.Containers()) == 0 && sleeping(t, "512321") == 0 }, limit, 5*time.Millisecond)
	l.nothingLeft()
}

func TestAShimThatIsKilledTakesItsNamespaceAlong(t *testing.T) {
	l := newLinux(t)
	l.launch(l.in(id("one"), "(sleep 612321 &) ; echo up >up; exec sleep 712321"))
	l.eventually(id("one"), "up")
	status, err := l.Status(l.ctx(), id("one"))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(int(status.GetExecutorPid()), syscall.SIGKILL))
	_, err = l.Wait(l.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, 0, sleeping(t, "612321")+sleeping(t, "712321"))
	l.nothingLeft()
}
