package wire_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// source is an object that was given a sink and a context, as a module is.
type source struct {
	mu    sync.Mutex
	fail  error
	taker func([]string)
	given context.Context
}

func (s *source) sink(v []string) { s.get()(v) }

func (s *source) get() func([]string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.taker
}

func (s *source) ctx() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given
}

func (s *source) fails(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = err
}

// heard is what a sink was given. In a single process nothing else orders the two sides.
type heard struct {
	mu  sync.Mutex
	all [][]string
}

func (h *heard) take(v []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.all = append(h.all, v)
}

func (h *heard) get() [][]string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.all)
}

func (s *source) Serve(ctx context.Context, c *wire.Conn, _ string, in *wire.Decoder, _ *wire.Encoder) error {
	sink := wire.TakeSink(c, in, (*wire.Encoder).Strings)
	lasting := c.Lasting(ctx, in)
	if err := in.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taker, s.given = sink, lasting
	return s.fail
}

func watch(ctx context.Context, r *wire.Remote, sink func([]string)) error {
	loan := r.Lend(ctx)
	e := wire.NewEncoder()
	wire.PutSink(loan, e, sink, (*wire.Decoder).Strings)
	_, err := loan.Call("Watch", e)
	return err
}

// eventually collects garbage until the condition holds.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !condition(); runtime.Gosched() {
		require.True(t, time.Now().Before(end), "it did not come about")
		runtime.GC()
	}
}

func TestSinks(t *testing.T) {
	t.Run("are called while the other side waits, in order, also after the call", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		var h heard
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.NoError(t, watch(ctx, p.daemon.Remote(p.module.Export(s)), h.take))
		for i := range 200 {
			s.sink([]string{fmt.Sprint(i)})
			require.Len(t, h.get(), i+1)
			require.Equal(t, []string{fmt.Sprint(i)}, h.get()[i])
		}
		s.sink(nil)
		require.Nil(t, h.get()[200])
	})
	t.Run("keep the order that goroutines agree on", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		var h heard
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), h.take))
		var mu sync.Mutex
		var said [][]string
		var all sync.WaitGroup
		for i := range 8 {
			all.Go(func() {
				for j := range 50 {
					mu.Lock()
					v := []string{fmt.Sprint(i, j)}
					said = append(said, v)
					s.sink(v)
					mu.Unlock()
				}
			})
		}
		all.Wait()
		require.Equal(t, said, h.get())
	})
	t.Run("need no lock against the call that they are called in, nor against each other", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		r := p.remote(func(ctx context.Context, c *wire.Conn, _ string, in *wire.Decoder, _ *wire.Encoder) error {
			sink := wire.TakeSink(c, in, (*wire.Encoder).Strings)
			for range 10 {
				sink(nil)
			}
			return nil
		})
		called := 0
		require.NoError(t, watch(t.Context(), r, func([]string) { called++ }))
		require.Equal(t, 10, called)
	})
	t.Run("nil stays nil", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{taker: func([]string) {}}
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), nil))
		require.Nil(t, s.get())
	})
	t.Run("of both directions may call each other", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		there, here := &source{}, &source{}
		var h heard
		require.NoError(t, watch(t.Context(), p.module.Remote(p.daemon.Export(here)), h.take))
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(there)), func(v []string) { here.sink(append(v, "and back")) }))
		there.sink([]string{"there"})
		require.Equal(t, [][]string{{"there", "and back"}}, h.get())
	})
	t.Run("do nothing once the connection has ended", func(t *testing.T) {
		for _, closer := range []func(p pair) error{func(p pair) error { return p.daemon.Close() }, func(p pair) error { return p.module.Close() }} {
			p := linked(t, wire.Config{Gone: func() error { return errors.New("gone") }}, wire.Config{Gone: func() error { return errors.New("gone") }})
			s := &source{}
			require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), func([]string) { t.Error("it was called") }))
			require.NoError(t, closer(p))
			s.sink([]string{"late"})
			<-s.ctx().Done()
			s.sink([]string{"later"})
			<-p.daemon.Done()
			eventually(t, func() bool { objects, contexts := p.daemon.Lent(); return objects+contexts == 0 })
		}
	})
	t.Run("of a call that failed are taken back", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		s.fails(errors.New("not today"))
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.EqualError(t, watch(ctx, p.daemon.Remote(p.module.Export(s)), func([]string) { t.Error("it was called") }), "not today")
		objects, _ := p.daemon.Lent()
		require.Zero(t, objects)
		s.sink([]string{"all the same"})
		require.NoError(t, p.module.Err())
	})
	t.Run("that cannot take what they are given end the connection", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), func([]string) {}))
		s.sink(make([]string, wire.MaxElements+1))
		<-p.module.Done()
		require.ErrorContains(t, p.module.Err(), "what a module said later did not get through: value 1 cannot cross")
		<-p.daemon.Done()
	})
	t.Run("that panic end the connection, and say why where they are", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), func([]string) { panic("a mistake of the daemon") }))
		s.sink(nil)
		<-p.daemon.Done()
		require.EqualError(t, p.daemon.Err(), "a receiver panicked: a mistake of the daemon")
		var panicked *wire.PanicError
		require.ErrorAs(t, p.daemon.Err(), &panicked)
		require.Contains(t, panicked.Stack, "TestSinks")
		<-p.module.Done()
	})
	t.Run("know one method", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(&source{})), func([]string) {}))
		_, err := p.module.Remote(1).Call(t.Context(), "other", nil)
		if _, ok := errors.AsType[*wire.UnknownMethodError](err); !ok { // the context may have been lent first
			_, err = p.module.Remote(2).Call(t.Context(), "other", nil)
		}
		require.IsType(t, &wire.UnknownMethodError{}, err)
	})
	t.Run("more than are allowed are refused", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		p.module.LimitObjects(1)
		one, two := &source{}, &source{}
		require.NoError(t, watch(context.Background(), p.daemon.Remote(p.module.Export(one)), func([]string) {}))
		require.ErrorContains(t, watch(context.Background(), p.daemon.Remote(p.module.Export(two)), func([]string) {}), "more than 1 sinks")
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.NoError(t, watch(ctx, p.daemon.Remote(p.module.Export(two)), nil))
		other, cancel := context.WithCancel(t.Context())
		defer cancel()
		require.ErrorContains(t, watch(other, p.daemon.Remote(p.module.Export(two)), nil), "more than 1 contexts")
		runtime.KeepAlive(one)
	})
}

func TestSinksAreReleased(t *testing.T) {
	t.Run("when nobody holds them any more", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		const many = 300
		id := p.module.Export(&source{})
		released := make(chan struct{}, many)
		var held []*source
		for i := range many {
			s := &source{}
			marker := &struct{ n [64]byte }{}
			runtime.AddCleanup(marker, func(c chan struct{}) { c <- struct{}{} }, released)
			p.module.Withdraw(id)
			id = p.module.Export(s)
			require.NoError(t, watch(context.Background(), p.daemon.Remote(id), func([]string) { runtime.KeepAlive(marker) }))
			if i%3 == 0 {
				held = append(held, s)
			}
		}
		p.module.Withdraw(id)
		eventually(t, func() bool { return len(released) >= many-len(held) })
		sinks, _ := p.module.Borrowed()
		require.Equal(t, len(held), sinks)
		objects, _ := p.daemon.Lent()
		require.Equal(t, len(held), objects)
		for _, s := range held {
			s.sink(nil)
		}
		require.NoError(t, p.module.Err())
		runtime.KeepAlive(held)
	})
	t.Run("not while somebody does, whatever the collector does", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		var heard atomic.Int32
		require.NoError(t, watch(t.Context(), p.daemon.Remote(p.module.Export(s)), func([]string) { heard.Add(1) }))
		for range 20 {
			runtime.GC()
			s.sink(nil)
		}
		require.Equal(t, int32(20), heard.Load())
	})
}

func TestLastingContexts(t *testing.T) {
	t.Run("end with the caller's, after the call", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		ctx, cancel := context.WithCancelCause(t.Context())
		var called atomic.Int32
		require.NoError(t, watch(ctx, p.daemon.Remote(p.module.Export(s)), func([]string) { called.Add(1) }))
		require.NoError(t, s.ctx().Err())
		done := s.ctx().Done()
		for range 5 {
			runtime.GC()
		}
		select {
		case <-done:
			t.Fatal("it has ended")
		default:
		}
		cancel(fmt.Errorf("enough: %w", context.DeadlineExceeded))
		<-done
		require.ErrorIs(t, s.ctx().Err(), context.Canceled)
		require.EqualError(t, context.Cause(s.ctx()), "enough: context deadline exceeded")
		require.ErrorIs(t, context.Cause(s.ctx()), context.DeadlineExceeded)
		s.sink(nil)
		require.Zero(t, called.Load())
		require.NoError(t, p.module.Err())
		eventually(t, func() bool {
			objects, contexts := p.daemon.Lent()
			_, scopes := p.module.Borrowed()
			return objects+contexts+scopes == 0
		})
	})
	t.Run("end during the call", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		r := p.remote(func(ctx context.Context, c *wire.Conn, _ string, in *wire.Decoder, _ *wire.Encoder) error {
			in.Uint64() // no sink
			lasting := c.Lasting(ctx, in)
			cancel()
			<-lasting.Done()
			return lasting.Err()
		})
		require.ErrorIs(t, watch(ctx, r, nil), context.Canceled)
		eventually(t, func() bool { _, scopes := p.module.Borrowed(); return scopes == 0 })
	})
	t.Run("have the deadline", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		require.NoError(t, watch(ctx, p.daemon.Remote(p.module.Export(s)), nil))
		want, _ := ctx.Deadline()
		got, ok := s.ctx().Deadline()
		require.True(t, ok)
		require.WithinDuration(t, want, got, time.Minute)
	})
	t.Run("without an end last as long as the connection", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		s := &source{}
		require.NoError(t, watch(context.Background(), p.daemon.Remote(p.module.Export(s)), nil))
		_, ok := s.ctx().Deadline()
		require.False(t, ok)
		require.NoError(t, s.ctx().Err())
		require.NoError(t, p.daemon.Close())
		<-s.ctx().Done()
	})
	t.Run("are one for all calls with the same", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		s := &source{}
		r := p.daemon.Remote(p.module.Export(s))
		require.NoError(t, watch(ctx, r, nil))
		first := s.ctx()
		s.fails(errors.New("this one fails"))
		require.Error(t, watch(ctx, r, nil))
		s.fails(nil)
		require.NoError(t, watch(ctx, r, nil))
		require.Equal(t, first, s.ctx())
		require.NoError(t, first.Err(), "a call that fails does not end it for others")
		_, contexts := p.daemon.Lent()
		require.Equal(t, 1, contexts)
		cancel()
		<-first.Done()
		require.ErrorIs(t, watch(ctx, r, nil), context.Canceled)
		eventually(t, func() bool { _, contexts := p.daemon.Lent(); return contexts == 0 })
	})
	t.Run("end at once if the caller gave up and the servant comes late", func(t *testing.T) {
		p := linked(t, wire.Config{}, wire.Config{})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		r := p.remote(func(ctx context.Context, c *wire.Conn, _ string, in *wire.Decoder, _ *wire.Encoder) error {
			cancel()
			<-ctx.Done()
			in.Uint64()
			lasting := c.Lasting(ctx, in)
			go func() { <-lasting.Done(); close(ended) }()
			return nil
		})
		require.NoError(t, watch(ctx, r, nil))
		<-ended
	})
}
