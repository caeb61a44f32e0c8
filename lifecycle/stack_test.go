package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
)

// tally counts by name how often things were undone, and in which order.
type tally struct {
	mu    sync.Mutex
	order []string
}

func (c *tally) add(name string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.order = append(c.order, name)
}

func (c *tally) names() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]string{}, c.order...)
}

// start puts modules on the stack; closing one is counted.
func (c *tally) start(t *testing.T, s *lifecycle.Stack, modules ...string) {
	t.Helper()
	for _, m := range modules {
		_, _, err := lifecycle.Start(t.Context(), s, step(m, "create"),
			func(context.Context) (string, error) { return m, nil },
			undoing(m), c.close)
		require.NoError(t, err)
	}
}

func (c *tally) close(ctx context.Context, m string) error {
	c.add(m)
	return ctx.Err()
}

func TestStack(t *testing.T) {
	t.Run("unwinds in reverse order, the second time nothing", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a", "b", "c")
		require.NoError(t, s.Close(t.Context()))
		require.NoError(t, s.Close(t.Context()))
		assert.Equal(t, []string{"c", "b", "a"}, c.names())
		assert.Zero(t, s.Len())
	})
	t.Run("unwinds down to a mark", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a", "b")
		mark := s.Mark()
		c.start(t, s, "c", "d")
		require.NoError(t, s.Unwind(t.Context(), mark))
		assert.Equal(t, []string{"d", "c"}, c.names())
		c.start(t, s, "e")
		require.NoError(t, s.Unwind(t.Context(), mark))
		assert.Equal(t, []string{"d", "c", "e"}, c.names())
		require.NoError(t, s.Unwind(t.Context(), lifecycle.Mark{}))
		assert.Equal(t, []string{"d", "c", "e", "b", "a"}, c.names())
	})
	t.Run("passes what fails, panics or hangs, and reports all", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			s := lifecycle.NewStack(r.run)
			hung, release := hang()
			defer release()
			broken := errors.New("broken pipe")
			c.start(t, s, "a")
			push(t, s, "fails", func(context.Context) error { return broken })
			c.start(t, s, "b")
			push(t, s, "hangs", hung)
			c.start(t, s, "c")
			push(t, s, "panics", func(context.Context) error { panic("ouch") })
			c.start(t, s, "d")

			err := s.Close(t.Context())
			assert.Equal(t, []string{"d", "c", "b", "a"}, c.names())
			require.ErrorIs(t, err, broken)
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			require.EqualError(t, err, "module panics: close: panic: ouch\n"+
				"module hangs: close: did not come back and is abandoned after 1m1s: the limit of 1m0s passed\n"+
				"module fails: close: broken pipe")
			require.NoError(t, s.Close(t.Context()), "each is reported once")
		})
	})
	t.Run("undoes on a living context when the caller's has ended", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a", "b")
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		require.NoError(t, s.Close(ctx))
		assert.Equal(t, []string{"b", "a"}, c.names())
	})
	t.Run("concurrent closes undo each once, in order, and all wait for the end", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		var want []string
		for i := range 100 {
			m := fmt.Sprint("m", 99-i)
			want = append([]string{m}, want...)
			c.start(t, s, m)
		}
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				assert.NoError(t, s.Close(context.Background()))
				assert.Len(t, c.names(), 100)
			})
		}
		wg.Wait()
		assert.Equal(t, want, c.names())
	})
	t.Run("a single undo out of turn is not repeated", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a")
		u := push(t, s, "b", func(context.Context) error { c.add("b"); return errors.New("once") })
		c.start(t, s, "c")
		require.EqualError(t, u.Run(t.Context()), "module b: close: once")
		require.NoError(t, u.Run(t.Context()))
		require.NoError(t, s.Close(t.Context()))
		assert.Equal(t, []string{"b", "c", "a"}, c.names())
	})
	t.Run("an unwinding waits for a single undo under way before it goes below", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			s := lifecycle.NewStack(r.run)
			c.start(t, s, "a")
			slow := push(t, s, "b", func(context.Context) error { time.Sleep(time.Second); c.add("b"); return nil })
			go func() { _ = slow.Run(context.Background()) }()
			synctest.Wait()
			require.NoError(t, s.Close(t.Context()))
			assert.Equal(t, []string{"b", "a"}, c.names())
		})
	})
	t.Run("an undo that closes the stack itself is abandoned and does not block", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			s := lifecycle.NewStack(r.run)
			c.start(t, s, "a")
			push(t, s, "b", s.Close)
			require.ErrorIs(t, s.Close(t.Context()), lifecycle.ErrAbandoned)
			assert.Equal(t, []string{"a"}, c.names())
		})
	})
	t.Run("is usable after a push on a closed one: undone at once", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		require.NoError(t, s.Close(t.Context()))
		u, err := s.Push(undoing("a"), func(context.Context) error { c.add("a"); return nil })
		require.ErrorIs(t, err, lifecycle.ErrClosed)
		assert.Nil(t, u)
		assert.Equal(t, []string{"a"}, c.names())
	})
}

func push(t *testing.T, s *lifecycle.Stack, module string, undo func(context.Context) error) *lifecycle.Undo {
	t.Helper()
	u, err := s.Push(undoing(module), undo)
	require.NoError(t, err)
	return u
}

func TestStart(t *testing.T) {
	t.Run("gives what was made, and undo gets it", func(t *testing.T) {
		r := newRig()
		s := lifecycle.NewStack(r.run)
		made, u, err := lifecycle.Start(t.Context(), s, step("a", "create"),
			func(context.Context) (int, error) { return 75, nil },
			undoing("a"), func(_ context.Context, n int) error { assert.Equal(t, 75, n); return nil })
		require.NoError(t, err)
		assert.Equal(t, 75, made)
		assert.Equal(t, 1, s.Len())
		require.NoError(t, u.Run(t.Context()))
		assert.Equal(t, []string{"instantiate a create", "teardown a close"}, r.rec.Steps())
	})
	t.Run("without undo records nothing", func(t *testing.T) {
		s := lifecycle.NewStack(newRig().run)
		made, u, err := lifecycle.Start(t.Context(), s, step("a", "check"),
			func(context.Context) (int, error) { return 1, nil }, lifecycle.Step{}, nil)
		require.NoError(t, err)
		assert.Equal(t, 1, made)
		assert.Nil(t, u)
		assert.Zero(t, s.Len())
	})
	t.Run("a failure or a panic records nothing", func(t *testing.T) {
		for name, do := range map[string]func(context.Context) (int, error){
			"error": func(context.Context) (int, error) { return 3, errors.New("no") },
			"panic": func(context.Context) (int, error) { panic("no") },
		} {
			t.Run(name, func(t *testing.T) {
				s := lifecycle.NewStack(newRig().run)
				made, u, err := lifecycle.Start(t.Context(), s, step("a", "create"), do, undoing("a"),
					func(context.Context, int) error { panic("must not run") })
				require.ErrorContains(t, err, "module a: create: ")
				assert.Zero(t, made)
				assert.Nil(t, u)
				require.NoError(t, s.Close(t.Context()))
			})
		}
	})
	t.Run("what an abandoned step makes too late is undone at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			s := lifecycle.NewStack(r.run)
			do, release := hang()
			made, u, err := lifecycle.Start(t.Context(), s, step("a", "create"),
				func(ctx context.Context) (string, error) { return "late a", do(ctx) }, undoing("a"), c.close)
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			assert.Empty(t, made)
			assert.Nil(t, u)
			require.NoError(t, s.Close(t.Context()))
			assert.Empty(t, c.names())
			release()
			synctest.Wait()
			assert.Equal(t, []string{"late a"}, c.names())
			lines := r.rec.Lines()
			assert.Equal(t, []string{
				"instantiate a create returned late",
				"teardown a close begins",
				"teardown a close ends",
			}, lines[len(lines)-3:])
		})
	})
	t.Run("what fails too late is not undone", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			do, release := hang()
			_, _, err := lifecycle.Start(t.Context(), lifecycle.NewStack(r.run), step("a", "create"),
				func(ctx context.Context) (string, error) { _ = do(ctx); return "", errors.New("gave up") }, undoing("a"), c.close)
			require.ErrorIs(t, err, lifecycle.ErrAbandoned)
			release()
			assert.Equal(t, "gave up", waitFor[lifecycle.StepReturnedLate](t, r.rec).Err[:7])
			synctest.Wait()
			assert.Empty(t, c.names())
		})
	})
	t.Run("on a closed stack runs nothing", func(t *testing.T) {
		s := lifecycle.NewStack(newRig().run)
		require.NoError(t, s.Close(t.Context()))
		_, _, err := lifecycle.Start(t.Context(), s, step("a", "create"),
			func(context.Context) (int, error) { panic("must not run") }, lifecycle.Step{}, nil)
		require.ErrorIs(t, err, lifecycle.ErrClosed)
		require.EqualError(t, err, "module a: create: being torn down")
	})
	t.Run("close cancels a start under way, waits for it, and undoes what it made", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			r, c := newRig(), &tally{}
			s := lifecycle.NewStack(r.run)
			c.start(t, s, "a")
			var cause error
			go func() {
				_, _, err := lifecycle.Start(context.Background(), s, step("b", "create"), func(ctx context.Context) (string, error) {
					<-ctx.Done()
					cause = context.Cause(ctx)
					return "b", nil // made nevertheless
				}, undoing("b"), c.close)
				assert.NoError(t, err)
			}()
			synctest.Wait()
			require.NoError(t, s.Close(t.Context()))
			assert.Equal(t, []string{"b", "a"}, c.names())
			require.ErrorIs(t, cause, lifecycle.ErrClosed)
		})
	})
}

func TestNest(t *testing.T) {
	t.Run("is unwound where it stands", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a")
		each := s.Nest()
		c.start(t, s, "b")
		c.start(t, each, "e1", "e2")
		require.NoError(t, s.Close(t.Context()))
		assert.Equal(t, []string{"b", "e2", "e1", "a"}, c.names())
		_, err := each.Push(undoing("e3"), succeed)
		require.ErrorIs(t, err, lifecycle.ErrClosed, "it ends with the outer one")
	})
	t.Run("of a closed stack is closed", func(t *testing.T) {
		s := lifecycle.NewStack(newRig().run)
		require.NoError(t, s.Close(t.Context()))
		_, err := s.Nest().Push(undoing("e"), succeed)
		require.ErrorIs(t, err, lifecycle.ErrClosed)
	})
}

func TestFinally(t *testing.T) {
	t.Run("is called where it stands, once, and is no step", func(t *testing.T) {
		r, c := newRig(), &tally{}
		s := lifecycle.NewStack(r.run)
		c.start(t, s, "a")
		s.Finally(func() { c.add("books") })
		c.start(t, s, "b")
		before := len(r.rec.Events())
		require.NoError(t, s.Close(t.Context()))
		require.NoError(t, s.Close(t.Context()))
		assert.Equal(t, []string{"b", "books", "a"}, c.names())
		assert.Len(t, r.rec.Events(), before+4, "of two steps, their beginnings and ends")
	})
	t.Run("on a closed stack is called at once", func(t *testing.T) {
		s, c := lifecycle.NewStack(newRig().run), &tally{}
		require.NoError(t, s.Close(t.Context()))
		s.Finally(func() { c.add("books") })
		assert.Equal(t, []string{"books"}, c.names())
	})
}
