package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
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
	if err := m.allAlive(); err != nil {
		return err
	}
	m.supervise()
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
		if err := m.bindTo(ctx, mod.shared, h, false); err != nil {
			return fmt.Errorf("bind --%s: %w", s.Flag, err)
		}
		m.reached(lifecycle.Bind, mod)
	}
	return nil
}

// bindTo binds a shared instance to one more handle.
func (m *Manager) bindTo(ctx context.Context, inst *instance, h handle.Handle, runs bool) error {
	b := &binding{inst: inst, handle: h, phase: lifecycle.Bind, stack: m.seq.Stack().Nest(), runs: runs}
	if err := m.bindOne(ctx, b, inst.now); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.bindings = append(inst.bindings, b)
	return nil
}

// runAll gives every module of the role Anonymous a goroutine of its own.
func (m *Manager) runAll(ctx context.Context, s *site) error {
	for _, mod := range m.modulesOf(s.role.Name) {
		h, err := m.newHandle(mod.declared.Role, "", mod.name)
		if err != nil {
			return fmt.Errorf("module %s: %w", mod.name, err)
		}
		if err := m.bindTo(ctx, mod.shared, h, true); err != nil {
			return err
		}
		m.reached(lifecycle.Bind, mod)
	}
	return nil
}

// setGoing starts Run and records the wait for its return: it is told to end by the
// lifetime that all instances share.
func (m *Manager) setGoing(b *binding, f *filling) error {
	mod := b.inst.module
	runs, ok := b.handle.(anonymous.Anonymous)
	if !ok {
		return fmt.Errorf("module %s: the handle of role %s is a %T, which cannot run", mod.name, mod.declared.Role, b.handle)
	}
	life, cancel := context.WithCancel(m.seq.Lifetime())
	done := make(chan struct{})
	go func() {
		defer close(done)
		m.ran(f, life, runs.Run(life))
	}()
	stopping := mod.doing(lifecycle.Teardown, "stop", mod.limits.Drain)
	stopping.Direct = true // it only waits
	_, err := b.stack.Push(stopping, func(ctx context.Context) error {
		cancel()
		select {
		case <-done:
			return nil
		case <-ctx.Done():
			return m.drained(f, fmt.Errorf("its Run did not return: %w", ctx.Err()))
		}
	})
	if err != nil {
		cancel()
	}
	return err
}

// ran reports how the Run of an anonymous module ended. Ending because it was
// told to is no news, and that its process is gone is told by supervision.
func (m *Manager) ran(f *filling, life context.Context, err error) {
	switch {
	case err == nil, life.Err() != nil && errors.Is(err, context.Canceled), goneFrom(f.open) != nil:
	default:
		m.mu.Lock()
		f.by.failed = errors.Join(f.by.failed, err)
		m.mu.Unlock()
		m.notice(lifecycle.Header{Phase: lifecycle.Bind, Module: f.by.name, Library: f.by.library.shown()}, "Run ended with an error: %v", err)
	}
}

// modulesOf returns the loaded modules of a role in plan order.
func (m *Manager) modulesOf(role string) []*module {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(m.order), func(mod *module) bool {
		return mod.declared.Role != role || mod.shared == nil
	})
}
