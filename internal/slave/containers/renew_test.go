package containers_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

var errGone = fmt.Errorf("call: %w", &vehicle.GoneError{Library: "/l.so", Detail: "signal SIGKILL"})

func (b *bench) newIsolator(nesting bool) *watcher {
	return &watcher{script: b.script, name: "fresh", nesting: nesting}
}

func (b *bench) newEngine() *engine {
	return &engine{script: b.script, name: "fresh", sinks: map[string]func(*slave.ContainerTermination){}, ended: map[string]*slave.ContainerTermination{}}
}

func TestARestartedIsolator(t *testing.T) {
	t.Run("takes over what lives, parents first", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.launched("one", "child")
		b.launched("two")
		b.forget()
		require.NoError(t, b.RenewIsolator(t.Context(), 0, b.newIsolator(true)))
		assert.Equal(t, []string{"fresh recover one one/child two", "fresh watch", "fresh update", "fresh watch one/child", "fresh watch two", "fresh update two"}, b.done())
		b.forget()
		require.NoError(t, b.RenewIsolator(t.Context(), 1, b.newIsolator(false)))
		assert.Equal(t, []string{"fresh recover one two", "fresh watch", "fresh update", "fresh watch two", "fresh update two"}, b.done(), "the second has no part in nested ones")
		b.limits["fresh"](&slave.ContainerLimitation{Message: proto.String("too much")})
		end, err := b.Wait(t.Context(), id("two"))
		require.NoError(t, err)
		assert.Equal(t, "too much", end.GetMessage())
	})
	t.Run("ends what the old one was preparing, and gets to clean it up", func(t *testing.T) {
		for _, step := range []string{"first prepare", "second prepare", "small launch", "first isolate"} {
			t.Run("at "+step, func(t *testing.T) {
				b := newBench(t)
				failed, release := b.launching(t.Context(), step)
				defer release()
				b.forget()
				require.NoError(t, b.RenewIsolator(t.Context(), 0, b.newIsolator(true)))
				require.ErrorContains(t, <-failed, "restarted")
				assert.Contains(t, b.done(), "fresh recover orphan one")
				assert.Contains(t, b.done(), "first cleanup", "by the handle, behind which the new one is")
			})
		}
	})
	t.Run("has nothing to do with what it was not asked to prepare yet", func(t *testing.T) {
		b := newBench(t)
		launched, release := b.launching(t.Context(), "first prepare")
		require.NoError(t, b.RenewIsolator(t.Context(), 1, b.newIsolator(false)))
		assert.Contains(t, b.done(), "fresh recover")
		release()
		require.NoError(t, <-launched)
	})
	t.Run("cleans up what ended while there was none", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.fail("second cleanup", errGone)
		_, err := b.Destroy(t.Context(), id("one"))
		require.NoError(t, err, "it does not wait for that")
		assert.Contains(t, b.logged(), "clean up later")
		b.forget()
		require.NoError(t, b.RenewIsolator(t.Context(), 1, b.newIsolator(false)))
		b.Renewed() // of another module: it is away still
		eventually(t, func() bool { return len(b.done()) == 2 })
		b.fail("second cleanup", nil)
		b.Renewed()
		eventually(t, func() bool { return len(b.done()) == 3 })
		b.Renewed()
		assert.Equal(t, []string{"fresh recover orphan one", "second cleanup", "second cleanup"}, b.done())
	})
	t.Run("hears later what a container may use", func(t *testing.T) {
		for _, who := range []string{"second", "small"} {
			b := newBench(t)
			b.launched("one")
			b.fail(who+" update", fmt.Errorf("%w at the moment", handle.ErrUnbound))
			require.NoError(t, b.Update(t.Context(), id("one"), nil, nil), "the container lives on")
			b.fail(who+" update", nil)
			b.forget()
			b.Renewed()
			eventually(t, func() bool { return len(b.done()) == 3 })
			assert.ElementsMatch(t, []string{"small update", "first update", "second update"}, b.done())
		}
	})
	t.Run("that cannot take over is none", func(t *testing.T) {
		for _, step := range []string{"fresh recover one", "fresh watch", "fresh update"} {
			b := newBench(t)
			b.launched("one")
			b.fail(step, errBroken)
			require.ErrorIs(t, b.RenewIsolator(t.Context(), 0, b.newIsolator(true)), errBroken, step)
		}
	})
	t.Run("that comes before the agent begins waits for it", func(t *testing.T) {
		b := unrecovered(t)
		require.NoError(t, b.RenewIsolator(t.Context(), 0, b.newIsolator(true)))
		require.NoError(t, b.RenewContainerizer(t.Context(), 0, b.newEngine()))
		assert.Empty(t, b.done())
	})
}

// eventually waits for what happens in other goroutines.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	require.Eventually(t, happened, limit, 1)
}

func TestARestartedContainerizer(t *testing.T) {
	t.Run("takes over its containers, and ends strangers", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.launched("two")
		fresh := b.newEngine()
		fresh.states, fresh.orphans = []*slave.ContainerState{state("one")}, []*mesosv1.ContainerID{id("stranger")}
		b.forget()
		require.NoError(t, b.RenewContainerizer(t.Context(), 1, fresh))
		assert.Equal(t, []string{"fresh recover", "fresh watch"}, b.done()[:2])
		_, err := b.Wait(t.Context(), id("two"))
		require.NoError(t, err, "nobody has it")
		eventually(t, func() bool { return slices.Contains(b.done(), "small end stranger") })
		fresh.exit(id("one"), 7)
		end, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, int32(7), end.GetStatus())
	})
	t.Run("does not know what the old one held", func(t *testing.T) {
		b := newBench(t)
		failed, release := b.launching(t.Context(), "fetch file for nobody")
		defer release()
		require.NoError(t, b.RenewContainerizer(t.Context(), 1, b.newEngine()))
		require.ErrorContains(t, <-failed, "restarted")
		assert.Contains(t, b.done(), "first cleanup")
	})
	t.Run("leaves those of others alone", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		b.forget()
		require.NoError(t, b.RenewContainerizer(t.Context(), 0, b.newEngine()))
		assert.Equal(t, []string{"fresh recover"}, b.done())
		assert.Len(t, b.Containers(), 1)
	})
	t.Run("is asked again to destroy what the old one could not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newBench(t)
			b.launched("one")
			b.fail("small destroy", errGone)
			ended := make(chan error, 1)
			go func() {
				_, err := b.Destroy(t.Context(), id("one"))
				ended <- err
			}()
			synctest.Wait()
			fresh := b.newEngine()
			fresh.states = []*slave.ContainerState{state("one")}
			require.NoError(t, b.RenewContainerizer(t.Context(), 1, fresh))
			b.fail("small destroy", nil)
			require.NoError(t, <-ended)
		})
	})
	t.Run("is the end of output", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		heard := make(chan *agent.ProcessIO, 4)
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.NoError(t, b.AttachOutput(ctx, id("one"), func(r *agent.ProcessIO) { heard <- r }))
		assert.Nil(t, <-heard, "the fake says so itself")
		b.small.silent = true
		require.NoError(t, b.AttachOutput(ctx, id("one"), func(r *agent.ProcessIO) { heard <- r }))
		fresh := b.newEngine()
		fresh.states = []*slave.ContainerState{state("one")}
		require.NoError(t, b.RenewContainerizer(t.Context(), 1, fresh))
		assert.Nil(t, <-heard)
		assert.Empty(t, heard, "once is enough")
	})
	t.Run("that cannot take over is none", func(t *testing.T) {
		b := newBench(t)
		b.launched("one")
		fresh := b.newEngine()
		fresh.states = []*slave.ContainerState{state("one")}
		for _, step := range []string{"fresh recover", "fresh watch"} {
			b.fail(step, errBroken)
			require.ErrorIs(t, b.RenewContainerizer(t.Context(), 1, fresh), errBroken, step)
			b.fail(step, nil)
		}
		assert.Equal(t, []*mesosv1.ContainerID{id("one")}, b.Containers(), "it waits for the next one")
	})
}
