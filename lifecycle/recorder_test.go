package lifecycle_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

func TestRecorder(t *testing.T) {
	third := func(e lifecycle.Event) bool { return e.Head().Seq == 3 }
	t.Run("waits for an event to come", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			time.AfterFunc(time.Second, func() { publish(r.bus, 2) })
			time.AfterFunc(2*time.Second, func() { publish(r.bus, 2) })
			e, err := r.rec.Wait(t.Context(), third)
			require.NoError(t, err)
			assert.Equal(t, "notice: 0", lifecycle.Line(e))
		})
	})
	t.Run("finds one that is past", func(t *testing.T) {
		r := newRig()
		publish(r.bus, 4)
		e, err := r.rec.Wait(t.Context(), third)
		require.NoError(t, err)
		assert.Equal(t, uint64(3), e.Head().Seq)
	})
	t.Run("gives up with its context and says what it saw", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			publish(r.bus, 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			_, err := r.rec.Wait(ctx, third)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.ErrorContains(t, err, "notice: 0\nnotice: 1")
		})
	})
	t.Run("hands out its own copy", func(t *testing.T) {
		r := newRig()
		publish(r.bus, 2)
		r.rec.Events()[0] = nil
		assert.Equal(t, []string{"notice: 0", "notice: 1"}, r.rec.Lines())
	})
}
