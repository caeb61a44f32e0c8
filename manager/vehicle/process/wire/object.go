package wire

import (
	"context"
	"net"
	"slices"
)

// MaxObjects is how many sinks, and how many contexts that last, the other side may
// lend at a time.
const MaxObjects = 1 << 20

// The root's methods that the connection answers itself.
const (
	methodHello   = "hello"
	methodEnd     = "end"     // contexts of calls that have returned end: ids, cause
	methodRelease = "release" // objects are not held any more: ids
)

// Export lends s to the other side, until Withdraw or the end of the connection. The
// id, from 1, is what the other side makes a Remote of.
func (c *Conn) Export(s Servant) (id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	if c.lent == nil {
		return c.last // the connection has ended
	}
	c.lent[c.last] = s
	if sink, ok := s.(*lentSink); ok && sink.of != nil {
		sink.of.sinks[c.last] = struct{}{}
	}
	return c.last
}

// Withdraw takes objects back: calls that are under way go on, others get an
// *UnknownObjectError.
func (c *Conn) Withdraw(ids ...uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range ids {
		if sink, ok := c.lent[id].(*lentSink); ok && sink.of != nil {
			delete(sink.of.sinks, id)
		}
		delete(c.lent, id)
	}
}

func (c *Conn) servant(id uint64) Servant {
	if id == 0 {
		return ServantFunc(c.serveRoot)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lent[id]
}

// Handle answers a call: it is for the link.
func (c *Conn) Handle(ctx context.Context, object uint64, method string, args []byte) (answer []byte) {
	s := c.servant(object)
	if s == nil {
		return answerOf(c, &UnknownObjectError{ID: object})
	}
	c.order.Add(1)
	returned := false
	defer func() {
		c.order.Add(1)
		if returned {
			return
		}
		// Nil means runtime.Goexit, which the link answers.
		if value := recover(); value != nil {
			answer = c.panicked(s, value)
		}
	}()
	answer = c.serve(ctx, s, method, args)
	returned = true
	return answer
}

func (c *Conn) serve(ctx context.Context, s Servant, method string, args []byte) []byte {
	in, out := &Decoder{b: args, whole: args, method: method}, newAnswer()
	err := s.Serve(ctx, c, method, in, out)
	if in.scope != nil {
		in.scope.settle(ctx)
	}
	if err == nil {
		err = out.err
	}
	if err != nil {
		return answerOf(c, err)
	}
	return out.b
}

func (c *Conn) serveRoot(ctx context.Context, _ *Conn, method string, in *Decoder, out *Encoder) error {
	switch method {
	case methodHello:
		return c.serveHello(in, out)
	case methodEnd:
		return c.serveEnd(in)
	case methodRelease:
		ids := in.Uint64s()
		if err := in.Err(); err != nil {
			return err
		}
		c.Withdraw(ids...)
		return nil
	}
	if c.config.Root == nil {
		return UnknownMethod("", method)
	}
	return c.config.Root.Serve(ctx, c, method, in, out)
}

// finish is the end of the connection, because of err.
func (c *Conn) finish(err error) {
	if err == nil {
		err = net.ErrClosed
	}
	c.end(err) // the other side's contexts end with it
	c.mu.Lock()
	lifetimes := c.lifetimes
	c.lent, c.lifetimes, c.scopes = nil, nil, nil
	c.mu.Unlock()
	for _, t := range lifetimes {
		t.stop()
	}
}

// Remote is an object of the other side.
type Remote struct {
	c    *Conn
	id   uint64
	gone func() error // Config.Gone, or what Lost was given
}

// Remote returns the other side's object with that id; 0 is its root.
func (c *Conn) Remote(id uint64) *Remote { return &Remote{c: c, id: id, gone: c.config.Gone} }

// Lost returns the same object; why calls on it fail once the connection has ended is
// said by gone, which is as Config.Gone: for errors that name whose object it is.
func (r *Remote) Lost(gone func() error) *Remote { return &Remote{c: r.c, id: r.id, gone: gone} }

// Call has the object answer and returns its results. The error is what the servant
// returned, with its identity (see Identities); *UnknownMethodError and
// *UnknownObjectError if nobody answered; *PanicError if the servant panicked; what
// Config.Gone says if the connection has ended, with the link's error; the cause of
// ctx if that ended first. args is used up; nil means no parameters.
func (r *Remote) Call(ctx context.Context, method string, args *Encoder) (*Decoder, error) {
	select {
	case <-r.c.ready:
	case <-r.c.ctx.Done():
		return nil, r.lost(method, r.c.Err())
	}
	var b []byte
	if args != nil {
		if args.err != nil {
			return nil, within(method, args.err)
		}
		b = args.b
	}
	r.c.order.Add(1)
	answer, err := r.c.carrier.Call(ctx, r.id, method, b)
	r.c.order.Add(1)
	if err != nil {
		return nil, r.failure(ctx, method, err)
	}
	return r.c.read(method, answer)
}

// Lacks returns which of a role's methods the other side does not know, as bits by
// position. A side that did not say hello knows all.
func (r *Remote) Lacks(role string, methods []string) uint64 {
	theirs, ok := r.c.Theirs()
	if !ok {
		return 0
	}
	known := theirs.knows(role)
	var lacks uint64
	for i, m := range methods {
		if !slices.Contains(known, m) {
			lacks |= 1 << i
		}
	}
	return lacks
}

// LackingError is what a call gets of a method that the other side does not know, and
// that has no default.
func (r *Remote) LackingError(role, method string) error {
	return r.c.versions(&UnknownMethodError{Role: role, Method: method})
}
