package manager

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Instantiate makes the modules that a site, a requirement or the role Anonymous
// needs, in plan order, each with its requirements handed in. Those of different
// processes are made at the same time. On an error everything made so far is torn
// down.
func (m *Manager) Instantiate(ctx context.Context) error {
	return m.seq.Do(ctx, lifecycle.Instantiate, m.instantiate)
}

func (m *Manager) instantiate(ctx context.Context) error {
	m.seq.Stack().Finally(m.unshare())
	plan := m.Result().Plan
	required := map[string]bool{}
	for _, planned := range plan.Modules {
		for _, name := range planned.Requires {
			required[name] = true
		}
	}
	if err := m.makeAll(ctx, plan, required); err != nil {
		return err
	}
	m.nestOnDemand()
	return nil
}

// unshare returns what puts the books back to where they stand now, for when
// everything that this phase makes is gone: after a phase that was cancelled, others
// may still make instances.
func (m *Manager) unshare() func() {
	m.mu.RLock()
	defer m.mu.RUnlock()
	before := m.adHoc
	return func() {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.adHoc = before
		for _, mod := range m.modules {
			mod.instance, mod.home, mod.stack = nil, nil, nil
		}
	}
}

// nestOnDemand makes the stack for what is made on demand from now on: it lies on
// top of all that such an instance may use, and so is closed before.
func (m *Manager) nestOnDemand() {
	nested := m.seq.Stack().Nest()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.adHoc = nested
}

// makeShared makes the one instance of a module that the daemon and its requirers
// share. Requirers reach it through a handle.
func (m *Manager) makeShared(ctx context.Context, stack *lifecycle.Stack, mod *module, required bool) error {
	value, _, err := m.create(ctx, stack, mod, mod.parameters, nil)
	if err != nil {
		return err
	}
	var home handle.Handle
	if required {
		if home, _, err = m.attached(ctx, stack, lifecycle.Instantiate, mod, value); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.instance, mod.home, mod.stack = value, home, stack
	return nil
}

// create runs the module's constructor as a guarded step and records on the stack
// how the instance is closed. others are requirements that were made for it alone.
func (m *Manager) create(ctx context.Context, stack *lifecycle.Stack, mod *module, p facade.Parameters, others map[string]lent) (any, *lifecycle.Undo, error) {
	host := m.newHost(mod, others)
	began := m.bus.Now()
	made, undo, err := lifecycle.Start(ctx, stack,
		mod.doing(lifecycle.Instantiate, "create", mod.limits.Create),
		func(ctx context.Context) (made vehicle.Instance, err error) {
			err = m.enter(mod, func() error {
				made, err = mod.library.open.Create(ctx, mod.name, host, p)
				return err
			})
			return made, err
		},
		mod.doing(lifecycle.Teardown, "close", mod.limits.Close),
		func(ctx context.Context, made vehicle.Instance) error { return m.destroy(ctx, mod, made) })
	m.book(mod, began, err)
	if err != nil {
		return nil, nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	mod.made = true
	return made.Value, undo, nil
}

// destroy closes an instance, unless a call is still inside it.
func (m *Manager) destroy(ctx context.Context, mod *module, made vehicle.Instance) (err error) {
	m.mu.RLock()
	stuck := mod.stuck
	m.mu.RUnlock()
	if stuck {
		return errors.New("not closed: calls are still inside it")
	}
	began := m.bus.Now()
	err = errors.New("did not return from close") // stands if it panics
	defer func() { m.book(mod, began, err) }()
	err = m.enter(mod, func() error { return made.Destroy(ctx) })
	return err
}

// attached makes a handle of the module's role that is bound to an instance.
func (m *Manager) attached(ctx context.Context, stack *lifecycle.Stack, phase lifecycle.Phase, mod *module, value any) (handle.Handle, *lifecycle.Undo, error) {
	h, err := m.newHandle(mod.declared.Role, "", mod.name)
	if err != nil {
		return nil, nil, fmt.Errorf("module %s: %w", mod.name, err)
	}
	drain, err := m.attach(ctx, stack, phase, mod, h, value)
	return h, drain, err
}

// attach binds an instance to a handle and records how it is unbound: no new
// calls, and a wait for those inside.
func (m *Manager) attach(ctx context.Context, stack *lifecycle.Stack, phase lifecycle.Phase, mod *module, h handle.Handle, value any) (*lifecycle.Undo, error) {
	binding, draining := mod.doing(phase, "bind", 0), mod.doing(lifecycle.Teardown, "drain", mod.limits.Drain)
	binding.Direct, draining.Direct = true, true // no module code runs in them
	_, drain, err := lifecycle.Start(ctx, stack, binding,
		func(context.Context) (handle.Handle, error) { return h, h.Bind(value) },
		draining,
		func(ctx context.Context, h handle.Handle) error { return m.drained(mod, h.Unbind(ctx)) })
	return drain, err
}

// drained records that calls did not leave a module in time: neither its instance
// nor its library is closed then.
func (m *Manager) drained(mod *module, err error) error {
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		mod.stuck = true
		mod.failed = errors.Join(mod.failed, err)
	}
	return err
}
