package handle

import (
	"context"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// computer is a Calculator made of a function.
type computer func(ctx context.Context, a byte, b int64) (int32, error)

func (f computer) Compute(ctx context.Context, a byte, b int64) (int32, error) { return f(ctx, a, b) }

func answering(v int32) computer {
	return func(context.Context, byte, int64) (int32, error) { return v, nil }
}

// blocking is a Calculator whose calls stay inside until it is opened.
type blocking struct {
	entered chan struct{}
	open    chan struct{}
	value   int32
}

func newBlocking(v int32) *blocking {
	return &blocking{entered: make(chan struct{}, 64), open: make(chan struct{}), value: v}
}

func (b *blocking) Compute(context.Context, byte, int64) (int32, error) {
	b.entered <- struct{}{}
	<-b.open
	return b.value, nil
}

// spy records what Panicked is told.
type spy struct {
	mu     sync.Mutex
	method []string
	value  []any
	stack  []string
}

func (s *spy) panicked(method string, value any, stack []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.method, s.value, s.stack = append(s.method, method), append(s.value, value), append(s.stack, string(stack))
}

func newHandle(t *testing.T, s *spy) (Handle, calculator.Calculator) {
	t.Helper()
	o := Options{Site: "calculator", Module: "org_example_adder"}
	if s != nil {
		o.Panicked = s.panicked
	}
	h, err := New("Calculator", o)
	require.NoError(t, err)
	return h, h.(calculator.Calculator)
}

func TestEveryRoleWithAnInterfaceHasAHandleOfItsType(t *testing.T) {
	for _, r := range roles.Table() {
		h, err := New(r.Name, Options{})
		if r.Type == nil {
			assert.ErrorContains(t, err, r.Name)
			continue
		}
		require.NoError(t, err, r.Name)
		assert.True(t, reflect.TypeOf(h).Implements(r.Type), r.Name)
	}
	_, err := New("NoSuchRole", Options{})
	assert.EqualError(t, err, `role "NoSuchRole" has no interface, so there is nothing to bind a module to`)
}

func TestBind(t *testing.T) {
	ctx := context.Background()

	t.Run("forwards arguments and results", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(computer(func(_ context.Context, a byte, b int64) (int32, error) { return int32(int64(a) + b), nil })))
		v, err := c.Compute(ctx, 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, v)
	})

	t.Run("hands the caller's context and the module's error on", func(t *testing.T) {
		type key struct{}
		reason := errors.New("overflow")
		h, c := newHandle(t, nil)
		var seen any
		require.NoError(t, h.Bind(computer(func(ctx context.Context, _ byte, _ int64) (int32, error) {
			seen = ctx.Value(key{})
			return 7, reason
		})))
		v, err := c.Compute(context.WithValue(ctx, key{}, "mine"), 1, 2)
		assert.Same(t, reason, err)
		assert.EqualValues(t, 7, v)
		assert.Equal(t, "mine", seen)
	})

	t.Run("refuses an instance of another type and names both", func(t *testing.T) {
		h, _ := newHandle(t, nil)
		err := h.Bind(&strings.Builder{})
		var wrong *TypeError
		require.ErrorAs(t, err, &wrong)
		assert.EqualError(t, err, "site --calculator (role Calculator): module org_example_adder gave a *strings.Builder, "+
			"and the role Calculator wants a calculator.Calculator")
	})

	t.Run("refuses nil and a typed nil", func(t *testing.T) {
		h, c := newHandle(t, nil)
		assert.ErrorContains(t, h.Bind(nil), "gave nil")
		assert.ErrorContains(t, h.Bind((*blocking)(nil)), "gave a nil *handle.blocking")
		_, err := c.Compute(ctx, 1, 2)
		assert.ErrorIs(t, err, ErrUnbound)
	})

	t.Run("refuses a second instance and keeps the first", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(answering(1)))
		assert.ErrorIs(t, h.Bind(answering(2)), ErrBound)
		v, _ := c.Compute(ctx, 1, 2)
		assert.EqualValues(t, 1, v)
	})

	t.Run("may follow an unbind", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(answering(1)))
		require.NoError(t, h.Unbind(ctx))
		require.NoError(t, h.Bind(answering(2)))
		v, _ := c.Compute(ctx, 1, 2)
		assert.EqualValues(t, 2, v)
	})
}

func TestUnbound(t *testing.T) {
	_, c := newHandle(t, nil)
	v, err := c.Compute(context.Background(), 1, 2)
	assert.Zero(t, v)
	assert.ErrorIs(t, err, ErrUnbound)
	assert.EqualError(t, err, "site --calculator (role Calculator): Compute: no module is bound")

	h, err := New("Calculator", Options{})
	require.NoError(t, err)
	_, err = h.(calculator.Calculator).Compute(context.Background(), 1, 2)
	assert.EqualError(t, err, "role Calculator: Compute: no module is bound")
}

func TestPanic(t *testing.T) {
	ctx := context.Background()

	t.Run("becomes the caller's error, is reported, and the site stays bound", func(t *testing.T) {
		var s spy
		h, c := newHandle(t, &s)
		bad := true
		require.NoError(t, h.Bind(computer(func(context.Context, byte, int64) (int32, error) {
			if bad {
				panic("no digits left")
			}
			return 3, nil
		})))
		v, err := c.Compute(ctx, 1, 2)
		var panicked *PanicError
		require.ErrorAs(t, err, &panicked)
		assert.EqualError(t, err, "module org_example_adder (role Calculator) panicked in Compute: no digits left")
		assert.Zero(t, v)
		assert.Equal(t, []string{"Compute"}, s.method)
		assert.Equal(t, []any{"no digits left"}, s.value)
		assert.Contains(t, s.stack[0], "handle_test.go", "the stack shows where the module panicked")

		bad = false
		v, err = c.Compute(ctx, 1, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 3, v)
		require.NoError(t, h.Unbind(ctx), "the call that panicked has left")
	})

	t.Run("with an error can be unwrapped, and its text is bounded", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(computer(func(context.Context, byte, int64) (int32, error) { panic(context.Canceled) })))
		_, err := c.Compute(ctx, 1, 2)
		assert.ErrorIs(t, err, context.Canceled)

		require.NoError(t, h.Replace(ctx, computer(func(context.Context, byte, int64) (int32, error) { panic(strings.Repeat("x", 1<<20)) })))
		_, err = c.Compute(ctx, 1, 2)
		assert.Less(t, len(err.Error()), 2000)
	})

	t.Run("with nil is a panic all the same", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(computer(func(context.Context, byte, int64) (int32, error) { panic(nil) })))
		_, err := c.Compute(ctx, 1, 2)
		var nilPanic *runtime.PanicNilError
		assert.ErrorAs(t, err, &nilPanic)
	})

	t.Run("a module that ends its goroutine is reported and leaves", func(t *testing.T) {
		var s spy
		h, c := newHandle(t, &s)
		require.NoError(t, h.Bind(computer(func(context.Context, byte, int64) (int32, error) { runtime.Goexit(); return 0, nil })))
		returned := false
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = c.Compute(ctx, 1, 2)
			returned = true
		}()
		<-done
		assert.False(t, returned, "nothing can stop a Goexit")
		assert.Equal(t, []any{ErrGoexit}, s.value)
		require.NoError(t, h.Unbind(ctx), "the call is not counted any more")
	})
}

func TestUnbind(t *testing.T) {
	ctx := context.Background()

	t.Run("of a handle without a module does nothing", func(t *testing.T) {
		h, _ := newHandle(t, nil)
		require.NoError(t, h.Unbind(ctx))
	})

	t.Run("waits for the calls inside, lets no other in, and can be repeated", func(t *testing.T) {
		h, c := newHandle(t, nil)
		module := newBlocking(5)
		require.NoError(t, h.Bind(module))
		var calls sync.WaitGroup
		results := make(chan int32, 2)
		for range 2 {
			calls.Go(func() {
				v, err := c.Compute(ctx, 1, 2)
				assert.NoError(t, err)
				results <- v
			})
			<-module.entered
		}

		over, cancel := context.WithCancelCause(ctx)
		cancel(errors.New("the drain limit is over"))
		err := h.Unbind(over)
		var busy *BusyError
		require.ErrorAs(t, err, &busy)
		assert.Equal(t, 2, busy.Calls)
		assert.EqualError(t, err, "site --calculator (role Calculator): 2 calls are still inside module org_example_adder: the drain limit is over")

		_, err = c.Compute(ctx, 1, 2)
		require.ErrorIs(t, err, ErrUnbound)

		require.ErrorAs(t, h.Unbind(over), &busy, "the second waits for the same calls")

		close(module.open)
		require.NoError(t, h.Unbind(ctx))
		calls.Wait()
		assert.EqualValues(t, 5, <-results)
		assert.EqualValues(t, 5, <-results)
		require.NoError(t, h.Unbind(over), "nothing is left to wait for")
	})
}

func TestReplace(t *testing.T) {
	ctx := context.Background()

	t.Run("needs something to replace", func(t *testing.T) {
		h, _ := newHandle(t, nil)
		assert.ErrorIs(t, h.Replace(ctx, answering(1)), ErrUnbound)
	})

	t.Run("refuses an instance of another type and keeps the old one", func(t *testing.T) {
		h, c := newHandle(t, nil)
		require.NoError(t, h.Bind(answering(1)))
		var wrong *TypeError
		require.ErrorAs(t, h.Replace(ctx, 5), &wrong)
		v, err := c.Compute(ctx, 1, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 1, v)
	})

	t.Run("serves new calls from the new one while old calls finish in the old one", func(t *testing.T) {
		h, c := newHandle(t, nil)
		old := newBlocking(1)
		require.NoError(t, h.Bind(old))
		first := make(chan int32)
		go func() {
			v, _ := c.Compute(ctx, 1, 2)
			first <- v
		}()
		<-old.entered

		over, cancel := context.WithCancel(ctx)
		cancel()
		var busy *BusyError
		require.ErrorAs(t, h.Replace(over, answering(2)), &busy)
		assert.Equal(t, 1, busy.Calls)
		assert.ErrorIs(t, busy, context.Canceled)
		v, err := c.Compute(ctx, 1, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 2, v)

		require.ErrorAs(t, h.Unbind(over), &busy, "unbinding also waits for what was replaced")
		close(old.open)
		assert.EqualValues(t, 1, <-first)
		require.NoError(t, h.Unbind(ctx))
	})
}

// generation is an instance that knows whether it may still be called.
type generation struct {
	closed atomic.Bool
	late   *atomic.Int64
}

func (g *generation) Compute(context.Context, byte, int64) (int32, error) {
	if g.closed.Load() {
		g.late.Add(1)
	}
	runtime.Gosched()
	if g.closed.Load() {
		g.late.Add(1)
	}
	return 1, nil
}

func TestUnderLoad(t *testing.T) {
	ctx := context.Background()
	const callers, replacements = 4, 500

	// load calls until stop is closed, and returns how many calls failed.
	load := func(c calculator.Calculator, stop chan struct{}) (wait func() int64) {
		var calls sync.WaitGroup
		var failed atomic.Int64
		for range callers {
			calls.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					if _, err := c.Compute(ctx, 1, 2); err != nil {
						failed.Add(1)
						if !errors.Is(err, ErrUnbound) {
							t.Error(err)
						}
					}
				}
			})
		}
		return func() int64 { calls.Wait(); return failed.Load() }
	}

	t.Run("replacing loses no call and closes nothing that is in use", func(t *testing.T) {
		h, c := newHandle(t, nil)
		var late atomic.Int64
		current := &generation{late: &late}
		require.NoError(t, h.Bind(current))
		stop := make(chan struct{})
		wait := load(c, stop)
		for range replacements {
			next := &generation{late: &late}
			require.NoError(t, h.Replace(ctx, next))
			current.closed.Store(true)
			current = next
		}
		close(stop)
		assert.Zero(t, wait(), "calls that failed")
		assert.Zero(t, late.Load(), "calls inside an instance that was closed")
	})

	t.Run("unbinding closes nothing that is in use, and may be done by two at once", func(t *testing.T) {
		h, c := newHandle(t, nil)
		var late atomic.Int64
		stop := make(chan struct{})
		wait := load(c, stop)
		for range replacements {
			g := &generation{late: &late}
			require.NoError(t, h.Bind(g))
			var both sync.WaitGroup
			for range 2 {
				both.Go(func() { assert.NoError(t, h.Unbind(ctx)) })
			}
			both.Wait()
			g.closed.Store(true)
		}
		close(stop)
		wait()
		assert.Zero(t, late.Load(), "calls inside an instance that was closed")
	})
}

func TestACallDoesNotAllocate(t *testing.T) {
	h, c := newHandle(t, nil)
	require.NoError(t, h.Bind(answering(1)))
	ctx := context.Background()
	assert.Zero(t, testing.AllocsPerRun(1000, func() { _, _ = c.Compute(ctx, 1, 2) }))
}

func TestLongPanicIsCutBetweenRunes(t *testing.T) {
	err := &PanicError{Module: "m", Role: "R", Method: "Do", Value: "x" + strings.Repeat("ü", maxPanicText)}
	want := "module m (role R) panicked in Do: x" + strings.Repeat("ü", (maxPanicText-1)/2) + "…"
	assert.Equal(t, want, err.Error())
}
