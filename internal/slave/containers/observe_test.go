package containers_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

func scalar(n float64) *mesosv1.Value_Scalar { return &mesosv1.Value_Scalar{Value: &n} }

func TestUsage(t *testing.T) {
	t.Run("is what all modules know, with what the container may use", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		use, err := b.Usage(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, uint32(3), use.GetProcesses(), "an isolator's word is over the containerizer's")
		assert.Equal(t, uint32(5), use.GetThreads())
		assert.Equal(t, 2.0, use.GetCpusLimit())
		assert.Equal(t, uint64(32<<20), use.GetMemLimitBytes())
		assert.Nil(t, use.CpusSoftLimit)
	})
	t.Run("leaves out whoever fails", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.fail("first usage", errBroken)
		use, err := b.Usage(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, uint32(1), use.GetProcesses())
		assert.Contains(t, b.logged(), "module=first")
	})
	t.Run("asks no isolator before there is a process", func(t *testing.T) {
		b := newBench(t)
		failed, release := b.launching(t.Context(), "first prepare")
		use, err := b.Usage(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Nil(t, use.Processes)
		assert.Equal(t, 2.0, use.GetCpusLimit())
		release()
		require.NoError(t, <-failed)
	})
	t.Run("of one that is not there", func(t *testing.T) {
		_, err := newBench(t).Usage(t.Context(), id("one"))
		assert.ErrorIs(t, err, containers.ErrUnknown)
	})
	t.Run("ends when the container is destroyed", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		release := b.block("first usage")
		defer release()
		done := make(chan error, 1)
		go func() {
			_, err := b.Usage(t.Context(), id("one"))
			done <- err
		}()
		<-b.reached
		_, err := b.Destroy(t.Context(), id("one"))
		require.NoError(t, err)
		assert.NoError(t, <-done)
	})
}

func TestWhatIsKnownOfOneThatIsAboutToBeDestroyed(t *testing.T) {
	b := newBench(t)
	b.launched("one")
	require.NoError(t, b.Destroying(id("one")))
	use, err := b.Usage(t.Context(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, uint32(3), use.GetProcesses(), "isolators know what ended it until they have cleaned up")
	assert.Nil(t, use.Threads, "the containerizer is not asked any more: the process is gone")
	status, err := b.Status(t.Context(), id("one"))
	require.NoError(t, err)
	assert.NotEmpty(t, status.GetNetworkInfos())
	assert.Nil(t, status.ExecutorPid)
}

func TestStatus(t *testing.T) {
	b := newBench(t)
	b.launched("one")
	status, err := b.Status(t.Context(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, "one", status.GetContainerId().GetValue())
	assert.Equal(t, uint32(42), status.GetExecutorPid())
	require.Len(t, status.GetNetworkInfos(), 2)
	assert.Equal(t, "first", status.GetNetworkInfos()[0].GetName(), "in the order of the isolators")
}

func TestUpdate(t *testing.T) {
	requests := []*mesosv1.Resource{{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: scalar(1)},
		{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: scalar(64)}}
	t.Run("reaches all, and shows in the usage", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		require.NoError(t, b.Update(t.Context(), id("one"), requests, map[string]*mesosv1.Value_Scalar{"cpus": scalar(4), "mem": scalar(math.Inf(1))}))
		assert.Equal(t, "small update cpus mem", b.done()[0])
		assert.ElementsMatch(t, []string{"first update", "second update"}, b.done()[1:])
		use, err := b.Usage(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, 4.0, use.GetCpusLimit())
		assert.Equal(t, 1.0, use.GetCpusSoftLimit())
		assert.Equal(t, uint64(1<<63), use.GetMemLimitBytes(), "infinite")
		assert.Equal(t, uint64(64<<20), use.GetMemSoftLimitBytes())
	})
	for _, step := range []string{"small update", "second update"} {
		t.Run("fails with "+step, func(t *testing.T) {
			b := newBench(t)
			b.launched("one")
			b.fail(step, errBroken)
			assert.ErrorIs(t, b.Update(t.Context(), id("one"), requests, nil), errBroken)
		})
	}
	t.Run("waits for the launch", func(t *testing.T) {
		b := newBench(t)
		failed, release := b.launching(t.Context(), "hook")
		done := make(chan error, 1)
		go func() { done <- b.Update(t.Context(), id("one"), requests, nil) }()
		release()
		require.NoError(t, <-failed)
		require.NoError(t, <-done)
		all := b.done()
		assert.Equal(t, "small start", all[len(sequence)-1])
	})
	t.Run("ends when the container is destroyed", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		defer b.block("first update")()
		done := make(chan error, 1)
		go func() { done <- b.Update(t.Context(), id("one"), requests, nil) }()
		<-b.reached
		_, err := b.Destroy(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Error(t, <-done)
	})
	t.Run("of one that is not there", func(t *testing.T) {
		assert.ErrorIs(t, newBench(t).Update(t.Context(), id("one"), nil, nil), containers.ErrUnknown)
	})
}

func TestKill(t *testing.T) {
	b := newBench(t)
	_, err := b.Kill(t.Context(), id("one"), 15)
	require.ErrorIs(t, err, containers.ErrUnknown)
	failed, release := b.launching(t.Context(), "first prepare")
	found, err := b.Kill(t.Context(), id("one"), 15)
	require.NoError(t, err)
	assert.False(t, found, "there is no process yet")
	release()
	require.NoError(t, <-failed)
	found, err = b.Kill(t.Context(), id("one"), 15)
	require.NoError(t, err)
	assert.True(t, found)
}

func TestAttachments(t *testing.T) {
	data := func(text string) *agent.ProcessIO {
		return &agent.ProcessIO{Data: &agent.ProcessIO_Data{Data: []byte(text)}}
	}
	t.Run("one has the input at a time", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		first, err := b.AttachInput(t.Context(), id("one"))
		require.NoError(t, err)
		_, err = b.AttachInput(t.Context(), id("one"))
		require.ErrorIs(t, err, containers.ErrInputBusy)
		require.NoError(t, first.Write(t.Context(), data("a")))
		first.Close()
		second, err := b.AttachInput(t.Context(), id("one"))
		require.NoError(t, err)
		first.Close() // it has it no more
		_, err = b.AttachInput(t.Context(), id("one"))
		require.ErrorIs(t, err, containers.ErrInputBusy)
		require.NoError(t, second.Write(t.Context(), data("b")))
		assert.Equal(t, []string{"small input a", "small input b"}, b.done())
	})
	t.Run("output", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		var ends int
		require.NoError(t, b.AttachOutput(t.Context(), id("one"), func(*agent.ProcessIO) { ends++ }))
		assert.Equal(t, 1, ends)
	})
	t.Run("to nothing that runs", func(t *testing.T) {
		b := newBench(t)
		_, err := b.AttachInput(t.Context(), id("one"))
		require.ErrorIs(t, err, containers.ErrUnknown)
		require.ErrorIs(t, b.AttachOutput(t.Context(), id("one"), nil), containers.ErrUnknown)
		failed, release := b.launching(t.Context(), "first prepare")
		_, err = b.AttachInput(t.Context(), id("one"))
		require.ErrorContains(t, err, "is PREPARING")
		require.ErrorContains(t, b.AttachOutput(t.Context(), id("one"), nil), "is PREPARING")
		release()
		require.NoError(t, <-failed)
	})
}

func TestPruneImages(t *testing.T) {
	b := newBench(t)
	b.fail("big prune", errBroken)
	require.ErrorIs(t, b.PruneImages(t.Context(), nil), errBroken)
	assert.Equal(t, []string{"big prune", "small prune"}, b.done())
}
