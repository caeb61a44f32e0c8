package runc_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/runc/shim"
)

// restart ends the agent's module and starts the next one's, which recovers.
func (b *bench) restart(known ...*container) *slave.ContainerRecoverInfo {
	b.t.Helper()
	b.kit.Close()
	b.start()
	var states []*slave.ContainerState
	for _, c := range known {
		states = append(states, c.state())
	}
	info, err := b.Recover(b.t.Context(), states)
	require.NoError(b.t, err)
	return info
}

func keys(ids []*mesosv1.ContainerID) (all []string) {
	for _, id := range ids {
		name := id.GetValue()
		for up := id.GetParent(); up != nil; up = up.GetParent() {
			name = up.GetValue() + "/" + name
		}
		all = append(all, name)
	}
	return all
}

func recoveredIn(info *slave.ContainerRecoverInfo) (ids []*mesosv1.ContainerID) {
	for _, s := range info.GetCheckpointedContainerStates() {
		ids = append(ids, s.GetContainerId())
	}
	return ids
}

func TestTheNextAgent(t *testing.T) {
	b := newBench(t, nil)
	parent := b.container(containerID("parent"), "echo up; exec sleep 1000")
	parent.start()
	parent.await("up")
	lives, ended := b.container(containerID("parent", "lives"), "echo up; read line < gate; exit 5"), b.container(containerID("parent", "ended"), "exit 6")
	require.NoError(t, syscall.Mkfifo(filepath.Join(lives.folder, "gate"), 0o600))
	lives.start()
	lives.await("up")
	ended.start()
	ended.end()
	require.NoError(t, b.Destroy(t.Context(), ended.id))
	status := int32(6 << 8)
	require.NoError(t, b.End(t.Context(), ended.id, &slave.ContainerTermination{Status: &status}))
	debug := b.container(containerID("parent", "debug"), "exec sleep 1001")
	debug.config.ContainerClass, debug.config.ContainerInfo = slave.ContainerClass_DEBUG.Enum(), nil
	debug.start()
	held := b.container(containerID("held"), "touch /mnt/mesos/sandbox/ran")
	held.hold()

	info := b.restart(parent, held)
	assert.Equal(t, []string{"held", "parent", "parent/ended", "parent/lives"}, keys(recoveredIn(info)))
	assert.Equal(t, []string{"parent/debug"}, keys(info.GetOrphanContainerIds()))
	for _, s := range info.GetCheckpointedContainerStates() {
		if s.GetContainerId().GetValue() == "lives" {
			assert.Equal(t, uint64(lives.pid), s.GetPid())
		}
	}
	require.NoError(t, b.PruneImages(t.Context(), nil))
	all, err := filepath.Glob(filepath.Join(b.folder(), "images/*"))
	require.NoError(t, err)
	assert.Len(t, all, 1, "those that live use it")
	for _, c := range []*container{parent, lives, ended, held} {
		c.watch()
	}
	assert.Equal(t, status, ended.end().GetStatus(), "as it was written down")
	held.end()
	assert.NoFileExists(t, filepath.Join(held.folder, "ran"), "what was held ends with its agent")
	held.destroy()
	debug.destroy()
	require.NoError(t, os.WriteFile(filepath.Join(lives.folder, "gate"), []byte("go\n"), 0))
	assert.Equal(t, int32(5<<8), lives.end().GetStatus(), "the shim has waited for it all the time")
	lives.destroy()
	require.NoError(t, b.Remove(t.Context(), lives.id))
	require.NoError(t, b.Remove(t.Context(), ended.id))
	parent.destroy()
	assert.Equal(t, int32(syscall.SIGKILL), parent.end().GetStatus())
	b.isClean()
	require.NoError(t, b.PruneImages(t.Context(), nil))
	all, err = filepath.Glob(filepath.Join(b.folder(), "images/*"))
	require.NoError(t, err)
	assert.Empty(t, all)
}

func TestAShimIsKilled(t *testing.T) {
	b := newBench(t, nil)
	t.Run("while there is an agent", func(t *testing.T) {
		c := b.container(containerID("killed"), "setsid sleep 1000 & echo up; exec sleep 1000")
		c.start()
		c.await("up")
		require.NoError(t, syscall.Kill(b.shimOf(c.id), syscall.SIGKILL))
		assert.Nil(t, c.end().Status, "nobody knows how it would have ended")
		assert.False(t, alive(c.pid))
		c.destroy()
		b.isClean()
	})
	t.Run("while there is none", func(t *testing.T) {
		c := b.container(containerID("alone"), "setsid sleep 1000 & echo up; exec sleep 1000")
		c.start()
		c.await("up")
		shim := b.shimOf(c.id)
		b.kit.Close()
		require.NoError(t, syscall.Kill(shim, syscall.SIGKILL))
		eventually(t, func() bool { return !alive(shim) })
		assert.Equal(t, []string{"alone"}, keys(recoveredIn(b.restart(c))))
		c.watch()
		assert.Nil(t, c.end().Status)
		assert.False(t, alive(c.pid))
		c.destroy()
		b.isClean()
	})
	t.Run("of a process in another container", func(t *testing.T) {
		parent := b.container(containerID("parent"), "echo up; exec sleep 1000")
		parent.start()
		parent.await("up")
		c := b.container(containerID("parent", "debug"), "echo $$ > pid; exec sleep 1000")
		c.config.ContainerClass, c.config.ContainerInfo = slave.ContainerClass_DEBUG.Enum(), nil
		c.launch.WorkingDirectory = nil
		c.start()
		var pid int
		eventually(t, func() bool {
			var ok bool
			pid, ok = number(filepath.Join(parent.folder, "pid"))
			return ok
		})
		eventually(t, func() bool { // before that nobody but the runtime knows of the process
			_, ok := number(filepath.Join(b.folder(), "containers/parent/containers/debug", shim.PidFile))
			return ok
		})
		holder, ok := number(filepath.Join(b.folder(), "containers/parent/containers/debug/pid"))
		require.True(t, ok)
		require.NoError(t, syscall.Kill(holder, syscall.SIGKILL))
		c.end()
		eventually(t, func() bool { return !alive(pid) })
		c.destroy()
		assert.True(t, alive(parent.pid))
		parent.destroy()
		b.isClean()
	})
	t.Run("because it does not answer", func(t *testing.T) {
		c := b.container(containerID("stopped"), "echo up; exec sleep 1000")
		c.start()
		c.await("up")
		require.NoError(t, syscall.Kill(b.shimOf(c.id), syscall.SIGSTOP))
		c.destroy()
		assert.False(t, alive(c.pid))
		b.isClean()
	})
}

// What a crash may leave.
func TestLeftovers(t *testing.T) {
	b := newBench(t, nil)
	forgotten := b.container(containerID("forgotten"), "echo up; exec sleep 1000")
	forgotten.start()
	forgotten.await("up")
	require.NoError(t, syscall.Kill(b.shimOf(forgotten.id), syscall.SIGSTOP)) // it cannot end anything meanwhile
	shim := b.shimOf(forgotten.id)
	b.kit.Close()
	require.NoError(t, syscall.Kill(shim, syscall.SIGKILL))
	require.NoError(t, os.RemoveAll(filepath.Join(b.folder(), "containers/forgotten")))

	for name, file := range map[string]string{"empty": "", "garbage": "config", "numbered": "pid"} {
		folder := filepath.Join(b.folder(), "containers", name)
		require.NoError(t, os.MkdirAll(filepath.Join(folder, "containers/nested"), 0o700))
		if file != "" {
			require.NoError(t, os.WriteFile(filepath.Join(folder, file), []byte("\xff no message"), 0o600))
		}
	}
	half := filepath.Join(b.folder(), "images/.unfinished-1")
	require.NoError(t, os.MkdirAll(half, 0o700))

	info := b.restart()
	assert.Empty(t, info.GetCheckpointedContainerStates())
	assert.Equal(t, []string{"empty/nested", "empty", "garbage/nested", "garbage", "numbered/nested", "numbered"}, keys(info.GetOrphanContainerIds()))
	assert.False(t, alive(forgotten.pid), "it was the runtime's alone")
	assert.NoDirExists(t, half)
	for _, id := range info.GetOrphanContainerIds() {
		require.NoError(t, b.Destroy(t.Context(), id))
		require.NoError(t, b.End(t.Context(), id, &slave.ContainerTermination{}))
		require.NoError(t, b.Remove(t.Context(), id))
	}
	b.isClean()
}
