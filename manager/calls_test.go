package manager_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

func TestCalls(t *testing.T) {
	t.Run("a panic in a bound module is an error to the caller and an event, and the site stays bound", func(t *testing.T) {
		first := true
		f := newFixture(t, mods{{Name: "a", Compute: func(context.Context, byte, int64) (int32, error) {
			if first {
				first = false
				panic("boom")
			}
			return 75, nil
		}}}, "a")
		calcs := start(t, f)
		_, err := calcs[0].Compute(t.Context(), 'A', 10)
		require.ErrorContains(t, err, "boom")
		require.ErrorContains(t, err, "a")
		panicked := lifecycle.Of[lifecycle.CallPanicked](f.events.Events())
		require.Len(t, panicked, 1)
		assert.Equal(t, "a", panicked[0].Module)
		assert.Equal(t, "Compute", panicked[0].Method)
		v, err := calcs[0].Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, v)
	})
	t.Run("of a panic in another process the event has that one's stack", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "a", Compute: func(context.Context, byte, int64) (int32, error) {
			panic(&wire.PanicError{Value: "boom", Stack: "there"})
		}}}, "a")
		_, err := start(t, f)[0].Compute(t.Context(), 'A', 10)
		require.ErrorContains(t, err, "boom")
		panicked := lifecycle.Of[lifecycle.CallPanicked](f.events.Events())
		require.Len(t, panicked, 1)
		assert.Equal(t, "boom", panicked[0].Value)
		assert.Equal(t, "there", panicked[0].Stack)
	})
}
