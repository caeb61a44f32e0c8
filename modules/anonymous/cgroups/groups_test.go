package cgroups_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	lib "github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/modules/anonymous/cgroups"
)

// id is a container's, a nested one's with its parents first.
func id(names ...string) *mesosv1.ContainerID {
	var out *mesosv1.ContainerID
	for _, name := range names {
		out = &mesosv1.ContainerID{Value: &name, Parent: out}
	}
	return out
}

// provided is ready for use, with a root group of the test's.
func provided(t *testing.T, root string) *cgroups.Groups {
	t.Helper()
	g := cgroups.ForTest(root)
	require.NoError(t, g.Provide("cpu", "cpuacct", "memory", "pids"))
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	return g
}

// shell runs a script that says a line when it is ready.
func shell(t *testing.T, script string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("sh", "-c", script)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Process.Kill() // it should be gone
		_ = cmd.Wait()         // and this says so
	})
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	cmd.Stdin = nil
	start[cmd] = in
	return cmd
}

// start lets a shell that reads go on.
var start = map[*exec.Cmd]io.Writer{}

func goOn(t *testing.T, cmd *exec.Cmd) {
	_, err := io.WriteString(start[cmd], "\n")
	require.NoError(t, err)
}

func alive(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(text), ") Z ")
}

func TestALife(t *testing.T) {
	root := cgroupstest.Root(t)
	g := provided(t, root)
	c := id("c1")
	assert.False(t, g.Unified())
	assert.Equal(t, filepath.Join(cgroupstest.Mount, "memory", root), g.Top("memory"))
	assert.Empty(t, g.Top("blkio"), "nobody asked for it")
	assert.Empty(t, g.Folder(c, "memory"), "it is not there yet")

	require.NoError(t, g.Take(t.Context(), "one", c))
	require.NoError(t, g.Take(t.Context(), "two", c), "the second finds it")
	for _, controller := range cgroupstest.Controllers {
		assert.Equal(t, []string{"c1"}, cgroupstest.Groups(t, controller, root), controller)
	}
	assert.Equal(t, filepath.Join(cgroupstest.Mount, "pids", root, "c1"), g.Folder(c, "pids"))

	cmd := shell(t, "echo ready; read x; sleep 1000")
	require.NoError(t, g.Place(t.Context(), c, int32(cmd.Process.Pid)))
	require.NoError(t, g.Place(t.Context(), c, int32(cmd.Process.Pid)), "twice is once")
	for _, controller := range cgroupstest.Controllers {
		assert.True(t, cgroupstest.In(t, cmd.Process.Pid, controller, root+"/c1"), controller)
	}

	require.NoError(t, g.Release(t.Context(), "one", c))
	assert.True(t, alive(cmd.Process.Pid), "the other holds it")
	require.NoError(t, g.Release(t.Context(), "one", c), "twice is once")
	require.NoError(t, g.Release(t.Context(), "two", c))
	for _, controller := range cgroupstest.Controllers {
		assert.Empty(t, cgroupstest.Groups(t, controller, root), controller)
	}
	assert.Error(t, cmd.Wait(), "it was killed")
	require.NoError(t, g.Release(t.Context(), "two", c), "who is not known")
	require.NoError(t, g.Take(t.Context(), "one", c), "the name is free again")
	require.NoError(t, g.Release(t.Context(), "one", c))
}

// What has left its session and its parent, and forks while it is killed, is killed all
// the same.
func TestReleaseKillsWhatHasEscaped(t *testing.T) {
	root := cgroupstest.Root(t)
	g := provided(t, root)
	require.NoError(t, g.Take(t.Context(), "one", id("c1")))
	cmd := shell(t, `echo ready; read x
		setsid env -i sh -c 'sleep 1000' & setsid env -i sh -c 'trap "" TERM; sleep 1000 & wait' &
		i=0; while [ $i -lt 100 ]; do sleep 1000 & i=$((i+1)); done; wait`)
	require.NoError(t, g.Place(t.Context(), id("c1"), int32(cmd.Process.Pid)))
	goOn(t, cmd)
	folder := g.Folder(id("c1"), "pids")
	require.Eventually(t, func() bool {
		pids, err := lib.GetAllPids(folder)
		return err == nil && len(pids) > 3
	}, 10*time.Second, time.Millisecond)
	pids, err := lib.GetAllPids(folder)
	require.NoError(t, err)
	require.NoError(t, g.Release(t.Context(), "one", id("c1")))
	for _, pid := range pids {
		assert.False(t, alive(pid), "process %d", pid)
	}
	assert.Empty(t, cgroupstest.Groups(t, "pids", root))
}

func TestNestedContainers(t *testing.T) {
	root := cgroupstest.Root(t)
	g := provided(t, root)
	parent, own, sharing := id("p"), id("p", "own"), id("p", "sharing")
	require.ErrorContains(t, g.Take(t.Context(), "one", own), "its parent has none")
	require.NoError(t, g.Take(t.Context(), "one", parent))
	require.NoError(t, g.Take(t.Context(), "one", own))
	assert.Equal(t, []string{"own"}, cgroupstest.Groups(t, "cpu", root+"/p/mesos"))
	assert.Empty(t, g.Folder(sharing, "cpu"))

	a, b, deep := shell(t, "echo ready; sleep 1000"), shell(t, "echo ready; sleep 1000"), shell(t, "echo ready; sleep 1000")
	require.NoError(t, g.Place(t.Context(), own, int32(a.Process.Pid)))
	require.NoError(t, g.Place(t.Context(), sharing, int32(b.Process.Pid)))
	require.NoError(t, g.Place(t.Context(), id("p", "own", "deep"), int32(deep.Process.Pid)))
	assert.True(t, cgroupstest.In(t, a.Process.Pid, "memory", root+"/p/mesos/own"))
	assert.True(t, cgroupstest.In(t, b.Process.Pid, "memory", root+"/p"))
	assert.True(t, cgroupstest.In(t, deep.Process.Pid, "memory", root+"/p/mesos/own"), "that of the nearest parent")

	require.NoError(t, g.Release(t.Context(), "one", sharing))
	assert.True(t, alive(b.Process.Pid), "which of the processes are its own nobody knows")
	require.NoError(t, g.Release(t.Context(), "one", own))
	assert.False(t, alive(a.Process.Pid))
	assert.False(t, alive(deep.Process.Pid))
	require.NoError(t, g.Release(t.Context(), "one", parent))
	assert.False(t, alive(b.Process.Pid))
	assert.Empty(t, cgroupstest.Groups(t, "cpu", root))
}

func TestRecover(t *testing.T) {
	root := cgroupstest.Root(t)
	before := cgroups.ForTest(root)
	require.NoError(t, before.Provide("cpu", "memory"))
	for _, c := range []*mesosv1.ContainerID{id("lives"), id("lives", "nested"), id("lives", "stray"), id("stray"), id("stray", "nested")} {
		require.NoError(t, before.Take(t.Context(), "one", c))
	}
	lives, stray := shell(t, "echo ready; sleep 1000"), shell(t, "echo ready; sleep 1000")
	require.NoError(t, before.Place(t.Context(), id("lives"), int32(lives.Process.Pid)))
	require.NoError(t, before.Place(t.Context(), id("stray"), int32(stray.Process.Pid)))
	require.NoError(t, before.Close(), "the agent was killed: the lock is gone with it")

	g := provided(t, root)
	known := []*mesosv1.ContainerID{id("lives"), id("lives", "nested"), id("without")}
	for _, holder := range []string{"one", "two"} {
		require.NoError(t, g.Recover(t.Context(), holder, known))
	}
	assert.Equal(t, []string{"lives"}, cgroupstest.Groups(t, "memory", root))
	assert.Equal(t, []string{"nested"}, cgroupstest.Groups(t, "memory", root+"/lives/mesos"))
	assert.False(t, alive(stray.Process.Pid))
	assert.True(t, alive(lives.Process.Pid))
	assert.NotEmpty(t, g.Folder(id("lives"), "memory"))
	assert.Empty(t, g.Folder(id("lives"), "pids"), "it was launched without this controller")
	assert.Empty(t, g.Folder(id("without"), "memory"))

	joins := shell(t, "echo ready; sleep 1000")
	require.NoError(t, g.Place(t.Context(), id("lives", "later"), int32(joins.Process.Pid)))
	assert.True(t, cgroupstest.In(t, joins.Process.Pid, "memory", root+"/lives"))
	require.NoError(t, g.Place(t.Context(), id("without"), int32(os.Getpid())), "who has no group is put into none")

	for _, holder := range []string{"one", "two"} {
		require.NoError(t, g.Release(t.Context(), holder, id("lives", "nested")))
		require.NoError(t, g.Release(t.Context(), holder, id("lives")))
	}
	assert.Empty(t, cgroupstest.Groups(t, "memory", root))
	assert.False(t, alive(lives.Process.Pid))
}

func TestWhatGoesWrong(t *testing.T) {
	root := cgroupstest.Root(t)
	g := provided(t, root)
	memory := filepath.Join(cgroupstest.Mount, "memory", root)

	t.Run("a group that somebody else has made is not used, and nothing is left of the rest", func(t *testing.T) {
		require.NoError(t, os.Mkdir(filepath.Join(memory, "taken"), 0o755))
		defer func() { assert.NoError(t, os.Remove(filepath.Join(memory, "taken"))) }()
		require.ErrorContains(t, g.Take(t.Context(), "one", id("taken")), "somebody else has made it")
		assert.Empty(t, cgroupstest.Groups(t, "cpu", root))
		assert.Equal(t, []string{"taken"}, cgroupstest.Groups(t, "memory", root))
	})
	t.Run("a group that somebody has removed", func(t *testing.T) {
		require.NoError(t, g.Take(t.Context(), "one", id("gone")))
		for _, controller := range cgroupstest.Controllers {
			require.NoError(t, os.Remove(filepath.Join(cgroupstest.Mount, controller, root, "gone")))
		}
		cmd := shell(t, "echo ready; sleep 1000")
		require.ErrorContains(t, g.Place(t.Context(), id("gone"), int32(cmd.Process.Pid)), "somebody has removed it")
		assert.Empty(t, g.Folder(id("gone"), "memory"))
		assert.NoError(t, g.Release(t.Context(), "one", id("gone")))
	})
	t.Run("a process that has ended", func(t *testing.T) {
		require.NoError(t, g.Take(t.Context(), "one", id("late")))
		cmd := exec.Command("true")
		require.NoError(t, cmd.Run())
		require.ErrorContains(t, g.Place(t.Context(), id("late"), int32(cmd.Process.Pid)), "the process has ended")
		require.ErrorContains(t, g.Place(t.Context(), id("late"), 1), "process 1 is none of a container")
		assert.NoError(t, g.Release(t.Context(), "one", id("late")))
	})
	t.Run("a group that cannot be emptied", func(t *testing.T) {
		self := cgroups.ForTest(root + "/inner").Within(50 * time.Millisecond)
		require.NoError(t, self.Provide("cpu"))
		defer func() { assert.NoError(t, self.Close()) }()
		require.NoError(t, self.Take(t.Context(), "one", id("stuck")))
		require.NoError(t, lib.WriteCgroupProc(self.Folder(id("stuck"), "cpu"), os.Getpid())) // which it spares
		err := self.Release(t.Context(), "one", id("stuck"))
		require.ErrorContains(t, err, "50ms have passed (--cgroups_destroy_timeout)")
		require.ErrorContains(t, err, fmt.Sprintf("processes [%d] do not end", os.Getpid()))
		require.ErrorContains(t, self.Take(t.Context(), "one", id("stuck")), "somebody else has made it")
		require.NoError(t, self.Recover(t.Context(), "one", nil), "what is stuck keeps no agent from its work")
		require.NoError(t, lib.WriteCgroupProc(filepath.Join(cgroupstest.Mount, "cpu"), os.Getpid()))
		require.NoError(t, self.Recover(t.Context(), "one", nil))
		assert.Empty(t, cgroupstest.Groups(t, "cpu", root+"/inner"))
	})
	t.Run("who does not wait any more", func(t *testing.T) {
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		require.ErrorIs(t, g.Take(ended, "one", id("c")), context.Canceled)
		require.ErrorIs(t, g.Place(ended, id("c"), int32(os.Getpid())), context.Canceled)
		require.NoError(t, g.Take(t.Context(), "one", id("c")))
		cmd := shell(t, "echo ready; sleep 1000")
		require.NoError(t, g.Place(t.Context(), id("c"), int32(cmd.Process.Pid)))
		require.ErrorIs(t, g.Release(ended, "one", id("c")), context.Canceled, "the agent stops")
		require.NoError(t, g.Recover(t.Context(), "one", nil), "and this is the next one")
		assert.Empty(t, cgroupstest.Groups(t, "memory", root))
	})
	t.Run("names that lead elsewhere", func(t *testing.T) {
		for _, name := range []string{"", ".", "..", "a/b", "a\nb"} {
			require.ErrorContains(t, g.Take(t.Context(), "one", id(name)), "no name for a control group", "%q", name)
		}
	})
	t.Run("a frozen group", func(t *testing.T) {
		require.NoError(t, g.Take(t.Context(), "one", id("cold")))
		cmd := shell(t, "echo ready; sleep 1000")
		require.NoError(t, g.Place(t.Context(), id("cold"), int32(cmd.Process.Pid)))
		require.NoError(t, lib.WriteFile(filepath.Join(cgroupstest.Mount, "freezer", root, "cold"), "freezer.state", "FROZEN"))
		require.NoError(t, g.Release(t.Context(), "one", id("cold")))
		assert.False(t, alive(cmd.Process.Pid))
	})
}

func TestHierarchies(t *testing.T) {
	cgroupstest.Need(t)
	v1 := func(string) (int64, error) { return unix.CGROUP_SUPER_MAGIC, nil }
	t.Run("a controller is missing", func(t *testing.T) {
		g := cgroups.ForTest("r").InHierarchy(t.TempDir(), func(folder string) (int64, error) {
			if filepath.Base(folder) == "memory" {
				return 0, os.ErrNotExist
			}
			return unix.TMPFS_MAGIC, nil
		})
		err := g.Provide("memory", "pids")
		require.ErrorContains(t, err, "mount -t cgroup -o memory")
		assert.ErrorContains(t, err, "mount -t cgroup -o pids", "all at once")
	})
	t.Run("all is mounted read-only", func(t *testing.T) {
		mount := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(mount, "pids"), 0o755))
		require.NoError(t, unix.Mount("none", mount, "tmpfs", 0, "size=64k"))
		t.Cleanup(func() { assert.NoError(t, unix.Unmount(mount, 0)) })
		require.NoError(t, os.MkdirAll(filepath.Join(mount, "pids"), 0o755))
		require.NoError(t, unix.Mount("none", mount, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
		err := cgroups.ForTest("r").InHierarchy(mount, v1).Provide("pids")
		require.ErrorContains(t, err, "mounted read-only; mount them anew with rw")
	})
	t.Run("a controller is with the other version", func(t *testing.T) {
		fake(t)
		mount := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(mount, "unified"), 0o755))
		require.NoError(t, os.WriteFile(filepath.Join(mount, "unified", "cgroup.controllers"), []byte("hugetlb memory\n"), 0o644))
		err := cgroups.ForTest("r").InHierarchy(mount, func(string) (int64, error) { return unix.TMPFS_MAGIC, nil }).Provide("memory")
		assert.ErrorContains(t, err, "the controller memory is with version 2")
	})
	t.Run("cpu and cpuacct are one", func(t *testing.T) {
		mount := t.TempDir()
		require.NoError(t, os.MkdirAll(filepath.Join(mount, "cpu,cpuacct"), 0o755))
		for _, name := range []string{"cpu", "cpuacct"} {
			require.NoError(t, os.Symlink("cpu,cpuacct", filepath.Join(mount, name)))
		}
		g := cgroups.ForTest("r").InHierarchy(mount, func(folder string) (int64, error) {
			if filepath.Base(folder) == "freezer" {
				return 0, os.ErrNotExist
			}
			return unix.CGROUP_SUPER_MAGIC, nil
		})
		require.NoError(t, g.Provide("cpu", "cpuacct"))
		require.NoError(t, g.Take(t.Context(), "one", id("c")))
		assert.Equal(t, filepath.Join(mount, "cpu,cpuacct", "r", "c"), g.Folder(id("c"), "cpuacct"))
		require.NoError(t, g.Close())
	})
}

// fake lets the library take plain folders for control groups. It is for tests that do
// not run beside others.
func fake(t *testing.T) {
	lib.TestMode = true
	t.Cleanup(func() { lib.TestMode = false })
}

// There are no control groups of version 2 where these tests run: this is a folder that
// looks like one, in which the kernel does nothing.
func TestVersion2(t *testing.T) {
	fake(t)
	mount := t.TempDir()
	write := func(text string, path ...string) {
		t.Helper()
		require.NoError(t, os.WriteFile(filepath.Join(append([]string{mount}, path...)...), []byte(text), 0o644))
	}
	read := func(path ...string) string {
		t.Helper()
		text, err := os.ReadFile(filepath.Join(append([]string{mount}, path...)...))
		require.NoError(t, err)
		return string(text)
	}
	write("cpu memory\n", "cgroup.controllers")
	g := cgroups.ForTest("mesos").InHierarchy(mount, func(string) (int64, error) { return unix.CGROUP2_SUPER_MAGIC, nil })
	require.ErrorContains(t, g.Provide("pids"), `have no controller pids, but "cpu memory"`)
	require.NoError(t, g.Provide("cpu", "memory"))
	t.Cleanup(func() { assert.NoError(t, g.Close()) })
	assert.True(t, g.Unified())
	assert.Equal(t, "+memory", read("cgroup.subtree_control"), "the last that was handed on")
	assert.Equal(t, "+memory", read("mesos", "cgroup.subtree_control"))

	require.NoError(t, g.Take(t.Context(), "one", id("c")))
	assert.Equal(t, filepath.Join(mount, "mesos", "c"), g.Folder(id("c"), "cpu"))
	assert.DirExists(t, filepath.Join(mount, "mesos", "c", "leaf"))
	require.NoError(t, g.Place(t.Context(), id("c"), 4711))
	assert.Equal(t, "4711", read("mesos", "c", "leaf", "cgroup.procs"), "a group with processes hands on nothing")

	require.NoError(t, g.Take(t.Context(), "one", id("c", "n")))
	assert.Equal(t, "+memory", read("mesos", "c", "cgroup.subtree_control"))
	require.NoError(t, g.Place(t.Context(), id("c", "n"), 4712))
	assert.Equal(t, "4712", read("mesos", "c", "n", "leaf", "cgroup.procs"))
	require.NoError(t, g.Place(t.Context(), id("c", "shares"), 4713))
	assert.Equal(t, "4713", read("mesos", "c", "leaf", "cgroup.procs"))
	require.ErrorContains(t, g.Take(t.Context(), "one", id("leaf")), "no name for a control group")
}
