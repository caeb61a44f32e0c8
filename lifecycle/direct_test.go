package lifecycle_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

func TestDirect(t *testing.T) {
	direct := step("a", "bind")
	direct.Direct = true

	t.Run("the step runs on the caller's goroutine, others do not", func(t *testing.T) {
		r := newRig()
		var own, other string
		require.NoError(t, r.run.Run(t.Context(), direct, func(context.Context) error { own = goroutine(); return nil }))
		require.NoError(t, r.run.Run(t.Context(), step("a", "create"), func(context.Context) error { other = goroutine(); return nil }))
		assert.Equal(t, goroutine(), own)
		assert.NotEqual(t, goroutine(), other)
	})
	t.Run("it tells its beginning and its end", func(t *testing.T) {
		r := newRig()
		broken := errors.New("broken")
		err := r.run.Run(t.Context(), direct, func(context.Context) error { return broken })
		require.ErrorIs(t, err, broken)
		require.EqualError(t, err, "module a: bind: broken")
		assert.Equal(t, []string{"instantiate a bind begins", "instantiate a bind ends: broken"}, r.rec.Lines())
	})
	t.Run("a panic is an error", func(t *testing.T) {
		r := newRig()
		err := r.run.Run(t.Context(), direct, func(context.Context) error { panic("ouch") })
		require.EqualError(t, err, "module a: bind: panic: ouch")
		assert.Equal(t, "ouch", waitFor[lifecycle.StepPanicked](t, r.rec).Value)
	})
	t.Run("its context ends at its limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			limited := direct
			limited.Limit = 3 * time.Second
			began := time.Now()
			err := r.run.Run(t.Context(), limited, untilDone)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, lifecycle.ErrAbandoned)
			assert.Equal(t, 3*time.Second, time.Since(began))
		})
	})
	t.Run("its context ends with the stack that it is a start of", func(t *testing.T) {
		r := newRig()
		s := lifecycle.NewStack(r.run)
		closed := make(chan error, 1)
		_, _, err := lifecycle.Start(t.Context(), s, direct, func(ctx context.Context) (int, error) {
			go func() { closed <- s.Close(context.Background()) }()
			return 0, untilDone(ctx)
		}, undoing("a"), nil)
		require.ErrorIs(t, err, lifecycle.ErrClosed)
		require.NoError(t, <-closed)
	})
}

// goroutine is the number of the one that asks.
func goroutine() string {
	text := make([]byte, 64)
	return strings.Fields(string(text[:runtime.Stack(text, false)]))[1]
}
