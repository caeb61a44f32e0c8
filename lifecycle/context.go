package lifecycle

import (
	"context"
	"sync"
	"time"
)

// stepContext is the context of a step: it ends with its parent, with the stack that
// the step is a start of, at its limit, and with the step. Most steps never look at theirs, and the timer in it costs more than
// the rest of a guarded step; so it is a shell around a context from the standard
// library that is made when first asked for. (Value too asks for it: so the
// standard library finds its own type inside, and derives from it cheaply.)
type stepContext struct {
	parent   context.Context
	stack    context.Context // nil for a step that belongs to none
	limit    time.Duration
	deadline time.Time // its own; the parent may have an earlier one

	mu     sync.Mutex
	ended  bool
	inner  context.Context
	cancel context.CancelFunc
}

func newStepContext(parent, stack context.Context, limit time.Duration) *stepContext {
	return &stepContext{parent: parent, stack: stack, limit: limit, deadline: time.Now().Add(limit)}
}

// Deadline implements [context.Context].
func (c *stepContext) Deadline() (time.Time, bool) {
	if d, ok := c.parent.Deadline(); ok && d.Before(c.deadline) {
		return d, true
	}
	return c.deadline, true
}

// Done implements [context.Context].
func (c *stepContext) Done() <-chan struct{} { return c.made().Done() }

// Err implements [context.Context].
func (c *stepContext) Err() error { return c.made().Err() }

// Value implements [context.Context].
func (c *stepContext) Value(key any) any { return c.made().Value(key) }

func (c *stepContext) made() context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.inner == nil {
		parent, leave := until(c.parent, c.stack)
		inner, cancel := context.WithDeadlineCause(parent, c.deadline, limitPassed(c.limit))
		c.inner, c.cancel = inner, func() { cancel(); leave() }
		if c.ended {
			c.cancel()
		}
	}
	return c.inner
}

// end ends the context, for whoever still holds it.
func (c *stepContext) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ended = true
	if c.cancel != nil {
		c.cancel()
	}
}

// until returns a context that ends with both, for the same cause, and what releases it.
func until(parent, other context.Context) (context.Context, func()) {
	if other == nil {
		return parent, func() {}
	}
	ctx, cancel := context.WithCancelCause(parent)
	stop := context.AfterFunc(other, func() { cancel(context.Cause(other)) })
	return ctx, func() { stop(); cancel(nil) }
}
