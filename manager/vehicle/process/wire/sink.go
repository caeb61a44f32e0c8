package wire

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// Loan is a call whose sinks, or whose context, are used after it has returned: until
// the context ends, or the other side lets go of them.
type Loan struct {
	r   *Remote
	ctx context.Context
	ids []uint64
}

// Lend begins such a call.
func (r *Remote) Lend(ctx context.Context) *Loan { return &Loan{r: r, ctx: ctx} }

// PutSink writes a function of the caller's as the next value of e. take reads what the
// other side hands over. The function is called in the goroutine of a call, and not
// after the loan's context has ended; nil stays nil.
func PutSink[T any](l *Loan, e *Encoder, sink func(T), take func(in *Decoder) T) {
	if sink == nil {
		e.Uint64(0)
		return
	}
	e.Uint64(l.lend(func(in *Decoder) error {
		v := take(in)
		if err := in.Err(); err != nil {
			return err
		}
		sink(v)
		return nil
	}))
}

func (l *Loan) lend(take func(in *Decoder) error) (id uint64) {
	id = l.r.c.Export(&lentSink{ctx: l.ctx, take: take})
	l.ids = append(l.ids, id)
	return id
}

// Call is Remote.Call.
func (l *Loan) Call(method string, e *Encoder) (*Decoder, error) {
	c := l.r.c
	if l.ctx.Done() == nil {
		e.Uint64(0)
		in, err := l.r.Call(l.ctx, method, e)
		if err != nil {
			c.Withdraw(l.ids...)
		}
		return in, err
	}
	all := &lifetime{}
	id := c.Export(all)
	e.Uint64(id)
	in, err := l.r.Call(l.ctx, method, e)
	if err == nil {
		all.watch(l.ctx, func() { c.over(l.ctx, id, l.ids) })
		return in, nil
	}
	c.Withdraw(append(l.ids, id)...)
	if l.ctx.Err() != nil { // the servant may not have returned yet, and its context not know
		go c.tellEnd(id, context.Cause(l.ctx))
	}
	return nil, err
}

// lentSink is a function that was lent.
type lentSink struct {
	ctx  context.Context
	take func(in *Decoder) error
}

// Serve hands one value over.
func (s *lentSink) Serve(_ context.Context, _ *Conn, method string, in *Decoder, _ *Encoder) error {
	if method != "" {
		return UnknownMethod("", method)
	}
	if s.ctx.Err() != nil {
		return nil
	}
	return s.take(in)
}

// lifetime is a context that was lent with a call.
type lifetime struct {
	mu        sync.Mutex
	forgotten bool
	stop      func() bool
}

// watch has over called when ctx ends, unless the other side let go of it before.
func (t *lifetime) watch(ctx context.Context, over func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.forgotten {
		t.stop = context.AfterFunc(ctx, over)
	}
}

func (t *lifetime) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.forgotten = true
	if t.stop != nil {
		t.stop()
	}
}

// Serve knows no method: a context has none.
func (t *lifetime) Serve(_ context.Context, _ *Conn, method string, _ *Decoder, _ *Encoder) error {
	return UnknownMethod("", method)
}

// over is the end of a context that was lent, with its sinks.
func (c *Conn) over(ctx context.Context, id uint64, sinks []uint64) {
	c.Withdraw(append(sinks, id)...)
	c.tellEnd(id, context.Cause(ctx))
}

func (c *Conn) tellEnd(id uint64, cause error) {
	e := NewEncoder()
	e.Uint64(id)
	e.Bytes(c.names.encoded(cause))
	_, _ = c.Remote(0).Call(context.Background(), methodEnd, e) // a connection that has ended has ended the context too
}

// TakeSink returns the next value of in, a function of the other side's; put writes what
// is handed over. The function returns when the other side's has. It does nothing once
// the connection has ended, or the context that it was lent for. What cannot be handed
// over ends the connection: a stream with a hole is worse than none. When nobody holds
// the function any more, the other side is told. Nil stays nil.
func TakeSink[T any](c *Conn, in *Decoder, put func(e *Encoder, v T)) func(T) {
	id := in.Uint64()
	if id == 0 || !c.borrow(in) {
		return nil
	}
	s := &sink{r: c.Remote(id)}
	runtime.AddCleanup(s, c.letGo, id)
	return func(v T) {
		if s.over() {
			return
		}
		e := NewEncoder()
		put(e, v)
		s.send(e)
	}
}

// sink is a function of the other side's.
type sink struct {
	r    *Remote
	dead atomic.Bool
}

func (s *sink) over() bool { return s.dead.Load() || s.r.c.ctx.Err() != nil }

func (s *sink) send(e *Encoder) {
	_, err := s.r.Call(context.Background(), "", e)
	runtime.KeepAlive(s)
	if err == nil {
		return
	}
	s.dead.Store(true)
	if _, withdrawn := errors.AsType[*UnknownObjectError](err); withdrawn || errors.Is(err, link.ErrEnded) || s.r.c.ctx.Err() != nil {
		return
	}
	_ = s.r.c.fail(fmt.Errorf("what a module said later did not get through: %w", err))
}
