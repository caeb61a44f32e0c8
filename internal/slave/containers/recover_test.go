package containers_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/containers"
)

func state(values ...string) *slave.ContainerState {
	return &slave.ContainerState{ContainerId: id(values...), Pid: proto.Uint64(42), Directory: proto.String("/sandbox"),
		ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}}}
}

func TestRecover(t *testing.T) {
	b := unrecovered(t)
	b.small.states = []*slave.ContainerState{state("one"), state("one", "child")}
	b.big.orphans = []*mesosv1.ContainerID{id("orphan")}
	release := b.block("big destroy orphan")
	got, err := b.Recover(t.Context(), []*slave.ContainerState{state("one"), state("lost")})
	require.NoError(t, err)
	assert.Equal(t, []*mesosv1.ContainerID{id("lost")}, got.Lost)
	assert.Equal(t, []*mesosv1.ContainerID{id("orphan")}, got.Orphans)
	assert.Len(t, got.Containers, 2)
	<-b.reached
	assert.Equal(t, []string{"big recover", "small recover", "first recover one one/child orphan orphan", "second recover one orphan orphan",
		"small watch", "first watch", "second watch", "small watch one/child", "first watch one/child", "big destroy orphan"}, b.done())
	b.forget()
	release()
	if _, err = b.Wait(t.Context(), id("orphan")); err != nil {
		require.ErrorIs(t, err, containers.ErrUnknown, "it is over already")
	}
	assert.Equal(t, []string{"second cleanup orphan", "first cleanup orphan", "big end orphan"}, b.done())

	t.Run("recovered containers end like others", func(t *testing.T) {
		b.forget()
		b.small.exit(id("one"), 256)
		termination, err := b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Equal(t, int32(256), termination.GetStatus())
		assert.Equal(t, []string{"small destroy one/child", "first cleanup one/child", "small end one/child",
			"small destroy", "second cleanup", "first cleanup", "small end"}, b.done())
	})
}

func TestARecoveryThatFails(t *testing.T) {
	for _, step := range []string{"small recover", "second recover"} {
		t.Run("at "+step, func(t *testing.T) {
			b := unrecovered(t)
			b.fail(step, errBroken)
			_, err := b.Recover(t.Context(), nil)
			require.ErrorIs(t, err, errBroken)
			_, err = b.Launch(t.Context(), b.request("one"))
			assert.ErrorContains(t, err, "recovered")
		})
	}
	t.Run("for one container, which cannot be watched", func(t *testing.T) {
		b := unrecovered(t)
		b.small.states = []*slave.ContainerState{state("one")}
		b.fail("first watch", errBroken)
		_, err := b.Recover(t.Context(), []*slave.ContainerState{state("one")})
		require.NoError(t, err)
		_, err = b.Wait(t.Context(), id("one"))
		require.NoError(t, err)
		assert.Contains(t, b.done(), "small destroy")
	})
}
