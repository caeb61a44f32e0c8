package wire

import (
	"context"
	"fmt"
)

// scope is a context of the other side's that goes on when calls have returned.
type scope struct {
	c      *Conn
	id     uint64
	ctx    context.Context
	cancel context.CancelCauseFunc
}

// Lasting returns the context of a call that a Loan has made, instead of ctx, which
// ends when the call returns: this one ends when the caller's does, or with the
// connection. It is the last value of in.
func (c *Conn) Lasting(ctx context.Context, in *Decoder) context.Context {
	id := in.Uint64()
	if id == 0 || in.err != nil {
		return c.ctx
	}
	s, err := c.scopeOf(id, ctx)
	if err != nil {
		in.fail(err)
		return c.ctx
	}
	in.scope = &settling{scope: s, stop: context.AfterFunc(ctx, func() { s.cancel(context.Cause(ctx)) })}
	return s.ctx
}

func (c *Conn) scopeOf(id uint64, ctx context.Context) (*scope, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if s := c.scopes[id]; s != nil {
		return s, nil
	}
	if len(c.scopes) >= c.maxObjects {
		return nil, fmt.Errorf("the other side lends more than %d contexts", c.maxObjects)
	}
	s := &scope{c: c, id: id}
	base, release := c.ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		base, release = context.WithDeadline(base, deadline)
	}
	inner, cancel := context.WithCancelCause(base)
	s.ctx = inner
	s.cancel = func(cause error) {
		cancel(cause)
		release()
	}
	if c.scopes != nil { // else the connection has ended, and with it the context
		c.scopes[id] = s
	}
	return s, nil
}

// settling is a call whose context lasts: until it has returned it hears of the end by
// its own context.
type settling struct {
	*scope
	stop func() bool
}

// settle is called when the call has returned, with its own context.
func (s *settling) settle(ctx context.Context) {
	s.stop()
	if ctx.Err() != nil {
		s.c.endScope(s.id, context.Cause(ctx))
	}
}

func (c *Conn) endScope(id uint64, cause error) {
	c.mu.Lock()
	s := c.scopes[id]
	delete(c.scopes, id)
	c.mu.Unlock()
	if s != nil {
		s.cancel(cause)
	}
}

func (c *Conn) serveEnd(in *Decoder) error {
	id, cause := in.Uint64(), in.Bytes()
	if err := in.Err(); err != nil {
		return err
	}
	c.endScope(id, c.names.decoded(cause))
	return nil
}
