package wire

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

// scope is the context of a call that returned, or will, and whose context goes on.
type scope struct {
	c      *Conn
	id     uint64
	cancel context.CancelCauseFunc
	stop   func() bool // no longer listen to the call's own context
}

// lasting is a context that the other side is told of when nobody holds it any more.
type lasting struct{ context.Context }

// Lasting returns the context of a call that Loan.Call made, instead of ctx, which
// ends when the call returns: this one ends when the caller's does, or the
// connection, or with an error of the call. It is the last value of in.
func (c *Conn) Lasting(ctx context.Context, in *Decoder) context.Context {
	id := in.Uint64()
	if id == 0 {
		return c.ctx
	}
	if in.err != nil || !c.borrow(in) {
		return ctx
	}
	s := &scope{c: c, id: id}
	base, stopTimer := c.ctx, context.CancelFunc(func() {})
	if deadline, ok := ctx.Deadline(); ok {
		base, stopTimer = context.WithDeadline(base, deadline)
	}
	inner, cancel := context.WithCancelCause(base)
	s.cancel = func(cause error) { cancel(cause); stopTimer() }
	if !c.open(s) {
		s.cancel(nil)
		in.fail(fmt.Errorf("context %d is there twice", id))
		return ctx
	}
	s.stop = context.AfterFunc(ctx, func() { s.cancel(context.Cause(ctx)) })
	in.scope = s
	l := &lasting{inner}
	runtime.AddCleanup(l, c.letGo, id)
	return l
}

// settle is called when the call has returned err.
func (s *scope) settle(ctx context.Context, err error) {
	s.stop()
	if err != nil || ctx.Err() != nil {
		s.c.endScope(s.id, errors.Join(context.Cause(ctx), err))
	}
}

func (c *Conn) open(s *scope) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.scopes == nil || c.scopes[s.id] != nil {
		return c.scopes == nil // the connection has ended, and with it the context
	}
	c.scopes[s.id] = s
	return true
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

// borrow counts an object of the other side's that is held here.
func (c *Conn) borrow(in *Decoder) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.borrowed >= MaxObjects {
		in.fail(fmt.Errorf("the other side lends more than %d objects", MaxObjects))
		return false
	}
	c.borrowed++
	return true
}

// letGo is called when nobody holds an object of the other side's any more. The other
// side is told of many at a time.
func (c *Conn) letGo(id uint64) {
	c.endScope(id, nil)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.borrowed--
	if c.lent == nil {
		return // the connection has ended
	}
	c.released = append(c.released, id)
	if !c.telling {
		c.telling = true
		go c.tellReleased()
	}
}

func (c *Conn) tellReleased() {
	for {
		c.mu.Lock()
		ids := c.released
		c.released = nil
		c.telling = len(ids) > 0
		c.mu.Unlock()
		if len(ids) == 0 {
			return
		}
		e := NewEncoder()
		e.Uint64s(ids)
		_, _ = c.Remote(0).Call(context.Background(), methodRelease, e) // a connection that has ended has released all
	}
}
