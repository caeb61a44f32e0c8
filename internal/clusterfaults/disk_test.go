package clusterfaults_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// smallDisk has a folder be on a disk of its own, of 16 MB of memory. Who may not mount
// one cannot run this test, and is told so by its failure.
func smallDisk(t *testing.T, folder string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(folder, 0o755))
	require.NoError(t, unix.Mount("tmpfs", folder, "tmpfs", 0, "size=16m,mode=755"), "run the tests as root: this one mounts a small disk")
	t.Cleanup(func() { assert.NoError(t, unix.Unmount(folder, unix.MNT_DETACH)) })
}

// fill writes until a disk has no byte left, and returns the file that takes it all.
func fill(t *testing.T, folder string) (file string) {
	t.Helper()
	var disk unix.Statfs_t
	require.NoError(t, unix.Statfs(folder, &disk))
	require.Less(t, disk.Blocks*uint64(disk.Bsize), uint64(17<<20), "only a small disk may be filled")
	f, err := os.Create(filepath.Join(folder, "filler"))
	require.NoError(t, err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.NoError(t, f.Close())
	return f.Name()
}

func TestFullDisk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	work := filepath.Join(dir, "mesos-slave")
	smallDisk(t, work)
	c := upIn(t, dir, nil, nil)
	pid := c.Slave.PID()
	f := join(t, c)
	nothing := func(point, string) {}
	runsATask(t, c, dir, "before")

	file := fill(t, work)
	for _, info := range []*mesosv1.TaskInfo{shell("full", "exit 0"), custom(shell("full-custom", ""), "exit 0")} {
		f.launch(info, nothing)
		end := f.ends(t, info.GetTaskId().GetValue())
		assert.Equal(t, mesosv1.TaskState_TASK_FAILED, end.GetState(), end.GetMessage())
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, end.GetReason())
		assert.Contains(t, end.GetMessage(), "no space left on device")
		assert.Contains(t, end.GetMessage(), work, "it says where")
	}
	for _, s := range servers(c) {
		well(t, s)
	}
	require.NoError(t, os.Remove(file))
	runsATask(t, c, dir, "after")

	// While the disk is full, a task goes on and ends.
	began, leave := filepath.Join(dir, "began"), filepath.Join(dir, "leave")
	f.launch(shell("meanwhile", "touch "+began+"; while [ ! -e "+leave+" ]; do sleep 0.02; done"), nothing)
	eventually(t, func() string {
		if _, err := os.Stat(began); err != nil {
			return err.Error()
		}
		return ""
	})
	file = fill(t, work)
	require.NoError(t, os.WriteFile(leave, nil, 0o600))
	f.launch(shell("full-again", "exit 0"), nothing)
	assert.Equal(t, mesosv1.TaskState_TASK_FAILED, f.ends(t, "full-again").GetState())
	well(t, server{"slave", c.Slave})
	require.NoError(t, os.Remove(file))
	assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, f.ends(t, "meanwhile").GetState())
	nobodyLeft(t, c, dir)

	assert.Equal(t, pid, c.Slave.PID(), "it is the same agent")
	assert.Empty(t, f.wrongs())
}
