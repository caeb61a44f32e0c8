package runc_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestAContainerInAnImage(t *testing.T) {
	b := newBench(t, nil)
	t.Run("sees the image's files, and its changes stay its own", func(t *testing.T) {
		c := b.container(containerID("files"), `cat /image; echo changed > /image; touch /new; cat /image; pwd; echo $MESOS_SANDBOX; ls /work /root 2>/dev/null; exit 3`)
		status, out := c.run()
		assert.Equal(t, int32(3<<8), status)
		assert.Equal(t, "shell\nchanged\n/mnt/mesos/sandbox\n/mnt/mesos/sandbox\n", strings.Replace(out, "shellchanged", "shell\nchanged", 1))
		_, out = b.container(containerID("again"), "cat /image; ls /new || echo unchanged").run()
		assert.Equal(t, "shellunchanged\n", out)
		b.isClean()
	})
	t.Run("has its system's files, and the host's names", func(t *testing.T) {
		c := b.container(containerID("system"), `ls -d /proc/self /dev/null /dev/pts /dev/shm /sys/class; echo x > /dev/null; cat /etc/hosts >/dev/null && echo hosts; cat /proc/kcore 2>/dev/null | grep -c .; echo x > /proc/sys/kernel/core_pattern || echo read-only`)
		_, out := c.run()
		assert.Equal(t, "/dev/null\n/dev/pts\n/dev/shm\n/proc/self\n/sys/class\nhosts\n0\nread-only\n", out, c.text("err"))
	})
	t.Run("has the rights that isolators give", func(t *testing.T) {
		c := b.container(containerID("rights"), `id -u; id -G; ulimit -Hn; grep -E "CapEff|CapBnd|NoNewPrivs" /proc/self/status`)
		require.NoError(t, os.Chmod(c.folder, 0o777))
		c.launch.User, c.launch.SupplementaryGroups = proto.String("nobody"), []uint32{4321}
		c.launch.NoNewPrivileges = proto.Bool(true)
		c.launch.EffectiveCapabilities = &mesosv1.CapabilityInfo{Capabilities: []mesosv1.CapabilityInfo_Capability{mesosv1.CapabilityInfo_CHOWN}}
		c.launch.BoundingCapabilities = &mesosv1.CapabilityInfo{Capabilities: []mesosv1.CapabilityInfo_Capability{mesosv1.CapabilityInfo_CHOWN, mesosv1.CapabilityInfo_KILL}}
		c.launch.Rlimits = &mesosv1.RLimitInfo{Rlimits: []*mesosv1.RLimitInfo_RLimit{
			{Type: mesosv1.RLimitInfo_RLimit_RLMT_NOFILE.Enum(), Soft: proto.Uint64(50), Hard: proto.Uint64(60)}}}
		_, out := c.run()
		assert.Contains(t, out, "65534\n65534 4321\n60\n")
		for _, line := range []string{"CapEff:\t0000000000000001", "CapBnd:\t0000000000000021", "NoNewPrivs:\t1"} {
			assert.Contains(t, out, line)
		}
	})
	t.Run("has the namespaces that isolators want, and no process outlives the first", func(t *testing.T) {
		c := b.container(containerID("namespaces"), `echo $$; setsid sleep 1001 & readlink /proc/self/ns/ipc; exit 2`)
		c.launch.CloneNamespaces = []int32{unix.CLONE_NEWPID, unix.CLONE_NEWIPC}
		status, out := c.run()
		assert.Equal(t, int32(2<<8), status)
		lines := strings.Split(out, "\n")
		assert.Equal(t, "1", lines[0])
		ours, err := os.Readlink("/proc/self/ns/ipc")
		require.NoError(t, err)
		assert.NotEqual(t, ours, lines[1])
		b.isClean()
	})
	t.Run("shares folders with others by volumes", func(t *testing.T) {
		c := b.container(containerID("volumes"), `echo inside > /data/file; cat /data/file`)
		data := t.TempDir()
		c.config.ContainerInfo.Volumes = []*mesosv1.Volume{{ContainerPath: proto.String("/data"), HostPath: &data, Mode: mesosv1.Volume_RW.Enum()}}
		_, out := c.run()
		assert.Equal(t, "inside\n", out, c.text("err"))
		assert.FileExists(t, filepath.Join(data, "file"))
	})
}

func TestAContainerWithTheHostsFiles(t *testing.T) {
	b := newBench(t, nil)
	c := b.container(containerID("host"), `ls -d `+b.state+`; pwd; readlink /dev/ptmx || echo none`)
	c.config.ContainerInfo = nil
	_, out := c.run()
	assert.Contains(t, out, b.state+"\n"+c.folder+"\n")
	info, err := os.Lstat("/dev/ptmx")
	require.NoError(t, err)
	if info.Mode()&os.ModeSymlink == 0 {
		assert.Contains(t, out, "none\n", "the runtime has left the host's devices as they are")
	}
	b.isClean()
}

func TestNestedContainers(t *testing.T) {
	b := newBench(t, nil)
	parent := b.container(containerID("parent"), "echo up; exec sleep 1000")
	parent.start()
	parent.await("up")
	t.Run("run in images of their own and share their parent's folders", func(t *testing.T) {
		c := b.container(containerID("parent", "child"), "echo shared > /shared/file; cat /image; exit 4")
		c.config.ContainerInfo.Volumes = []*mesosv1.Volume{{ContainerPath: proto.String("/shared"), Mode: mesosv1.Volume_RW.Enum(),
			Source: &mesosv1.Volume_Source{Type: mesosv1.Volume_Source_SANDBOX_PATH.Enum(), SandboxPath: &mesosv1.Volume_Source_SandboxPath{
				Type: mesosv1.Volume_Source_SandboxPath_PARENT.Enum(), Path: proto.String("common")}}}}
		status, out := c.run()
		assert.Equal(t, int32(4<<8), status)
		assert.Equal(t, "shell", out)
		assert.FileExists(t, filepath.Join(parent.folder, "common/file"))
		assert.NoDirExists(t, filepath.Join(b.folder(), "containers/parent/containers/child/upper"), "what it has written is gone")
		assert.FileExists(t, filepath.Join(b.folder(), "containers/parent/containers/child/termination"))
		require.NoError(t, b.Remove(t.Context(), c.id))
		assert.NoDirExists(t, filepath.Join(b.folder(), "containers/parent/containers/child"))
	})
	t.Run("are in their parent's control group", func(t *testing.T) {
		c := b.container(containerID("parent", "grouped"), "cat /proc/self/cgroup")
		_, out := c.run()
		assert.Contains(t, out, ":/"+b.parameters["cgroups_root"]+"/parent/parent+grouped\n")
	})
	t.Run("share namespaces that their parent has for itself", func(t *testing.T) {
		own := b.container(containerID("own"), "echo up; readlink /proc/self/ns/ipc; exec sleep 1000")
		own.launch.CloneNamespaces = []int32{unix.CLONE_NEWIPC, unix.CLONE_NEWPID}
		own.start()
		own.await("up")
		child := b.container(containerID("own", "child"), "echo up; readlink /proc/self/ns/ipc")
		_, out := child.run()
		eventually(t, func() bool { return own.text("out") == out })
		together := b.container(containerID("own", "together"), "ls /proc | grep -c '^1$'; cat /proc/1/cmdline")
		together.launch.EnterNamespaces = []int32{unix.CLONE_NEWPID}
		_, out = together.run()
		assert.Contains(t, out, "sleep\x001000")
		own.destroy()
		assert.Equal(t, int32(syscall.SIGKILL), own.end().GetStatus())
	})
	parent.destroy()
	assert.Equal(t, int32(syscall.SIGKILL), parent.end().GetStatus())
	b.isClean()
}

func TestSupports(t *testing.T) {
	b := newBench(t, map[string]string{"containers": "images"})
	docker := &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_DOCKER.Enum()}
	appc := inImage("")
	appc.Mesos.Image = &mesosv1.Image{Type: mesosv1.Image_APPC.Enum(), Appc: &mesosv1.Image_Appc{Name: proto.String("shell:1")}}
	for name, one := range map[string]struct {
		id   *mesosv1.ContainerID
		info *mesosv1.ContainerInfo
		want bool
	}{
		"an image":                     {containerID("c"), inImage("shell:1"), true},
		"an appc image":                {containerID("c"), appc, true},
		"an image that is not there":   {containerID("c"), inImage("shell:2"), false},
		"an image that leads out":      {containerID("c"), inImage("../shell:1"), true}, // which Launch refuses with a reason
		"no image":                     {containerID("c"), nil, false},
		"no image in a container":      {containerID("p", "c"), nil, true},
		"a Docker container":           {containerID("c"), docker, false},
		"another image in a container": {containerID("p", "c"), inImage("other"), false},
	} {
		t.Run(name, func(t *testing.T) {
			c := b.container(one.id, "true")
			c.config.ContainerInfo = one.info
			got, err := b.Supports(t.Context(), c.id, c.config)
			require.NoError(t, err)
			assert.Equal(t, one.want, got)
		})
	}
}
