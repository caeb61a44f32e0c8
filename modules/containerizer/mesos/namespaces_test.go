package mesos_test

import (
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

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/testimage"
)

// mount is one that an isolator wants.
func mount(target, source, kind, options string, flags uint32) *slave.ContainerMountInfo {
	return &slave.ContainerMountInfo{Target: &target, Source: &source, Type: &kind, Options: &options, Flags: &flags}
}

// image makes a root file system for the test.
func image(t *testing.T) string {
	testimage.Root(t)
	folder := filepath.Join(t.TempDir(), "rootfs")
	testimage.Make(t, folder, "of the test")
	return folder
}

func TestRootFileSystem(t *testing.T) {
	b := newBench(t)
	t.Run("the command sees its root and nothing of the host's", func(t *testing.T) {
		root := image(t)
		status, out, errs := b.run(containerID("root"), "cat /image; ls /; ls /proc/self/root/../..; cat /proc/self/mountinfo | grep -c host", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
			l.Rootfs, l.WorkingDirectory = &root, proto.String("/tmp")
			l.Mounts = []*slave.ContainerMountInfo{mount(root+"/proc", "", "proc", "", unix.MS_NOSUID)}
		})
		assert.Equal(t, "of the testbin\netc\nimage\nlib\nlib64\nproc\ntmp\nbin\netc\nimage\nlib\nlib64\nproc\ntmp\n0\n", out, errs)
		assert.Equal(t, int32(256), status, "grep finds nothing")
		assert.NotContains(t, read(t, "/proc/self", "mountinfo"), root, "nothing leaks to the host")
	})
	t.Run("mounts, masks and operations, in their order", func(t *testing.T) {
		root := image(t)
		host := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(host, "file"), []byte("of the host"), 0o600))
		require.NoError(t, os.Symlink("/etc", filepath.Join(root, "link")))
		status, out, errs := b.run(containerID("mounts"), strings.Join([]string{
			"cat /data/file", "touch /data/new", "touch /ro/new 2>&1", "cat /etc/made/file", "ls /masked", "cat /secret", "cat /there", "cat /renamed", "ls -d /a/b/c",
		}, "; "), func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			require.NoError(t, os.Mkdir(root+"/masked", 0o755))
			require.NoError(t, os.WriteFile(root+"/masked/seen", nil, 0o644))
			require.NoError(t, os.WriteFile(root+"/secret", []byte("secret"), 0o644))
			require.NoError(t, os.WriteFile(root+"/named", []byte("!"), 0o644))
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
			l.Rootfs, l.WorkingDirectory = &root, proto.String("/tmp")
			l.Mounts = []*slave.ContainerMountInfo{
				mount(root+"/data", host, "", "", unix.MS_BIND),
				mount(root+"/ro", host, "", "", unix.MS_BIND|unix.MS_REC|unix.MS_RDONLY),
				mount(root+"/link/made", host, "", "", unix.MS_BIND),
			}
			l.MaskedPaths = []string{root + "/masked", root + "/secret", root + "/absent"}
			l.FileOperations = []*slave.ContainerFileOperation{
				{Operation: slave.ContainerFileOperation_SYMLINK.Enum(), Parameters: &slave.ContainerFileOperation_Symlink_{
					Symlink: &slave.ContainerFileOperation_Symlink{Source: proto.String("data/file"), Target: proto.String(root + "/there")}}},
				{Operation: slave.ContainerFileOperation_RENAME.Enum(), Parameters: &slave.ContainerFileOperation_Rename_{
					Rename: &slave.ContainerFileOperation_Rename{Source: proto.String(root + "/named"), Target: proto.String(root + "/renamed")}}},
				{Operation: slave.ContainerFileOperation_MKDIR.Enum(), Parameters: &slave.ContainerFileOperation_Mkdir_{
					Mkdir: &slave.ContainerFileOperation_Mkdir{Target: proto.String(root + "/a/b/c"), Recursive: proto.Bool(true)}}},
			}
		})
		assert.Zero(t, status)
		assert.Equal(t, "of the hosttouch: cannot touch '/ro/new': Read-only file system\nof the hostof the host!/a/b/c\n", out, errs)
		assert.FileExists(t, filepath.Join(host, "new"))
		assert.NoDirExists(t, "/etc/made", "the link of the image leads to a folder of the image")
	})
	t.Run("what cannot be mounted is named, and nothing runs", func(t *testing.T) {
		root := image(t)
		for says, m := range map[string]*slave.ContainerMountInfo{
			"Failed to mount /gone/away at " + root + "/data: open /gone/away: no such file": mount(root+"/data", "/gone/away", "", "", unix.MS_BIND),
			"Failed to mount unheard at ":             mount(root+"/data", "", "unheard", "", 0),
			"at " + root + "/image: it has no type":   mount(root+"/image", "", "", "", 0),
			"at /no/such: open /no/such: no such":     mount("/no/such", "/tmp", "", "", unix.MS_BIND),
			"at " + root + "/loop: open":              mount(root+"/loop", "/tmp", "", "", unix.MS_BIND),
			"make " + root + "/dangling: a link that": mount(root+"/dangling", "/tmp", "", "", unix.MS_BIND),
		} {
			_ = os.Symlink("loop", root+"/loop")        // there from the
			_ = os.Symlink("nowhere", root+"/dangling") // second on
			status, out, errs := b.run(containerID("fails"), "echo ran", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
				l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
				l.Rootfs, l.WorkingDirectory, l.Mounts = &root, proto.String("/tmp"), []*slave.ContainerMountInfo{m}
			})
			assert.Equal(t, int32(256), status)
			assert.Empty(t, out)
			assert.Contains(t, errs, says)
		}
	})
	t.Run("links in a sandbox lead nowhere else", func(t *testing.T) {
		host := t.TempDir()
		_, out, errs := b.run(containerID("sandbox"), "ls away/; ls "+host, func(c *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			require.NoError(t, os.Mkdir(filepath.Join(c.GetDirectory(), "source"), 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(c.GetDirectory(), "source/file"), nil, 0o644))
			require.NoError(t, os.Symlink(host, filepath.Join(c.GetDirectory(), "away")))
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS}
			l.Mounts = []*slave.ContainerMountInfo{mount(c.GetDirectory()+"/away", c.GetDirectory()+"/source", "", "", unix.MS_BIND)}
		})
		assert.Empty(t, out, "the host's folder is not mounted on")
		assert.Contains(t, errs, "a link that leads nowhere")
	})
}

func TestPidNamespace(t *testing.T) {
	b := newBench(t)
	testimage.Root(t)
	proc := func(l *slave.ContainerLaunchInfo) {
		l.Mounts = []*slave.ContainerMountInfo{mount("/proc", "", "proc", "", unix.MS_NOSUID)}
	}
	t.Run("the shim is the first process and reaps", func(t *testing.T) {
		status, out, errs := b.run(containerID("pid"), "cat /proc/1/comm; (true & true & true); readlink /proc/self; echo /proc/[0-9]*; exit 3", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS, unix.CLONE_NEWPID}
			proc(l)
		})
		assert.Equal(t, int32(3<<8), status)
		lines := strings.Split(out, "\n")
		assert.Equal(t, "mesos-container", lines[0], errs)
		assert.Contains(t, strings.Fields(lines[2]), "/proc/1")
		assert.LessOrEqual(t, len(strings.Fields(lines[2])), 6, "only its own")
	})
	t.Run("a signal ends the command, and its status is told", func(t *testing.T) {
		status, _, _ := b.run(containerID("killed"), "kill -9 $$", func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.CloneNamespaces = []int32{unix.CLONE_NEWNS, unix.CLONE_NEWPID}
			proc(l)
		})
		assert.Equal(t, int32(9), status)
	})
}

func TestCapabilities(t *testing.T) {
	b := newBench(t)
	testimage.Root(t)
	set := func(all ...mesosv1.CapabilityInfo_Capability) *mesosv1.CapabilityInfo {
		return &mesosv1.CapabilityInfo{Capabilities: all}
	}
	const show = "grep Cap /proc/self/status"
	for about, c := range map[string]struct {
		user                string
		effective, bounding *mesosv1.CapabilityInfo
		want                string // inheritable, permitted, effective, bounding, ambient
	}{
		"root has what the bounding set holds":         {"root", nil, set(mesosv1.CapabilityInfo_CHOWN, mesosv1.CapabilityInfo_KILL), "0 21 21 21 0"},
		"root has none":                                {"root", set(), set(), "0 0 0 0 0"},
		"somebody else has none":                       {"nobody", nil, set(mesosv1.CapabilityInfo_CHOWN), "0 0 0 1 0"},
		"somebody else has what is given":              {"nobody", set(mesosv1.CapabilityInfo_NET_RAW), set(mesosv1.CapabilityInfo_NET_RAW), "2000 2000 2000 2000 2000"},
		"somebody else has less than the bounding set": {"nobody", set(mesosv1.CapabilityInfo_CHOWN), set(mesosv1.CapabilityInfo_CHOWN, mesosv1.CapabilityInfo_KILL), "1 1 1 21 1"},
	} {
		t.Run(about, func(t *testing.T) {
			_, out, errs := b.run(containerID("capabilities"), show, func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
				l.User, l.WorkingDirectory = proto.String(c.user), proto.String("/")
				l.EffectiveCapabilities, l.BoundingCapabilities = c.effective, c.bounding
			})
			var got []string
			for line := range strings.Lines(out) {
				_, hex, _ := strings.Cut(line, ":")
				if hex = strings.TrimLeft(strings.TrimSpace(hex), "0"); hex == "" {
					hex = "0"
				}
				got = append(got, hex)
			}
			assert.Equal(t, c.want, strings.Join(got, " "), errs)
		})
	}
	t.Run("what the agent does not have is named", func(t *testing.T) {
		status, _, errs := b.run(containerID("missing"), show, func(_ *slave.ContainerConfig, l *slave.ContainerLaunchInfo) {
			l.EffectiveCapabilities = set(mesosv1.CapabilityInfo_Capability(1063))
		})
		assert.Equal(t, int32(256), status)
		assert.Contains(t, errs, "the agent does not have them itself: capability 63")
	})
}

func TestAShimThatIsKilledInAnImage(t *testing.T) {
	b := newBench(t)
	root := image(t)
	folder := t.TempDir()
	config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("(sleep 81231 &); echo up >/sandbox/up; exec sleep 81232")}}
	id := containerID("orphans")
	pid, err := b.Launch(t.Context(), id, config, &slave.ContainerLaunchInfo{
		CloneNamespaces: []int32{unix.CLONE_NEWNS}, Rootfs: &root, WorkingDirectory: proto.String("/sandbox"),
		Mounts: []*slave.ContainerMountInfo{mount(root+"/sandbox", folder, "", "", unix.MS_BIND),
			mount(root+"/dev/null", "/dev/null", "", "", unix.MS_BIND)}, // the shell wants it for what runs behind
		Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
			{Name: proto.String("PATH"), Value: proto.String("/bin")}, {Name: proto.String("MESOS_SANDBOX"), Value: proto.String("/sandbox")}}},
	}, nil)
	require.NoError(t, err)
	ended := make(chan *slave.ContainerTermination, 1)
	require.NoError(t, b.Watch(t.Context(), id, func(t *slave.ContainerTermination) { ended <- t }))
	require.NoError(t, b.Start(t.Context(), id))
	require.Eventually(t, func() bool { return text(folder, "up") != "" && sleeps(t, "81231") && sleeps(t, "81232") }, limit, time.Millisecond)
	require.NoError(t, syscall.Kill(int(pid), syscall.SIGKILL))
	<-ended
	for _, n := range []string{"81231", "81232"} {
		require.Eventually(t, func() bool { return !sleeps(t, n) }, limit, time.Millisecond, n)
	}
	require.NoError(t, b.Destroy(t.Context(), id))
}

// sleeps says whether there is a process "sleep n".
func sleeps(t *testing.T, n string) bool {
	all, err := filepath.Glob("/proc/[0-9]*/cmdline")
	require.NoError(t, err)
	for _, path := range all {
		if line, _ := os.ReadFile(path); string(line) == "sleep\x00"+n+"\x00" { // it may have ended
			return true
		}
	}
	return false
}

// Each step of a launch can be the one in which a container is destroyed.
func TestDestroyedInEachStep(t *testing.T) {
	b := newBench(t)
	root := image(t)
	wait := &mesosv1.CommandInfo{Value: proto.String("echo here >&2; exec sleep 81233")}
	for about, step := range map[string]struct {
		begins bool // the shim is told what to run
		change func(*slave.ContainerLaunchInfo)
		says   string
	}{
		"held":                 {},
		"its mounts":           {begins: true, change: func(l *slave.ContainerLaunchInfo) { l.Mounts = many(root) }},
		"a command before":     {begins: true, change: func(l *slave.ContainerLaunchInfo) { l.PreExecCommands = []*mesosv1.CommandInfo{wait} }, says: "here"},
		"the command":          {begins: true, change: func(l *slave.ContainerLaunchInfo) { l.Command = wait }, says: "here"},
		"as soon as it begins": {begins: true},
	} {
		t.Run(about, func(t *testing.T) {
			folder := t.TempDir()
			launch := &slave.ContainerLaunchInfo{CloneNamespaces: []int32{unix.CLONE_NEWNS, unix.CLONE_NEWPID}, Rootfs: &root, WorkingDirectory: proto.String("/"),
				Command:     &mesosv1.CommandInfo{Value: proto.String("true")},
				Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("PATH"), Value: proto.String("/bin")}}}}
			if step.change != nil {
				step.change(launch)
			}
			id := containerID("destroyed")
			_, err := b.Launch(t.Context(), id, &slave.ContainerConfig{Directory: &folder, CommandInfo: launch.Command}, launch, &slave.ContainerIO{
				Err: &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(filepath.Join(folder, "stderr"))}})
			require.NoError(t, err)
			if step.begins {
				require.NoError(t, b.Start(t.Context(), id))
			}
			if step.says != "" {
				require.Eventually(t, func() bool { return strings.Contains(text(folder, "stderr"), step.says) }, limit, time.Millisecond)
			}
			require.NoError(t, b.Destroy(t.Context(), id))
			require.NoError(t, b.End(t.Context(), id, &slave.ContainerTermination{}))
			assert.False(t, sleeps(t, "81233"))
			assert.NotContains(t, read(t, "/proc/self", "mountinfo"), root)
		})
	}
}

// many are mounts that take a while.
func many(root string) (all []*slave.ContainerMountInfo) {
	for range 300 {
		all = append(all, mount(root+"/tmp/a/b/c", "", "tmpfs", "size=4k", 0))
	}
	return all
}

// What enters a container may come before that has its root.
func TestWhoEntersTooEarlyWaits(t *testing.T) {
	b := newBench(t)
	root := image(t)
	folder := t.TempDir()
	config := &slave.ContainerConfig{Directory: &folder, CommandInfo: &mesosv1.CommandInfo{Value: proto.String("exec sleep 81234")}}
	path := &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("PATH"), Value: proto.String("/bin:/usr/bin")}}}
	_, err := b.Launch(t.Context(), containerID("early"), config, &slave.ContainerLaunchInfo{
		CloneNamespaces: []int32{unix.CLONE_NEWNS}, Rootfs: &root, WorkingDirectory: proto.String("/"), Environment: path,
		PreExecCommands: []*mesosv1.CommandInfo{{Value: proto.String("while [ ! -e " + folder + "/go ]; do sleep 0.01; done")}},
	}, nil)
	require.NoError(t, err)
	require.NoError(t, b.Start(t.Context(), containerID("early")))
	debug := containerID("early", "debug")
	_, err = b.Launch(t.Context(), debug, &slave.ContainerConfig{Directory: &folder, ContainerClass: slave.ContainerClass_DEBUG.Enum(),
		CommandInfo: &mesosv1.CommandInfo{Value: proto.String("ls " + folder + " && exit 3; cat /image && exit 4")}},
		&slave.ContainerLaunchInfo{EnterNamespaces: []int32{unix.CLONE_NEWNS}}, nil)
	require.NoError(t, err)
	ended := make(chan *slave.ContainerTermination, 1)
	require.NoError(t, b.Watch(t.Context(), debug, func(t *slave.ContainerTermination) { ended <- t }))
	require.NoError(t, b.Start(t.Context(), debug))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "go"), nil, 0o600))
	require.NoError(t, b.AttachOutput(t.Context(), debug, func(*agent.ProcessIO) {})) // output waits for somebody
	assert.Equal(t, int32(4<<8), (<-ended).GetStatus(), "the image is there, and the host is not")
	require.NoError(t, b.Destroy(t.Context(), debug))
	require.NoError(t, b.Destroy(t.Context(), containerID("early")))
}
