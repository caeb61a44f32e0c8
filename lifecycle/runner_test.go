package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// badError is an error whose method panics.
type badError struct{}

func (badError) Error() string { panic("no text for you") }

func TestRunner(t *testing.T) {
	t.Run("a step that succeeds begins and ends", func(t *testing.T) {
		r := newRig()
		require.NoError(t, r.run.Run(t.Context(), step("a", "create"), succeed))
		assert.Equal(t, []string{"instantiate a create begins", "instantiate a create ends"}, r.rec.Lines())
	})
	t.Run("an error names module, library and step, and stays itself", func(t *testing.T) {
		r := newRig()
		cause := errors.New("no such device")
		s := step("org_a", "create")
		s.Library = "liba.so"
		err := r.run.Run(t.Context(), s, func(context.Context) error { return cause })
		require.ErrorIs(t, err, cause)
		require.EqualError(t, err, "module org_a of library liba.so: create: no such device")
		ended := waitFor[lifecycle.StepEnded](t, r.rec)
		assert.Equal(t, "no such device", ended.Err)
	})
	t.Run("a panic is an error with its stack", func(t *testing.T) {
		r := newRig()
		err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error { panic("ouch") })
		var p *lifecycle.PanicError
		require.ErrorAs(t, err, &p)
		assert.Equal(t, "ouch", p.Value)
		assert.Contains(t, p.Stack, "runner_test.go")
		require.EqualError(t, err, "module a: create: panic: ouch")
		assert.Equal(t, []string{
			"instantiate a create begins",
			"instantiate a create panicked: ouch",
			"instantiate a create ends: panic: ouch",
		}, r.rec.Lines())
	})
	t.Run("a nil dereference is caught as well", func(t *testing.T) {
		r := newRig()
		var nothing *rig
		err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error { nothing.bus = nil; return nil })
		require.ErrorContains(t, err, "module a: create: panic: runtime error: invalid memory address")
	})
	t.Run("Goexit is an error", func(t *testing.T) {
		r := newRig()
		err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error { runtime.Goexit(); return nil })
		require.EqualError(t, err, "module a: create: panic: runtime.Goexit ended the goroutine")
		assert.Len(t, lifecycle.Of[lifecycle.StepPanicked](r.rec.Events()), 1)
	})
	t.Run("an error whose text panics does no harm", func(t *testing.T) {
		r := newRig()
		err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error { return badError{} })
		require.ErrorContains(t, err, "no text for you")
		require.ErrorIs(t, err, badError{})
		assert.Empty(t, lifecycle.Of[lifecycle.StepPanicked](r.rec.Events()), "the step itself did not panic")
	})
	t.Run("text without end is cut and made UTF-8", func(t *testing.T) {
		r := newRig()
		err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error {
			return errors.New("\xff" + strings.Repeat("ä", 1<<20))
		})
		require.Error(t, err)
		text := waitFor[lifecycle.StepEnded](t, r.rec).Err
		assert.Less(t, len(text), 5<<10)
		assert.True(t, strings.HasPrefix(text, "\uFFFDää"))
		assert.True(t, strings.HasSuffix(text, "ä …"))
	})
	t.Run("a step sees its own limit as deadline", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			s := step("a", "create")
			s.Limit = 5 * time.Second
			began := time.Now()
			err := r.run.Run(t.Context(), s, untilDone)
			assert.Equal(t, 5*time.Second, time.Since(began))
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.NotErrorIs(t, err, lifecycle.ErrAbandoned, "it came back")
			require.EqualError(t, err, "module a: create: context deadline exceeded (the limit of 5s passed)")
		})
	})
	t.Run("a step that says itself which limit passed is not told again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			s := step("a", "drain")
			s.Limit = 5 * time.Second
			err := newRig().run.Run(t.Context(), s, func(ctx context.Context) error {
				<-ctx.Done()
				return fmt.Errorf("1 call is still inside: %w", context.Cause(ctx))
			})
			require.EqualError(t, err, "module a: drain: 1 call is still inside: the limit of 5s passed")
		})
	})
	t.Run("a step without limit has the runner's, and on a zero runner the default", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			began := time.Now()
			require.Error(t, r.run.Run(t.Context(), step("a", "create"), untilDone))
			assert.Equal(t, time.Minute, time.Since(began))
			began = time.Now()
			require.Error(t, (&lifecycle.Runner{}).Run(t.Context(), step("a", "create"), untilDone))
			assert.Equal(t, lifecycle.DefaultLimit, time.Since(began))
		})
	})
	t.Run("a hung step is abandoned and named, and its late return is told", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			do, release := hang()
			s := step("a", "create")
			s.Limit = 5 * time.Second
			began := time.Now()
			err := r.run.Run(t.Context(), s, do)
			assert.Equal(t, 6*time.Second, time.Since(began), "limit and grace")
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			require.ErrorIs(t, err, context.DeadlineExceeded)
			var abandoned *lifecycle.AbandonedError
			require.ErrorAs(t, err, &abandoned)
			assert.Equal(t, "a", abandoned.Step.Module)
			assert.Equal(t, 5*time.Second, abandoned.Step.Limit)
			require.EqualError(t, err, "module a: create: did not come back and is abandoned after 6s: the limit of 5s passed")

			time.Sleep(time.Hour) // of the bubble
			release()
			late := waitFor[lifecycle.StepReturnedLate](t, r.rec)
			assert.Equal(t, time.Hour+6*time.Second, late.Duration)
			assert.Equal(t, []string{
				"instantiate a create begins",
				"instantiate a create abandoned (limit 5s): the limit of 5s passed",
				"instantiate a create ends: did not come back and is abandoned after 6s: the limit of 5s passed",
				"instantiate a create returned late",
			}, r.rec.Lines())
		})
	})
	t.Run("late is told after abandoned and ended, however soon it comes", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			do, release := hang()
			r.bus.Observe(func(e lifecycle.Event) {
				if _, ok := e.(lifecycle.StepAbandoned); ok {
					release()
					synctest.Wait() // the step has come back, and would say so if it could
				}
			})
			require.ErrorIs(t, r.run.Run(t.Context(), step("a", "create"), do), lifecycle.ErrAbandoned)
			waitFor[lifecycle.StepReturnedLate](t, r.rec)
			var types []string
			for _, e := range r.rec.Events() {
				types = append(types, e.Type())
			}
			assert.Equal(t, []string{"StepBegan", "StepAbandoned", "StepEnded", "StepReturnedLate"}, types)
		})
	})
	t.Run("a late panic is told and not fatal", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			do, release := hang()
			err := r.run.Run(t.Context(), step("a", "create"), func(ctx context.Context) error { _ = do(ctx); panic("late") })
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			release()
			assert.Equal(t, "panic: late", waitFor[lifecycle.StepReturnedLate](t, r.rec).Err)
		})
	})
	t.Run("success within the grace is success", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			require.NoError(t, r.run.Run(t.Context(), step("a", "create"), func(ctx context.Context) error {
				<-ctx.Done()
				time.Sleep(time.Second / 2)
				return nil
			}))
		})
	})
	t.Run("a step that comes back exactly when it is given up is either, never both", func(t *testing.T) {
		for range 100 {
			synctest.Test(t, func(t *testing.T) {
				r := newRig()
				err := r.run.Run(t.Context(), step("a", "create"), func(context.Context) error {
					time.Sleep(time.Minute + time.Second)
					return nil
				})
				synctest.Wait()
				late := len(lifecycle.Of[lifecycle.StepReturnedLate](r.rec.Events()))
				if err == nil {
					assert.Zero(t, late)
				} else {
					require.ErrorIs(t, err, lifecycle.ErrAbandoned)
					assert.Equal(t, 1, late)
				}
				assert.Len(t, lifecycle.Of[lifecycle.StepEnded](r.rec.Events()), 1)
			})
		}
	})
	t.Run("the end of the caller's context ends the waiting", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r := newRig()
			ctx, cancel := context.WithCancelCause(t.Context())
			do, release := hang()
			defer release()
			time.AfterFunc(time.Second, func() { cancel(errors.New("SIGTERM")) })
			began := time.Now()
			err := r.run.Run(ctx, step("a", "create"), do)
			assert.Equal(t, 2*time.Second, time.Since(began), "cancelled, then the grace")
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			require.ErrorContains(t, err, "SIGTERM")
		})
	})
	t.Run("on a context that has ended nothing begins", func(t *testing.T) {
		r := newRig()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		err := r.run.Run(ctx, step("a", "create"), func(context.Context) error { panic("must not run") })
		require.ErrorIs(t, err, context.Canceled)
		require.EqualError(t, err, "module a: create: not begun: context canceled")
		assert.Empty(t, r.rec.Events())
	})
	t.Run("a runner without a bus is silent", func(t *testing.T) {
		require.NoError(t, (&lifecycle.Runner{}).Run(t.Context(), step("a", "create"), succeed))
	})
}

func TestStepNamesWhatItIsAbout(t *testing.T) {
	for want, s := range map[string]lifecycle.Step{
		"open":                              {Name: "open"},
		"library liba.so: open":             {Library: "liba.so", Name: "open"},
		"module a: create":                  {Module: "a", Name: "create"},
		"module a of library liba.so: bind": {Module: "a", Library: "liba.so", Name: "bind"},
	} {
		assert.Equal(t, want, s.String())
	}
}

func TestStepContext(t *testing.T) {
	type key struct{}
	during := func(t *testing.T, parent context.Context, look func(context.Context)) {
		t.Helper()
		s := step("a", "create")
		s.Limit = time.Minute
		require.NoError(t, newRig().run.Run(parent, s, func(ctx context.Context) error { look(ctx); return nil }))
	}
	t.Run("has the earlier deadline, of the parent or its own, and names the right one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			for _, limit := range []time.Duration{time.Second, time.Hour} {
				parent, cancel := context.WithTimeout(t.Context(), limit)
				during(t, parent, func(ctx context.Context) {
					d, ok := ctx.Deadline()
					assert.True(t, ok)
					assert.Equal(t, min(limit, time.Minute), time.Until(d))
					<-ctx.Done()
					require.ErrorIs(t, ctx.Err(), context.DeadlineExceeded)
					want := "the limit of 1m0s passed"
					if limit < time.Minute {
						want = "context deadline exceeded"
					}
					require.EqualError(t, context.Cause(ctx), want)
				})
				cancel()
			}
		})
	})
	t.Run("hands on the parent's values", func(t *testing.T) {
		during(t, context.WithValue(t.Context(), key{}, "v"), func(ctx context.Context) {
			assert.Equal(t, "v", ctx.Value(key{}))
		})
	})
	t.Run("has ended after the step, looked at before or not, and so have its children", func(t *testing.T) {
		var kept, unseen, child context.Context
		during(t, t.Context(), func(ctx context.Context) {
			require.NoError(t, ctx.Err())
			kept = ctx
			var cancel context.CancelFunc
			child, cancel = context.WithCancel(ctx)
			t.Cleanup(cancel)
		})
		during(t, t.Context(), func(ctx context.Context) { unseen = ctx })
		require.ErrorIs(t, kept.Err(), context.Canceled)
		require.ErrorIs(t, child.Err(), context.Canceled)
		require.ErrorIs(t, unseen.Err(), context.Canceled)
	})
}
