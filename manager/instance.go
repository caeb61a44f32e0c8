package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// instance is the place of one made module, for as long as somebody wants it. The
// stack undoes it, supervision fills it again behind the same handles, and reports
// show it.
//
// Its stacks lie on one another: outer holds all of it, fills what fills the place,
// and above that each binding has its own. So what fills the place, or binds it, can
// come and go while the order of teardown stands.
type instance struct {
	module     *module           // whose place it is
	parameters facade.Parameters // of module, where it fills the place itself
	number     int               // in the order in which they were wanted
	private    bool              // required by one other instance alone, and made again with that

	outer, fills *lifecycle.Stack

	// Guarded by Manager.mu.
	now      *filling   // nil while nothing fills it
	bindings []*binding // in the order in which they were bound, home first
	making   bool       // it is being made for the first time
	lost     error      // why supervision emptied it; nil if it did not
	refused  error      // why what should stand in for the module does not
}

// filling is an object that fills a place: of the module itself, or of one that stands
// in for it.
type filling struct {
	by    *module
	open  vehicle.Library // that made it
	value any
	uses  []*instance      // handed to it
	stack *lifecycle.Stack // closes it, and what was made for it alone

	stuck bool // calls did not leave it; guarded by Manager.mu
}

// binding is a handle that stands for an instance.
type binding struct {
	inst   *instance
	handle handle.Handle
	phase  lifecycle.Phase // in which it was bound first
	stack  *lifecycle.Stack
	runs   bool // Run is called through it, of a module that runs for itself
}

// newInstance puts an instance that is about to be made into the books. It is out of
// them when outer is unwound.
func (m *Manager) newInstance(mod *module, p facade.Parameters, outer *lifecycle.Stack, private bool) *instance {
	inst := &instance{module: mod, parameters: p, private: private, outer: outer, making: true}
	outer.Finally(func() { m.forget(inst) })
	inst.fills = outer.Nest()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.wanted++
	inst.number = m.wanted
	m.instances[inst] = true
	return inst
}

// forget takes an instance out of the books.
func (m *Manager) forget(inst *instance) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.instances, inst)
	if home := inst.home(); home != nil {
		delete(m.renewals, home)
	}
	if inst.module.shared == inst {
		inst.module.shared = nil
	}
}

// home is the handle that those are given who asked for the instance; nil if it has
// none. m.mu is held.
func (inst *instance) home() handle.Handle {
	if len(inst.bindings) == 0 || inst.bindings[0].phase != lifecycle.Instantiate {
		return nil
	}
	return inst.bindings[0].handle
}

// build makes an instance for the first time, and with home a handle that is bound to
// it. When it fails the caller unwinds the stack.
func (m *Manager) build(ctx context.Context, inst *instance, home bool) error {
	by, err := m.standing(inst.module)
	if err != nil {
		return err
	}
	f, err := m.create(ctx, inst, by)
	if err != nil {
		return err
	}
	var b *binding
	if home {
		h, err := m.newHandle(inst.module.declared.Role, "", inst.module.name)
		if err != nil {
			return fmt.Errorf("module %s: %w", inst.module.name, err)
		}
		b = &binding{inst: inst, handle: h, phase: lifecycle.Instantiate, stack: inst.outer.Nest()}
		if err := m.bindOne(ctx, b, f); err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if inst.lost != nil { // meanwhile
		return fmt.Errorf("module %s: %w", inst.module.name, inst.lost)
	}
	inst.now, inst.making = f, false
	if b != nil {
		inst.bindings = append(inst.bindings, b)
	}
	return nil
}

// create runs a module's constructor as a guarded step, to fill the place of an
// instance, and records how the object is closed. What the module requires and
// nobody in the daemon uses is made with it, and closed after it.
func (m *Manager) create(ctx context.Context, inst *instance, by *module) (*filling, error) {
	p := inst.parameters
	if by != inst.module {
		p = by.parameters
	}
	if err := m.obstacle(by); err != nil {
		return nil, err
	}
	f := &filling{by: by, stack: inst.fills.Nest()}
	others, err := m.lend(ctx, f)
	if err != nil {
		return nil, err
	}
	host := m.newHost(f, others)
	began := m.bus.Now()
	made, _, err := lifecycle.Start(ctx, f.stack,
		by.doing(lifecycle.Instantiate, "create", by.limits.Create),
		func(ctx context.Context) (made vehicle.Instance, err error) {
			err = m.enter(by, func() error {
				made, err = f.open.Create(ctx, by.name, host, p)
				return err
			})
			return made, err
		},
		by.doing(lifecycle.Teardown, "close", by.limits.Close),
		func(ctx context.Context, made vehicle.Instance) error { return m.destroy(ctx, inst, f, made) })
	m.book(by, began, err)
	if err != nil {
		return nil, errors.Join(err, f.stack.Leave(ctx))
	}
	f.value = made.Value
	m.mu.Lock()
	defer m.mu.Unlock()
	by.made = true
	return f, nil
}

// destroy closes an object, unless a call is still inside it. One whose process is
// gone is closed by that.
func (m *Manager) destroy(ctx context.Context, inst *instance, f *filling, made vehicle.Instance) (err error) {
	m.mu.Lock()
	stuck := f.stuck
	if inst.now == f {
		inst.now = nil
	}
	m.mu.Unlock()
	if stuck {
		return errors.New("not closed: calls are still inside it")
	}
	began := m.bus.Now()
	err = errors.New("did not return from close") // stands if it panics
	defer func() { m.book(f.by, began, err) }()
	err = m.enter(f.by, func() error { return made.Destroy(ctx) })
	if cause := goneFrom(f.open); cause != nil {
		if m.seq.Lifetime().Err() != nil {
			m.notice(lifecycle.Header{Phase: lifecycle.Teardown, Module: f.by.name, Library: f.by.library.shown()},
				"closed with its process, which was gone: %s", cause.Detail)
		}
		err = nil
	}
	return err
}

// bindOne binds what fills an instance to a handle, and records how it is unbound: no
// new calls, and a wait for those inside. A module that runs for itself is set going.
func (m *Manager) bindOne(ctx context.Context, b *binding, f *filling) error {
	mod := b.inst.module
	binding, draining := mod.doing(b.phase, "bind", 0), mod.doing(lifecycle.Teardown, "drain", mod.limits.Drain)
	binding.Direct, draining.Direct = true, true // no module code runs in them
	_, _, err := lifecycle.Start(ctx, b.stack, binding,
		func(context.Context) (handle.Handle, error) { return b.handle, b.handle.Bind(f.value) },
		draining,
		func(ctx context.Context, h handle.Handle) error {
			if !m.isLost(b.inst) {
				h.Away(nil)
			}
			return m.drained(f, h.Unbind(ctx))
		})
	if err != nil || !b.runs {
		return err
	}
	return m.setGoing(b, f)
}

func (m *Manager) isLost(inst *instance) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return inst.lost != nil
}

// drained records that calls did not leave an object in time: neither it nor its
// library is closed then.
func (m *Manager) drained(f *filling, err error) error {
	if err != nil {
		m.mu.Lock()
		defer m.mu.Unlock()
		f.stuck, f.by.stuck = true, true
		f.by.failed = errors.Join(f.by.failed, err)
	}
	return err
}

// standing returns the module that fills the places of mod: itself, or if that was
// given up the one that stands in for it.
func (m *Manager) standing(mod *module) (*module, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	by, why := m.filler(mod)
	if by == nil {
		return nil, fmt.Errorf("module %s: %w", mod.name, why)
	}
	return by, nil
}

// filler is standing with m.mu held: nil and why, if there is none.
func (m *Manager) filler(mod *module) (by *module, why error) {
	for seen := []*module{}; mod != nil && !slices.Contains(seen, mod); mod = m.modules[mod.onFailure.Fallback] {
		if mod.givenUp == nil {
			return mod, nil
		}
		why = mod.givenUp
		seen = append(seen, mod)
	}
	return nil, why
}

// obstacle says why no instance of a module can be made now: its process is gone, or
// what it requires is.
func (m *Manager) obstacle(mod *module) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if mod.library.down != nil {
		return fmt.Errorf("module %s: %w", mod.name, mod.goneWith(mod.library.down))
	}
	for _, r := range m.requirements(mod) {
		if other := m.modules[r.Module]; other.shared != nil && other.shared.now == nil && !m.dispensable(r) {
			return fmt.Errorf("module %s requires %s: %w", mod.name, other.name, cmp.Or(other.shared.lost, handle.ErrUnbound))
		}
	}
	return nil
}

// dispensable reports whether who requires this is made without it, as it is lost for
// good. m.mu is held.
func (m *Manager) dispensable(r depgraph.Requirement) bool {
	return r.Kind == depgraph.Optional && m.hopeless(m.modules[r.Module], nil)
}

// hopeless reports whether a module and what could stand in for it are given up, or
// what they require is. known keeps the answers; nil if there are none. m.mu is held.
func (m *Manager) hopeless(mod *module, known map[*module]bool) bool {
	if answer, ok := known[mod]; ok {
		return answer
	}
	if known == nil {
		known = map[*module]bool{}
	}
	known[mod] = true // for whoever comes back to it: verification lets nobody require himself
	by, _ := m.filler(mod)
	known[mod] = by == nil || mod.shared != nil && mod.shared.refused != nil ||
		slices.ContainsFunc(m.requirements(by), func(r depgraph.Requirement) bool {
			return r.Kind != depgraph.Optional && m.hopeless(m.modules[r.Module], known)
		})
	return known[mod]
}
