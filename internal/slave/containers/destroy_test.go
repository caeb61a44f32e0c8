package containers_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

func TestDestroy(t *testing.T) {
	t.Run("one that is not there", func(t *testing.T) {
		_, err := newBench(t).Destroy(t.Context(), id("one"))
		assert.ErrorIs(t, err, containers.ErrUnknown)
	})
	t.Run("twice at once is once", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		release := b.block("small destroy")
		results := make(chan *slave.ContainerTermination, 2)
		for range 2 {
			go func() {
				termination, _ := b.Destroy(context.Background(), id("one")) // nil if it fails
				results <- termination
			}()
		}
		<-b.reached
		release()
		for range 2 {
			assert.Equal(t, int32(9), (<-results).GetStatus())
		}
		assert.Equal(t, cleanup, b.done())
		termination, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err, "an end is kept for who waits, whoever destroyed")
		assert.Equal(t, int32(9), termination.GetStatus())
	})
	t.Run("an isolator that fails to clean up keeps nobody from it", func(t *testing.T) {
		b := newBench(t)
		b.fail("second cleanup", errBroken)
		b.fail("first cleanup", errBroken)
		b.fail("small end", errBroken)
		b.launched("one")
		b.forget()
		_, err := b.Destroy(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, cleanup, b.done())
		assert.Contains(t, b.logged(), "isolator=first")
		assert.Contains(t, b.logged(), "isolator=second")
		assert.Contains(t, b.logged(), "containerizer=small")
	})
	t.Run("a limit ends a container, and says why", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		memory := []*mesosv1.Resource{{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(33)}}}
		b.limits["second"](&slave.ContainerLimitation{Message: proto.String("33 MB"), Resources: memory,
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum()})
		b.limits["first"](&slave.ContainerLimitation{Message: proto.String("too late")})
		termination, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, mesosv1.TaskState_TASK_FAILED, termination.GetState())
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY, termination.GetReason())
		assert.Equal(t, "33 MB", termination.GetMessage())
		assert.Equal(t, 33.0, termination.GetLimitedResources()[0].GetScalar().GetValue())
		assert.Equal(t, int32(9), termination.GetStatus())
	})
	t.Run("a limit that is found broken when the processes have ended is why they have", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		breaks, others := b.Breaks(id("one", "nested")), b.Breaks(id("other"))
		release := b.block("second cleanup")
		b.small.exit(id("one"), 137<<8)
		<-b.reached
		assert.False(t, breaks())
		b.limits["second"](&slave.ContainerLimitation{Message: proto.String("33 MB")})
		b.limits["first"](&slave.ContainerLimitation{Message: proto.String("too late")})
		release()
		termination, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, "33 MB", termination.GetMessage())
		assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION, termination.GetReason())
		assert.Equal(t, int32(137<<8), termination.GetStatus())
		assert.True(t, breaks(), "it can be asked after the end")
		assert.False(t, others())
	})
	t.Run("but not of what somebody wanted ended", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		release := b.block("second cleanup")
		ended := make(chan *slave.ContainerTermination)
		go func() {
			termination, _ := b.Destroy(context.Background(), id("one")) // nil if it fails
			ended <- termination
		}()
		<-b.reached
		b.limits["second"](&slave.ContainerLimitation{Message: proto.String("33 MB")})
		release()
		assert.Empty(t, (<-ended).GetMessage())
	})
	t.Run("a module that hangs keeps its container, and no other", func(t *testing.T) {
		b := newBench(t)
		b.hangs["first prepare"] = true
		failed, release := b.launching(t.Context(), "first prepare")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := b.Destroy(ctx, id("one"))
		require.ErrorIs(t, err, context.Canceled)
		b.launched("other")
		_, err = b.Destroy(t.Context(), id("other"))
		require.NoError(t, err)
		assert.Equal(t, []*mesosv1.ContainerID{id("one")}, b.Containers())
		b.forget()
		release()
		assert.ErrorContains(t, <-failed, "destroyed meanwhile")
		assert.Equal(t, []string{"second cleanup", "first cleanup"}, b.done(), "Cleanup follows when the call has returned")
	})
	t.Run("a module that hangs when the agent stops is named by the limit of the stop", func(t *testing.T) {
		b := newBench(t)
		b.hangs["small destroy"] = true
		b.launched("one")
		release := b.block("small destroy")
		go func() { _, _ = b.Destroy(context.Background(), id("one")) }() // the agent stops
		<-b.reached
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		assert.ErrorIs(t, b.Close(ctx), context.Canceled)
		release()
	})
}

func TestAContainerizerThatFailsToDestroyIsAskedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.fail("small destroy", errBroken)
		b.forget()
		go func() { _, _ = b.Destroy(context.Background(), id("one")) }() // Wait tells
		time.Sleep(8 * time.Second)                                       // 1 and 2 and 4
		synctest.Wait()
		assert.Equal(t, []string{"small destroy", "small destroy", "small destroy", "small destroy"}, b.done())
		assert.Len(t, b.Containers(), 1, "it keeps what it has")
		b.fail("small destroy", nil)
		_, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, cleanup, b.done()[4:])
	})
}

func TestNestedContainers(t *testing.T) {
	t.Run("only isolators that want to take part do", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		b.launched("one", "child")
		assert.Equal(t, []string{"small supports one/child", "first prepare one/child", "logger prepare one/child", "small launch one/child",
			"small watch one/child", "first watch one/child", "first isolate one/child", "fetch file for nobody one/child", "hook one/child",
			"small start one/child"}, b.done())
	})
	t.Run("children are destroyed before their parent", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.launched("one", "child")
		b.launched("one", "child", "grandchild")
		b.forget()
		_, err := b.Destroy(t.Context(), id("one"))
		require.NoError(t, err)
		var destroyed []string
		for _, step := range b.done() {
			if len(step) > 13 && step[:13] == "small destroy" || step == "small destroy" {
				destroyed = append(destroyed, step)
			}
		}
		assert.Equal(t, []string{"small destroy one/child/grandchild", "small destroy one/child", "small destroy"}, destroyed)
		assert.Empty(t, b.Containers())
		_, err = b.Wait(t.Context(), id("one", "child"))
		assert.ErrorIs(t, err, containers.ErrUnknown, "it is forgotten with its root")
	})
	t.Run("a parent has to be there, and not to end", func(t *testing.T) {
		b := newBench(t)
		_, err := b.Launch(t.Context(), b.request("one", "child"))
		require.ErrorIs(t, err, containers.ErrUnknown)
		b.launched("one")
		release := b.block("small destroy")
		ended := make(chan error, 1)
		go func() {
			_, err := b.Destroy(context.Background(), id("one"))
			ended <- err
		}()
		<-b.reached
		_, err = b.Launch(t.Context(), b.request("one", "child"))
		require.ErrorContains(t, err, "its parent is DESTROYING")
		release()
		require.NoError(t, <-ended)
	})
	t.Run("an end is told until it is removed", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.launched("one", "child")
		require.ErrorContains(t, b.Remove(t.Context(), id("one", "child")), "is RUNNING")
		require.ErrorContains(t, b.Remove(t.Context(), id("one")), "is not nested")
		b.small.exit(id("one", "child"), 512)
		for range 2 {
			termination, err := b.Wait(t.Context(), id("one", "child"))
			require.NoError(t, err)
			assert.Equal(t, int32(512), termination.GetStatus())
		}
		outcome, err := b.Launch(t.Context(), b.request("one", "child"))
		require.NoError(t, err)
		assert.Equal(t, containers.AlreadyLaunched, outcome)
		b.fail("small remove one/child", errBroken)
		require.ErrorIs(t, b.Remove(t.Context(), id("one", "child")), errBroken)
		b.fail("small remove one/child", nil)
		require.NoError(t, b.Remove(t.Context(), id("one", "child")))
		require.NoError(t, b.Remove(t.Context(), id("one", "child")), "again")
		_, err = b.Wait(t.Context(), id("one", "child"))
		assert.ErrorIs(t, err, containers.ErrUnknown)
		assert.ErrorIs(t, b.Remove(t.Context(), id("two", "child")), containers.ErrUnknown, "the root is not there")
	})
	t.Run("one that belongs to no framework gets the isolators for those", func(t *testing.T) {
		b := newBench(t)
		request := b.request("one")
		request.Config.ExecutorInfo = nil
		_, err := b.Launch(t.Context(), request)
		require.NoError(t, err)
		assert.NotContains(t, b.done(), "second prepare")
		assert.Contains(t, b.done(), "first prepare")
	})
}

func TestTheEndIsToldToTheFirstWhoAsks(t *testing.T) {
	b := newBench(t)
	b.launched("one")
	b.small.exit(id("one"), 0)
	termination, err := b.Wait(t.Context(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(0), termination.GetStatus())
	_, err = b.Wait(t.Context(), id("one"))
	require.ErrorIs(t, err, containers.ErrUnknown)
	b.launched("one") // the id is free again
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = b.Wait(ctx, id("one"))
	assert.ErrorIs(t, err, context.Canceled)
}

func TestEndsThatNobodyAsksForAreNotKeptForever(t *testing.T) {
	b := newBench(t)
	const kept = 1024
	for n := range kept + 1 {
		b.launched(fmt.Sprint("c", n))
		_, err := b.Destroy(t.Context(), id(fmt.Sprint("c", n)))
		require.NoError(t, err)
	}
	_, err := b.Wait(t.Context(), id("c0"))
	require.ErrorIs(t, err, containers.ErrUnknown)
	_, err = b.Wait(t.Context(), id("c1"))
	assert.NoError(t, err)
}
