package wire

import (
	"context"
)

// Loan is a call whose sinks, or whose context, are used after it has returned: until
// the context ends, or nobody on the other side holds the sink any more.
type Loan struct {
	r   *Remote
	ctx context.Context
	of  *lifetime // nil if the context has no end
	ids []uint64  // of the sinks
}

// Lend begins such a call, which Call makes.
func (r *Remote) Lend(ctx context.Context) *Loan {
	return &Loan{r: r, ctx: ctx, of: r.c.enter(ctx)}
}

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
	id = l.r.c.Export(&lentSink{of: l.of, take: take})
	l.ids = append(l.ids, id)
	return id
}

// Call is Remote.Call, once, with the loan's context. If it fails nothing stays lent.
func (l *Loan) Call(method string, e *Encoder) (*Decoder, error) {
	c := l.r.c
	if l.of == nil {
		e.Uint64(0)
	} else {
		e.Uint64(l.of.id)
		defer c.leave(l.of)
	}
	in, err := l.r.Call(l.ctx, method, e)
	if err != nil {
		c.Withdraw(l.ids...)
	}
	return in, err
}

// lifetime is a context that was lent with calls. All calls with one context share it,
// so that there are not more of them than contexts of the caller's.
type lifetime struct {
	id  uint64
	ctx context.Context

	// Guarded by Conn.mu.
	stop  func() bool
	calls int  // under way
	over  bool // the context has ended
	sinks map[uint64]struct{}
}

// enter begins a call with ctx.
func (c *Conn) enter(ctx context.Context) *lifetime {
	done := ctx.Done()
	if done == nil {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.lifetimes[done]
	if t == nil {
		c.last++
		t = &lifetime{id: c.last, ctx: ctx, sinks: map[uint64]struct{}{}}
		if c.lifetimes != nil {
			c.lifetimes[done] = t
			t.stop = context.AfterFunc(ctx, func() { c.over(t) })
		}
	}
	t.calls++
	return t
}

// leave ends such a call.
func (c *Conn) leave(t *lifetime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.calls--
	if t.over && t.calls == 0 {
		go c.conclude(t)
	}
}

// over is called when the context of t has ended. The calls that are under way hear of
// it by themselves; until they have returned the other side may not know t.
func (c *Conn) over(t *lifetime) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t.over = true
	delete(c.lifetimes, t.ctx.Done())
	if t.calls == 0 {
		go c.conclude(t)
	}
}

// conclude takes back what was lent until the context of t ends, and tells the other
// side of the end.
func (c *Conn) conclude(t *lifetime) {
	c.mu.Lock()
	for id := range t.sinks {
		delete(c.lent, id)
	}
	ended := c.lifetimes == nil
	c.mu.Unlock()
	if ended {
		return
	}
	e := NewEncoder()
	e.Uint64(t.id)
	e.Bytes(c.names.encoded(context.Cause(t.ctx)))
	_, _ = c.Remote(0).Call(context.Background(), methodEnd, e) // if the connection has ended, so has the context
}
