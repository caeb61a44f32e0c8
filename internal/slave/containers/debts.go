package containers

import (
	"context"

	"github.com/mesos-modules/mms/internal/outage"
)

// debt is a call that could not be made because its module was away.
type debt struct {
	c       *container
	cleanup string // the isolator that has to clean up; empty: somebody is to know what the container may use
	pay     func(ctx context.Context) error
}

// maxOwed bounds the calls that wait for modules; the oldest are given up first.
const maxOwed = 4096

func (s *Service) owe(d debt) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.owed = append(s.owed, d)
	if over := len(s.owed) - maxOwed; over > 0 {
		s.owed = s.owed[over:]
	}
}

// oweCleanup has an isolator clean up after a container when it is there again.
func (s *Service) oweCleanup(i Isolator, c *container) {
	s.Log.Warn("an isolator is away, and will clean up later", "isolator", i.Name, "container", c.key)
	s.owe(debt{c: c, cleanup: i.Name, pay: func(ctx context.Context) error { return i.Cleanup(ctx, c.id) }})
}

// oweUse has all modules told again what a container may use.
func (s *Service) oweUse(c *container) {
	s.owe(debt{c: c, pay: func(ctx context.Context) error {
		c.calls.Lock()
		defer c.calls.Unlock()
		if v, err := s.view(c.id); err != nil || v.state >= destroying {
			return nil
		}
		return s.tellUse(ctx, c) // owes it again if need be
	}})
}

// Renewed says that a module is there again: calls are made that waited for one. It does
// not wait for them.
func (s *Service) Renewed() {
	s.mu.Lock()
	defer s.mu.Unlock()
	owed := s.owed
	s.owed = nil
	if len(owed) == 0 || s.ctx.Err() != nil {
		return
	}
	s.work.Go(func() {
		for _, d := range owed {
			err := d.pay(s.ctx)
			switch {
			case err == nil || s.ctx.Err() != nil:
			case outage.Is(err): // another module is back
				s.owe(d)
			default:
				s.Log.Error("a module that is there again failed", "container", d.c.key, "error", err)
			}
		}
	})
}
