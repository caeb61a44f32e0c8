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

// Sink writes a function of the caller's as the next value of e. take reads what the
// other side hands over and gives it to the function; nil stands for a nil function.
// It is called in the goroutine of a call, and not after the context has ended.
func (l *Loan) Sink(e *Encoder, take func(in *Decoder) error) {
	if take == nil {
		e.Uint64(0)
		return
	}
	id := l.r.c.Export(&lentSink{ctx: l.ctx, take: take})
	l.ids = append(l.ids, id)
	e.Uint64(id)
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

// Sink is a function of the other side's. Whoever holds it may call it; when nobody
// does any more the other side is told.
type Sink struct {
	r    *Remote
	dead atomic.Bool
}

// TakeSink returns the next value of in: nil for a nil function.
func (c *Conn) TakeSink(in *Decoder) *Sink {
	id := in.Uint64()
	if id == 0 || !c.borrow(in) {
		return nil
	}
	s := &Sink{r: c.Remote(id)}
	runtime.AddCleanup(s, c.letGo, id)
	return s
}

// Send hands over what e has and returns when the other side's function has. It does
// nothing once the connection has ended, or the other side's context. What cannot be
// handed over ends the connection: a stream with a hole is worse than none.
func (s *Sink) Send(e *Encoder) {
	defer runtime.KeepAlive(s)
	if s.dead.Load() || s.r.c.ctx.Err() != nil {
		return
	}
	_, err := s.r.Call(context.Background(), "", e)
	if err == nil {
		return
	}
	s.dead.Store(true)
	if _, withdrawn := errors.AsType[*UnknownObjectError](err); withdrawn || errors.Is(err, link.ErrEnded) || s.r.c.Err() != nil {
		return
	}
	_ = s.r.c.fail(fmt.Errorf("what a module said later did not get through: %w", err))
}
