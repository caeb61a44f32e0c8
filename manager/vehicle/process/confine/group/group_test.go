package group_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine/group"
)

// play makes this test binary do something else.
const play = "MMS_TEST_PLAY"

func TestMain(m *testing.M) {
	switch os.Getenv(play) {
	case "":
		os.Exit(m.Run())
	case "make and stay":
		g, err := group.Make(group.Limits{Memory: 64 << 20, CPUs: 1})
		fmt.Println(g.Doors(), err)
		select {}
	case "ask":
		fmt.Println(group.Available(group.Limits{CPUs: 1}))
	}
}

func TestGroup(t *testing.T) {
	cgroupstest.Need(t)
	l := group.Limits{Memory: 64 << 20, CPUs: 0.5}
	require.NoError(t, group.Available(l))
	g, err := group.Make(l)
	require.NoError(t, err)
	t.Cleanup(g.Clear)
	doors := g.Doors()
	require.Len(t, doors, 2)
	read := func(folder, file string) string {
		text, err := os.ReadFile(filepath.Join(folder, file))
		require.NoError(t, err)
		return strings.TrimSpace(string(text))
	}
	memory, cpu := filepath.Dir(doors[0]), filepath.Dir(doors[1])

	t.Run("has its limits", func(t *testing.T) {
		assert.Equal(t, "67108864", read(memory, "memory.limit_in_bytes"))
		assert.Equal(t, "67108864", read(memory, "memory.memsw.limit_in_bytes"))
		assert.Equal(t, "50000", read(cpu, "cpu.cfs_quota_us"))
		assert.Equal(t, "100000", read(cpu, "cpu.cfs_period_us"))
		assert.False(t, g.Starved())
	})
	t.Run("goes with whoever is in it, and can be told twice", func(t *testing.T) {
		cmd := exec.Command("sleep", "3600")
		require.NoError(t, cmd.Start())
		for _, door := range doors {
			require.NoError(t, os.WriteFile(door, fmt.Append(nil, cmd.Process.Pid), 0))
		}
		g.Clear()
		g.Clear()
		assert.ErrorContains(t, cmd.Wait(), "killed")
		assert.NoDirExists(t, memory)
		assert.NoDirExists(t, cpu)
	})
}

func TestStale(t *testing.T) {
	cgroupstest.Need(t)
	daemon := exec.Command("/proc/self/exe")
	daemon.Env = append(os.Environ(), play+"=make and stay")
	out, err := daemon.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, daemon.Start())
	var memory, cpu string
	_, err = fmt.Fscan(out, &memory, &cpu)
	require.NoError(t, err)
	memory, cpu = filepath.Dir(strings.Trim(memory, "[]")), filepath.Dir(strings.Trim(cpu, "[]"))
	require.DirExists(t, memory)
	left := exec.Command("sleep", "3600")
	left.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	require.NoError(t, left.Start())
	require.NoError(t, os.WriteFile(filepath.Join(memory, "cgroup.procs"), fmt.Append(nil, left.Process.Pid), 0))

	remake := func() {
		g, err := group.Make(group.Limits{Memory: 64 << 20, CPUs: 1})
		require.NoError(t, err)
		g.Clear()
	}
	remake()
	assert.DirExists(t, memory, "its daemon lives")
	require.NoError(t, daemon.Process.Kill())
	require.Error(t, daemon.Wait())
	remake()
	assert.NoDirExists(t, memory)
	assert.NoDirExists(t, cpu)
	assert.ErrorContains(t, left.Wait(), "killed")
}

func TestNotOurs(t *testing.T) {
	cgroupstest.Need(t)
	g, err := group.Make(group.Limits{CPUs: 1})
	require.NoError(t, err)
	defer g.Clear()
	base := filepath.Dir(filepath.Dir(g.Doors()[0]))
	for _, name := range []string{"mms-process-", "mms-process-1-2-3", "mms-process-1-99999999-3-X", "mms-process-x-y-z-X"} {
		dir := filepath.Join(base, name)
		require.NoError(t, os.Mkdir(dir, 0o755))
		t.Cleanup(func() { assert.NoError(t, os.Remove(dir)) })
	}
	again, err := group.Make(group.Limits{CPUs: 1})
	require.NoError(t, err)
	defer again.Clear()
	assert.DirExists(t, filepath.Join(base, "mms-process-1-99999999-3-X"), "of other numbers nothing is known")
}

func TestNotAvailable(t *testing.T) {
	privileged.Root(t, "this is tried as another user")
	cgroupstest.Need(t)
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), play+"=ask")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54321, Gid: 54321}}
	out, err := cmd.CombinedOutput()
	assert.NoError(t, err)
	assert.Equal(t, "the daemon may not make groups in /sys/fs/cgroup/cpu (permission denied)\n", string(out))
}
