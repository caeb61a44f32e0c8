package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// leave marks the instances that the end of a process leaves without ground: those in
// it, and those that require one of them, however far. From now on their handles say
// why. It returns those that have to be emptied, in plan order; one that is being made
// is left to its maker.
func (m *Manager) leave(lib *library, cause *vehicle.GoneError) []*instance {
	m.mu.Lock()
	why := map[*instance]error{}
	var left []*instance
	var events []lifecycle.Event
	for _, inst := range m.inOrder() {
		reason := m.groundless(inst, lib, cause, why)
		if reason == nil {
			continue
		}
		for _, b := range inst.bindings {
			b.handle.Away(reason)
		}
		if inst.private {
			continue
		}
		inst.lost, inst.now = reason, nil
		if !inst.making {
			left = append(left, inst)
		}
		if mod := inst.module; mod.lives.lost(m.bus.Now(), reason) {
			events = append(events, lifecycle.ModuleLost{Header: mod.header(), Cause: reason.Error()})
		}
	}
	m.mu.Unlock()
	m.tell(events)
	return left
}

// tell publishes events, without the lock.
func (m *Manager) tell(events []lifecycle.Event) {
	for _, e := range events {
		m.bus.Publish(e)
	}
}

// groundless returns why an instance cannot stay when the process of lib has ended, or
// nil if it can. why keeps the answers. m.mu is held.
func (m *Manager) groundless(inst *instance, lib *library, cause *vehicle.GoneError, why map[*instance]error) (reason error) {
	if known, ok := why[inst]; ok {
		return known
	}
	defer func() { why[inst] = reason }()
	switch f := inst.now; {
	case f != nil && f.by.library == lib:
		return f.by.goneWith(cause)
	case f != nil:
		for _, other := range f.uses {
			if lost := m.groundless(other, lib, cause, why); lost != nil {
				return fmt.Errorf("%s, which it requires, is lost: %w", other.module.name, lost)
			}
		}
		return nil
	case inst.making && m.standsOn(inst.module, lib, map[*module]bool{}):
		return inst.module.goneWith(cause)
	default:
		return nil
	}
}

// standsOn reports whether a module is of the library, or requires one that is. known
// keeps the answers. m.mu is held.
func (m *Manager) standsOn(mod *module, lib *library, known map[*module]bool) bool {
	if answer, ok := known[mod]; ok {
		return answer
	}
	known[mod] = mod.library == lib || slices.ContainsFunc(m.requirements(mod), func(r depgraph.Requirement) bool {
		return m.standsOn(m.modules[r.Module], lib, known)
	})
	return known[mod]
}

// inOrder returns all instances in plan order, those of one module as they were wanted.
// m.mu is held.
func (m *Manager) inOrder() []*instance {
	all := slices.Collect(maps.Keys(m.instances))
	slices.SortFunc(all, func(a, b *instance) int {
		return cmp.Or(cmp.Compare(a.module.place, b.module.place), cmp.Compare(a.number, b.number))
	})
	return all
}

// empty unbinds, drains and closes what fills the places, in reverse order, each once.
// What fails is told by its step and passed.
func (m *Manager) empty(ctx context.Context, places []*instance) {
	for _, inst := range slices.Backward(places) {
		for _, b := range slices.Backward(m.bindingsOf(inst)) {
			_ = b.stack.Unwind(ctx, lifecycle.Mark{})
		}
		_ = inst.fills.Unwind(ctx, lifecycle.Mark{})
	}
}

func (m *Manager) bindingsOf(inst *instance) []*binding {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.Clone(inst.bindings)
}

// refill makes, in plan order, the instances of a group that supervision emptied and
// that nothing stands in the way of any more, then binds them. It returns them. lib is the library
// whose process is new: if one fails, refill undoes what it did and returns the error.
// But what stands in for another module may fail, and without lib everything may: it is
// kept with the instance, which stays empty.
func (m *Manager) refill(ctx context.Context, g *group, lib *library) ([]*instance, error) {
	var done []*instance
	for _, inst := range m.emptied(g) {
		if m.hindered(inst) {
			continue
		}
		err := m.fillAgain(ctx, inst)
		switch {
		case err == nil:
			done = append(done, inst)
		case errors.Is(err, lifecycle.ErrClosed) || m.hindered(inst): // given back, or without ground again
		case lib == nil || m.standIn(inst):
			m.refuse(inst, err)
		default:
			m.empty(ctx, done)
			return nil, err
		}
	}
	for _, inst := range done {
		if err := m.bindAgain(ctx, inst); err != nil && !errors.Is(err, lifecycle.ErrClosed) {
			m.empty(ctx, done)
			return nil, err
		}
	}
	return done, nil
}

// restarted tells which modules are there again.
func (m *Manager) restarted(done []*instance) {
	m.mu.Lock()
	var events []lifecycle.Event
	for _, inst := range done {
		mod := inst.module
		if inst.now == nil || inst.now.by != mod {
			continue
		}
		if out, ok := mod.lives.restarted(m.bus.Now()); ok {
			events = append(events, lifecycle.ModuleRestarted{Header: mod.header(), Duration: out})
		}
	}
	m.mu.Unlock()
	m.tell(events)
}

// emptied returns, in plan order, the instances of a group that supervision emptied.
func (m *Manager) emptied(g *group) []*instance {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.DeleteFunc(m.inOrder(), func(inst *instance) bool {
		return inst.module.group != g || inst.lost == nil || inst.making || inst.private || inst.now != nil
	})
}

// hindered reports whether something stands in the way of filling an instance.
func (m *Manager) hindered(inst *instance) bool {
	by, err := m.standing(inst.module)
	return err != nil || m.obstacle(by) != nil || goneFrom(by.library.open) != nil
}

// standIn reports whether another module fills the place.
func (m *Manager) standIn(inst *instance) bool {
	by, err := m.standing(inst.module)
	return err == nil && by != inst.module
}

// fillAgain makes what fills an instance, tells it what the daemon wants it to know,
// and binds it to its home, for those who require it.
func (m *Manager) fillAgain(ctx context.Context, inst *instance) error {
	by, err := m.standing(inst.module)
	if err != nil {
		return err
	}
	f, err := m.create(ctx, inst, by)
	if err == nil {
		err = m.renew(ctx, inst, f)
	}
	if err == nil {
		for _, b := range m.bindingsOf(inst) {
			if b.phase == lifecycle.Instantiate {
				err = m.bindOne(ctx, b, f)
			}
		}
	}
	if err != nil {
		m.empty(ctx, []*instance{inst})
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.now, inst.refused = f, nil
	return nil
}

// bindAgain binds an instance that was filled again to the handles of sites. From then
// on it is as it was.
func (m *Manager) bindAgain(ctx context.Context, inst *instance) error {
	for _, b := range m.bindingsOf(inst) {
		if b.phase == lifecycle.Bind {
			if err := m.bindOne(ctx, b, inst.now); err != nil {
				return err
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.lost = nil
	return nil
}

// refuse keeps why an instance is not filled although nothing stands in the way.
func (m *Manager) refuse(inst *instance, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.refused = err
	inst.module.failed = errors.Join(inst.module.failed, err)
	for _, b := range inst.bindings {
		b.handle.Away(err)
	}
}
