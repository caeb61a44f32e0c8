// Package cgroupstest is what tests need that try real control groups: a root group of
// their own, and what is in the files of a group. Where the machine has none of version
// 1, or the test does not run as root, the test is skipped and says so.
package cgroupstest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	lib "github.com/opencontainers/cgroups"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/privileged"
)

// Mount is where control groups are.
const Mount = "/sys/fs/cgroup"

// Controllers are those that the tests need.
var Controllers = []string{"cpu", "cpuacct", "freezer", "memory", "pids"}

var roots atomic.Int32

// Need skips the test where there are no control groups of version 1 to be used.
func Need(t testing.TB) {
	t.Helper()
	privileged.Root(t, "control groups are root's")
	for _, controller := range Controllers {
		var s unix.Statfs_t
		if err := unix.Statfs(filepath.Join(Mount, controller), &s); err != nil || int64(s.Type) != unix.CGROUP_SUPER_MAGIC {
			t.Skip("this machine has no control groups of version 1 with the controller " + controller)
		}
	}
}

// Root returns the name of a root group that nobody else uses. What is left in it when
// the test ends is killed and removed, after all clean-ups registered later.
func Root(t testing.TB) string {
	t.Helper()
	Need(t)
	root := fmt.Sprintf("mms-test-%d-%d", os.Getpid(), roots.Add(1))
	t.Cleanup(func() {
		for _, controller := range Controllers {
			folder := filepath.Join(Mount, controller, root)
			left, _ := lib.GetAllPids(folder) // it may not have been used
			for _, pid := range left {
				if pid > 1 && pid != os.Getpid() {
					_ = unix.Kill(pid, unix.SIGKILL)
				}
			}
			assert.NoError(t, lib.RemovePath(folder))
		}
	})
	return root
}

// Groups returns the groups directly below one, with a controller.
func Groups(t testing.TB, controller, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(Mount, controller, path))
	if os.IsNotExist(err) {
		return nil
	}
	require.NoError(t, err)
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all
}

// Read returns what is in a file of a group.
func Read(t testing.TB, controller, path, file string) string {
	t.Helper()
	text, err := lib.ReadFile(filepath.Join(Mount, controller, path), file)
	require.NoError(t, err)
	return strings.TrimSpace(text)
}

// Count returns one of the counts in a file of a group.
func Count(t testing.TB, controller, path, file, name string) int {
	t.Helper()
	for line := range strings.SplitSeq(Read(t, controller, path, file), "\n") {
		if key, value, ok := strings.Cut(line, " "); ok && key == name {
			n, err := strconv.Atoi(value)
			require.NoError(t, err)
			return n
		}
	}
	require.Fail(t, "there is no such count", "%s in %s of %s/%s", name, file, controller, path)
	return 0
}

// In says whether a process is in a group.
func In(t testing.TB, pid int, controller, path string) bool {
	t.Helper()
	groups, err := lib.ParseCgroupFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	require.NoError(t, err)
	return groups[controller] == "/"+path
}
