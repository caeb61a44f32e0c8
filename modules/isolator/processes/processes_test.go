package processes

import (
	"bufio"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

func TestParse(t *testing.T) {
	const line = "42 (a ) b) S 1 42 42 0 -1 4194560 100 0 0 0 11 22 33 44 20 0 7 0 12345 1000000 250 184467 1 1 0"
	s, err := parse([]byte(line))
	require.NoError(t, err)
	assert.Equal(t, stat{user: 44, system: 66, threads: 7, resident: 250}, s)
	for _, wrong := range []string{"", "42 (a) S 1", "42 a S 1 42 42", "42 (a) S 1 42 42 0 -1 4194560 100 0 0 0 x 22 33 44 20 0 7 0 12345 1000000 250"} {
		_, err := parse([]byte(wrong))
		assert.ErrorContains(t, err, "is no line of", wrong)
	}
}

// running is a shell with two children, and one below.
func running(t *testing.T) int32 {
	cmd := exec.Command("sh", "-c", "sleep 1000 & (sleep 1000; true) & echo ready; wait")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	t.Cleanup(func() {
		for _, below := range children(cmd.Process.Pid) {
			for _, pid := range append(children(below), below) {
				p, err := os.FindProcess(pid)
				require.NoError(t, err)
				_ = p.Kill() // it may be gone
			}
		}
		_ = cmd.Process.Kill() // its children's end may have ended it
		_ = cmd.Wait()         // and this says so
	})
	return int32(cmd.Process.Pid)
}

func TestMeasure(t *testing.T) {
	pid := running(t)
	require.Eventually(t, func() bool {
		use, err := Measure(pid)
		return err == nil && use.Processes == 4
	}, 10*time.Second, time.Millisecond, "a shell, a sleep, a shell with a sleep")
	use, err := Measure(pid)
	require.NoError(t, err)
	assert.Equal(t, 4, use.Threads)
	assert.Greater(t, use.Resident, uint64(100<<10))

	_, err = Measure(1 << 30)
	assert.ErrorContains(t, err, "process 1073741824")
}

func TestMeter(t *testing.T) {
	pid := running(t)
	m := NewMeter(func(out *mesosv1.ResourceStatistics, use Use) { out.Processes = proto.Uint32(uint32(use.Processes)) })
	parent := &mesosv1.ContainerID{Value: proto.String("c")}
	nested := &mesosv1.ContainerID{Value: proto.String("n"), Parent: parent}

	t.Run("a container without a process uses nothing", func(t *testing.T) {
		out, err := m.Usage(t.Context(), parent)
		require.NoError(t, err)
		assert.Nil(t, out)
	})
	t.Run("nested and recovered containers are measured", func(t *testing.T) {
		require.NoError(t, m.Isolate(t.Context(), nested, pid))
		require.NoError(t, m.Recover(t.Context(), []*slave.ContainerState{{ContainerId: parent, Pid: proto.Uint64(uint64(pid))}}, nil))
		for _, id := range []*mesosv1.ContainerID{parent, nested} {
			out, err := m.Usage(t.Context(), id)
			require.NoError(t, err)
			assert.Positive(t, out.GetProcesses())
		}
	})
	t.Run("a process that has gone is an error", func(t *testing.T) {
		require.NoError(t, m.Isolate(t.Context(), nested, 1<<30))
		_, err := m.Usage(t.Context(), nested)
		assert.ErrorIs(t, err, os.ErrNotExist)
	})
	t.Run("cleaned up is forgotten", func(t *testing.T) {
		require.NoError(t, m.Cleanup(t.Context(), nested))
		out, err := m.Usage(t.Context(), nested)
		require.NoError(t, err)
		assert.Nil(t, out)
	})
}

func TestTree(t *testing.T) {
	pid := running(t)
	require.Eventually(t, func() bool { return len(Tree(pid)) == 4 }, 10*time.Second, time.Millisecond)
	all := Tree(pid)
	assert.Equal(t, int(pid), all[0])
	assert.ElementsMatch(t, children(int(pid)), all[1:3], "parents come before their children")
}
