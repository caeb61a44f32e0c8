package lifecycle

import (
	"context"
	"sync"
	"time"
)

// stepContext is the context of a step: it ends with its parent, at its limit, and
// with the step. Most steps never look at theirs, and the timer in it costs more than
// the rest of a guarded step; so it is a shell around a context from the standard
// library that is made when first asked for. (Value too asks for it: so the
// standard library finds its own type inside, and derives from it cheaply.)
type stepContext struct {
	parent   context.Context
	limit    time.Duration
	deadline time.Time // its own; the parent may have an earlier one

	mu     sync.Mutex
	ended  bool
	inner  context.Context
	cancel context.CancelFunc
}

func newStepContext(parent context.Context, limit time.Duration) *stepContext {
	return &stepContext{parent: parent, limit: limit, deadline: time.Now().Add(limit)}
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
		c.inner, c.cancel = context.WithDeadlineCause(c.parent, c.deadline, limitPassed(c.limit))
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
