package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
)

// OnRenew says what a new instance behind a handle has to be told before anybody else
// can call it: after the process of a module was started again, after something that
// the module requires was, or when another module takes its place or gives it back.
// held is what the daemon was given: the instance of a site, or one that a factory,
// [LoadModule] or [Create] made. The first instance is not told: that is the daemon's
// own business.
//
// do runs as a guarded step, with the limit of the module's constructor, after the
// instance is made and before it is bound. fresh is the instance itself, for the time
// of the call: what lasts is held, which has to stay out of do, as it answers only
// when do has returned. Calls of held in between fail with an
// error that is handle.ErrUnbound. An error of do counts as a failed start, and is
// undone. Several functions of one handle run in the order in which they came.
//
// It may be called from any goroutine at any time after New. For a value that is no
// handle of m, or of an instance that was closed, nothing ever happens.
func OnRenew[T any](m *Manager, held T, do func(ctx context.Context, fresh T) error) {
	h, ok := any(held).(handle.Handle)
	if !ok {
		return
	}
	m.onRenew(h, func(ctx context.Context, fresh any) error {
		typed, ok := fresh.(T)
		if !ok {
			return fmt.Errorf("the new instance is a %T, not a %T", fresh, held)
		}
		return do(ctx, typed)
	})
}

// renewal is what one function of OnRenew does, whatever its type.
type renewal func(ctx context.Context, fresh any) error

func (m *Manager) onRenew(h handle.Handle, do renewal) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.isHeld(h) {
		m.renewals[h] = append(m.renewals[h], do)
	}
}

// isHeld reports whether the daemon may hold a handle: a site's, or that of an instance
// which was not closed. m.mu is held.
func (m *Manager) isHeld(h handle.Handle) bool {
	for inst := range m.instances {
		if inst.home() == h {
			return true
		}
	}
	return slices.ContainsFunc(m.sites, func(s *site) bool { return slices.Contains(s.handles, h) })
}

// renew tells what is about to fill an instance what the daemon wants it to know. One
// that does not answer is not closed: the call is still inside it.
func (m *Manager) renew(ctx context.Context, inst *instance, f *filling) error {
	for _, do := range m.renewalsOf(inst) {
		err := m.runner.Run(ctx, inst.module.doing(lifecycle.Instantiate, "renew", inst.module.limits.Create),
			func(ctx context.Context) error {
				return m.enter(f.by, func() error { return do(ctx, f.value) })
			})
		if errors.Is(err, lifecycle.ErrAbandoned) {
			return m.drained(f, err)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// renewalsOf returns what is to be told, handle by handle.
func (m *Manager) renewalsOf(inst *instance) (all []renewal) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, b := range inst.bindings {
		all = append(all, m.renewals[b.handle]...)
	}
	return all
}
