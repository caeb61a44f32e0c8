package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
)

// Bind assigns the instances to the handles that the daemon holds, in the order of
// the sites, and sets the anonymous modules going.
func (m *Manager) Bind(ctx context.Context) error {
	return m.seq.Do(ctx, lifecycle.Bind, m.bind)
}

func (m *Manager) bind(ctx context.Context) error {
	for _, s := range m.sites {
		if err := m.bindSite(ctx, s); err != nil {
			return err
		}
	}
	return nil
}

func (m *Manager) bindSite(ctx context.Context, s *site) error {
	if s.Takes == roles.All {
		return m.runAll(ctx, s)
	}
	for i, h := range s.handles {
		if i >= len(s.names) {
			break // nothing is bound to a site that takes one
		}
		mod := m.moduleOf(s.names[i])
		if _, err := m.attach(ctx, m.seq.Stack(), lifecycle.Bind, mod, h, mod.instance); err != nil {
			return fmt.Errorf("bind --%s: %w", s.Flag, err)
		}
		m.reached(lifecycle.Bind, mod)
	}
	return nil
}

// runAll gives every module of the role Anonymous a goroutine of its own.
func (m *Manager) runAll(ctx context.Context, s *site) error {
	for _, mod := range m.modulesOf(s.role.Name) {
		if err := m.runOne(ctx, mod); err != nil {
			return err
		}
		m.reached(lifecycle.Bind, mod)
	}
	return nil
}

// runOne starts Run and records the wait for its return: it is told to end by the
// lifetime that all instances share.
func (m *Manager) runOne(ctx context.Context, mod *module) error {
	h, _, err := m.attached(ctx, m.seq.Stack(), lifecycle.Bind, mod, mod.instance)
	if err != nil {
		return err
	}
	runs, ok := h.(anonymous.Anonymous)
	if !ok {
		return fmt.Errorf("module %s: the handle of role %s is a %T, which cannot run", mod.name, mod.declared.Role, h)
	}
	life, cancel := context.WithCancel(m.seq.Lifetime())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.ran(mod, runs.Run(life))
	}()
	stopping := mod.doing(lifecycle.Teardown, "stop", mod.limits.Drain)
	stopping.Direct = true // it only waits
	_, err = m.seq.Stack().Push(stopping, func(ctx context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return m.drained(mod, fmt.Errorf("its Run did not return: %w", ctx.Err()))
		}
	})
	if err != nil {
		cancel()
	}
	return err
}

// ran reports how the Run of an anonymous module ended. Ending because it was
// told to is no news.
func (m *Manager) ran(mod *module, err error) {
	switch {
	case err == nil, m.seq.Lifetime().Err() != nil && errors.Is(err, context.Canceled):
	default:
		m.mu.Lock()
		mod.failed = errors.Join(mod.failed, err)
		m.mu.Unlock()
		m.notice(lifecycle.Header{Phase: lifecycle.Bind, Module: mod.name, Library: mod.library.shown()}, "Run ended with an error: %v", err)
	}
}

// modulesOf returns the loaded modules of a role in plan order.
func (m *Manager) modulesOf(role string) []*module {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(m.order), func(mod *module) bool {
		return mod.declared.Role != role || mod.instance == nil
	})
}
