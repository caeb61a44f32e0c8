package spawn_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	"github.com/mesos-modules/mms/manager/vehicle/process/spawn"
)

// said plays a part to its end and returns what it has printed.
func said(t *testing.T, c vehicle.Confinement, part string, args ...string) []string {
	t.Helper()
	p, h := play(t, c, part, args...)
	e := end(t, p)
	require.Equal(t, "exit status 0", e.detail, "%q", h.all())
	var all []string
	for _, line := range h.all() {
		all = append(all, strings.TrimPrefix(line, "stdout: "))
	}
	return all
}

func TestMemory(t *testing.T) {
	cgroupstest.Need(t)
	c := vehicle.Confinement{Memory: 64 << 20}
	t.Run("within its limit it lives", func(t *testing.T) {
		assert.Equal(t, []string{"ate 16"}, said(t, c, "eat", "16"))
	})
	t.Run("above it ends, and that is said", func(t *testing.T) {
		p, h := play(t, c, "eat", "512")
		e := end(t, p)
		assert.Equal(t, vehicle.EndMemory, e.end, "%q", h.all())
		assert.Equal(t, "over its memory of 64MB (signal SIGKILL)", e.detail)
		assert.Empty(t, h.all())
	})
	t.Run("a killed one was not over it", func(t *testing.T) {
		p, _ := play(t, c, "die", "9")
		assert.Equal(t, ending{vehicle.EndSignaled, "signal SIGKILL", ""}, end(t, p))
	})
}

func TestCPUs(t *testing.T) {
	cgroupstest.Need(t)
	lines := said(t, vehicle.Confinement{CPUs: 0.2}, "spin")
	require.Len(t, lines, 1)
	ms, err := strconv.Atoi(strings.TrimPrefix(lines[0], "spun "))
	require.NoError(t, err)
	assert.Less(t, ms, 500, "of a second, on a fifth of a processor")
}

func TestControlGroupsGo(t *testing.T) {
	cgroupstest.Need(t)
	p, h := play(t, vehicle.Confinement{Memory: 64 << 20}, "leave", "session", "clean")
	left := h.wait(t, "stdout: left ")
	folder := memoryGroup(t, left)
	require.DirExists(t, folder)
	require.Contains(t, folder, "mms-process-")
	held := hold(t, left)

	p.Kill(vehicle.EndClosed, "")
	over(t, p.Cleared())
	assert.NoDirExists(t, folder)
	assertGone(t, held) // though it has a group and a session of its own, and another environment
}

// memoryGroup is the control group of a process, empty where there are none of version 1.
func memoryGroup(t *testing.T, pid string) string {
	t.Helper()
	in, err := os.ReadFile("/proc/" + pid + "/cgroup")
	require.NoError(t, err)
	for line := range strings.Lines(string(in)) {
		if _, path, ok := strings.Cut(strings.TrimSpace(line), ":memory:"); ok {
			return filepath.Join(cgroupstest.Mount, "memory", path)
		}
	}
	return ""
}

func TestOpenFiles(t *testing.T) {
	lines := said(t, vehicle.Confinement{OpenFiles: 64}, "open")
	require.Len(t, lines, 1)
	var n int
	_, err := fmt.Sscanf(lines[0], "opened %d too many open files", &n)
	require.NoError(t, err, lines)
	assert.InDelta(t, 58, n, 6)
}

func TestNoCore(t *testing.T) {
	assert.Equal(t, []string{"core done"}, said(t, vehicle.Confinement{OpenFiles: 64}, "try", "core"))
}

func TestUser(t *testing.T) {
	privileged.Root(t, "only root runs processes as somebody else")
	groups, err := syscall.Getgroups()
	require.NoError(t, err)
	require.NoError(t, syscall.Setgroups([]int{4, 24}))
	t.Cleanup(func() { require.NoError(t, syscall.Setgroups(groups)) })
	lines := said(t, vehicle.Confinement{User: "nobody"}, "show")
	for _, want := range []string{"Uid:\t65534\t65534\t65534\t65534", "Gid:\t65534\t65534\t65534\t65534", "Groups:\t", "CapEff:\t0000000000000000", "NoNewPrivs:\t0"} {
		assert.Contains(t, trimmed(lines), "status "+want)
	}
	lines = said(t, vehicle.Confinement{User: "12345:23456", NoNewPrivileges: true}, "show")
	for _, want := range []string{"Uid:\t12345\t12345\t12345\t12345", "Gid:\t23456\t23456\t23456\t23456", "NoNewPrivs:\t1"} {
		assert.Contains(t, trimmed(lines), "status "+want)
	}
}

func trimmed(lines []string) []string {
	var all []string
	for _, line := range lines {
		// A tab is no printable character.
		key, value, _ := strings.Cut(line, ":")
		all = append(all, key+":\t"+strings.Join(strings.Fields(value), "\t"))
	}
	return all
}

func TestSystemCalls(t *testing.T) {
	all := []string{"self", "parent", "mount", "ptrace", "bpf", "reboot", "keyctl", "unshare", "clone", "clone3", "files", "pair", "socket", "exec", "execveat"}
	for _, c := range []struct {
		set  string
		want []string
	}{
		{"default", []string{
			"self done", "parent EPERM", "mount EPERM", "ptrace EPERM", "bpf EPERM", "reboot EPERM", "keyctl EPERM", "unshare EPERM", "clone EPERM", "clone3 ENOSYS",
			"files done", "pair done", "socket done", "exec done",
		}},
		{"compute", []string{
			"self done", "parent EPERM", "mount EPERM", "ptrace EPERM", "bpf EPERM", "reboot EPERM", "keyctl EPERM", "unshare EPERM", "clone EPERM", "clone3 ENOSYS",
			"files done", "pair done", "socket EPERM", "exec EPERM", "execveat EPERM",
		}},
	} {
		t.Run(c.set, func(t *testing.T) {
			assert.Equal(t, c.want, said(t, vehicle.Confinement{Seccomp: c.set}, "try", all[:len(c.want)]...))
			assert.Contains(t, trimmed(said(t, vehicle.Confinement{Seccomp: c.set}, "show")), "status NoNewPrivs:\t1")
		})
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	read, write, secret := filepath.Join(dir, "read"), filepath.Join(dir, "write"), filepath.Join(dir, "secret")
	for _, d := range []string{read, write, secret} {
		require.NoError(t, os.Mkdir(d, 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(d, "file"), []byte("text"), 0o644))
	}
	c := vehicle.Confinement{ReadOnly: []string{read}, ReadWrite: []string{write}}
	if errs := confine.Check(c); len(errs) > 0 {
		assert.ErrorContains(t, errs[0], "landlock", "this kernel has none, and says so")
		return
	}
	assert.Equal(t, []string{
		"read " + read + " done", "write " + read + " EACCES",
		"read " + read + "/file done", "write " + read + "/file EACCES",
		"read " + write + " done", "write " + write + " done",
		"read " + write + "/file done", "write " + write + "/file done",
		"read " + secret + " EACCES", "write " + secret + " EACCES",
		"read " + secret + "/file EACCES", "write " + secret + "/file EACCES",
		"read /etc/passwd EACCES", "write /etc/passwd EACCES",
		"read /dev/null done", "write /dev/null done",
	}, said(t, c, "files", read, read+"/file", write, write+"/file", secret, secret+"/file", "/etc/passwd", "/dev/null"))
	assert.Equal(t, []string{"kill EPERM", "exec done"}, said(t, c, "try", "kill", "exec"), "signals to the daemon")
}

func TestAllAtOnce(t *testing.T) {
	cgroupstest.Need(t)
	dir, err := os.MkdirTemp("", "all-at-once") // others may go there
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(dir)) })
	require.NoError(t, os.Chown(dir, 65534, 65534))
	c := vehicle.Confinement{Memory: 128 << 20, CPUs: 1, OpenFiles: 64, User: "nobody:nogroup", NoNewPrivileges: true, Seccomp: "compute", ReadWrite: []string{dir}}
	assert.Equal(t, []string{"read " + dir + " done", "write " + dir + " done", "read /proc/self/status EACCES", "write /proc/self/status EACCES"},
		said(t, c, "files", dir, "/proc/self/status"))
}

// TestCallsOf32Bits tries the kernel's second door: there a program finds the same calls
// under other numbers.
func TestCallsOf32Bits(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		assert.NotEqual(t, "amd64", runtime.GOARCH, "only this machine has it")
		return
	}
	source, path := filepath.Join(t.TempDir(), "main.c"), filepath.Join(t.TempDir(), "program")
	require.NoError(t, os.WriteFile(source, []byte(`
int main(void) {
	int r;
	__asm__ volatile("int $0x80" : "=a"(r) : "0"(20) : "memory", "r8", "r9", "r10", "r11"); /* getpid */
	return r == -38 ? 38 : 1;
}`), 0o644))
	out, err := exec.Command("gcc", "-o", path, source).CombinedOutput()
	require.NoError(t, err, "%s", out)
	p := start(t, spawn.Spec{Image: open(t, look(t, path)), Confinement: vehicle.Confinement{Seccomp: "default"}})
	assert.Equal(t, "exit status 38", end(t, p).detail, "ENOSYS")
}

// TestWithoutControlGroups has a daemon be a user who may make none.
func TestWithoutControlGroups(t *testing.T) {
	privileged.Root(t, "this is tried as another user")
	folder, err := os.MkdirTemp("", "poor") // others may go there
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755))
	source, path := filepath.Join(folder, "main.cpp"), filepath.Join(folder, "program")
	require.NoError(t, os.WriteFile(source, []byte(`
#include <cstdlib>
#include <cstring>
int main(int, char** argv) {
	for (int n = std::atoi(argv[1]); n > 0; n--) std::memset(new char[1 << 20], 1, 1 << 20);
}`), 0o644))
	out, err := exec.Command("g++", "-O0", "-o", path, source).CombinedOutput()
	require.NoError(t, err, "%s", out)

	cmd := exec.Command("/proc/self/exe", victim, "poor", path)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	out, err = cmd.Output()
	require.NoError(t, err, "%s", out)
	lines := strings.Split(strings.TrimSpace(string(out)), "\n")
	require.Len(t, lines, 5, "%s", out)
	assert.Equal(t, "within: exited (exit status 0)", lines[0])
	assert.Equal(t, "above: memory (over its memory of 256MB (signal SIGABRT))", lines[1])
	assert.Contains(t, lines[2], "cpus: only a control group limits processors, and none can be made here")
	assert.Contains(t, lines[3], "memory: without control groups what counts is the memory that a process asks for and not what it uses, and 67108864 bytes are not enough")
	assert.Contains(t, lines[4], "user: only root runs processes as somebody else, and the daemon is the user 54321; run the daemon as root, or leave the user out")
}

// bePoor starts a program with limits as a user who is not root.
func bePoor(args []string) int {
	f, err := file.Look(args[0], file.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	image, err := spawn.Open(f)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	for _, what := range []struct{ name, blocks string }{{"within", "16"}, {"above", "2048"}} {
		p, err := spawn.Start(ctx, spawn.Spec{Image: image, Name: "victim", Args: []string{what.blocks}, Confinement: vehicle.Confinement{Memory: 256 << 20}})
		if err != nil {
			fmt.Println(err)
			return 1
		}
		<-p.Cleared()
		e, detail, _ := p.End()
		fmt.Printf("%s: %v (%s)\n", what.name, e, detail)
	}
	for _, c := range []vehicle.Confinement{{CPUs: 1}, {Memory: 64 << 20}, {User: "root"}} {
		_, err := spawn.Start(ctx, spawn.Spec{Image: image, Name: "victim", Confinement: c})
		fmt.Println(err)
	}
	return 0
}
