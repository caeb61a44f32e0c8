package group

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/privileged"
)

// folder looks like a group of version 2, in which no kernel does anything.
func folder(t *testing.T, files map[string]string) string {
	dir := t.TempDir()
	for name, text := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
	}
	return dir
}

func read(t *testing.T, dir, file string) string {
	text, err := os.ReadFile(filepath.Join(dir, file))
	require.NoError(t, err)
	return string(text)
}

func TestUnifiedLimits(t *testing.T) {
	at := place{unified: true, controllers: []string{memory, cpu}}
	l := Limits{Memory: 64 << 20, CPUs: 1.5}
	t.Run("are written", func(t *testing.T) {
		dir := folder(t, map[string]string{"memory.max": "", "memory.swap.max": "", "cpu.max": "", "memory.events": "oom 3\noom_kill 0\n"})
		g := &Group{unified: true, folders: []string{dir}}
		require.NoError(t, g.limit(at, l))
		assert.Equal(t, "67108864", read(t, dir, "memory.max"))
		assert.Equal(t, "0", read(t, dir, "memory.swap.max"))
		assert.Equal(t, "150000 100000", read(t, dir, "cpu.max"))
		assert.False(t, g.Starved())
		require.NoError(t, os.WriteFile(filepath.Join(dir, "memory.events"), []byte("oom 3\noom_kill 1\n"), 0))
		assert.True(t, g.Starved())
		assert.Equal(t, []string{dir + "/cgroup.procs"}, g.Doors())
	})
	t.Run("of swap need not be there", func(t *testing.T) {
		dir := folder(t, map[string]string{"memory.max": "", "cpu.max": ""})
		assert.NoError(t, (&Group{unified: true, folders: []string{dir}}).limit(at, l))
	})
	t.Run("that the kernel does not have are missed", func(t *testing.T) {
		dir := folder(t, map[string]string{"memory.max": ""})
		assert.ErrorContains(t, (&Group{unified: true, folders: []string{dir}}).limit(at, l), "cpu.max")
	})
}

func TestProvide(t *testing.T) {
	for _, c := range []struct {
		name, has, gives, members string
		really                    bool
		want, written             string
	}{
		{"what is given already", "cpu memory pids", "cpu memory", "17", true, "", "cpu memory"},
		{"what is had", "cpu memory", "memory", "", true, "", "+cpury"}, // the kernel adds, a file is written over
		{"what is had, but not yet", "cpu memory", "", "", false, "", ""},
		{"what is not had", "cpu pids", "", "", true, "has not the controller memory", ""},
		{"where processes are", "cpu memory", "", "1717", false, "has processes of its own, and so gives no controllers to groups in it", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := folder(t, map[string]string{"cgroup.controllers": c.has, "cgroup.subtree_control": c.gives, "cgroup.procs": c.members})
			at := place{unified: true, controllers: []string{memory, cpu}, bases: []string{dir}}
			err := at.provide(c.really)
			if c.want != "" {
				assert.ErrorContains(t, err, c.want)
				return
			}
			assert.NoError(t, err)
			assert.Equal(t, c.written, read(t, dir, "cgroup.subtree_control"))
		})
	}
}

// TestClear tries the kernel's own way of killing a group where there is a hierarchy of
// version 2, with whatever controllers.
func TestClear(t *testing.T) {
	privileged.Root(t, "control groups are root's")
	top := filepath.Join(mount, memory)
	for _, path := range []string{mount, filepath.Join(mount, "unified")} {
		if is(path, unix.CGROUP2_SUPER_MAGIC) {
			top = path
		}
	}
	dir := filepath.Join(top, fmt.Sprintf("mms-test-%d", os.Getpid()))
	require.NoError(t, os.Mkdir(dir, 0o755))
	cmd := exec.Command("sleep", "3600")
	require.NoError(t, cmd.Start())
	require.NoError(t, os.WriteFile(filepath.Join(dir, "cgroup.procs"), fmt.Append(nil, cmd.Process.Pid), 0))
	sweep(dir, clearLimit)
	assert.NoDirExists(t, dir)
	assert.ErrorContains(t, cmd.Wait(), "killed")
}
