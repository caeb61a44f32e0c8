package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// giveBack starts a process, and gives the modules that were given up with it their
// places back. Whoever stands in serves meanwhile, and goes on if any of it fails.
func (s *supervised) giveBack(ctx context.Context, dead vehicle.Mortal, since time.Time, number int, why *surrender) error {
	m := s.m
	process := lifecycle.NewStack(m.runner)
	fresh, err := s.launch(ctx, process, dead)
	if err != nil {
		return err
	}
	defer s.take()()
	s.arrive(fresh)
	returning := m.takeBack(why)
	places := m.stoodInPlaces(returning)
	before, err := m.exchange(ctx, places)
	var done []*instance
	if err == nil {
		m.empty(ctx, m.leaveUsersOf(places))
		done, err = m.refill(ctx, s.lib)
	}
	if gone := goneFrom(fresh); err == nil && gone != nil {
		err = gone
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		m.giveUpAgain(returning, why)
		m.exchangeBack(ctx, places, before)
		m.empty(ctx, m.leave(s.lib, s.depart(dead)))
		err = errors.Join(err, process.Close(ctx))
		done, _ = m.refill(ctx, nil) // without a library it does not fail
		m.restarted(done)
		return err
	}
	for _, f := range slices.Backward(before) {
		_ = f.stack.Leave(ctx) // its steps tell how it went
	}
	s.arrived(ctx, dead, fresh, since, number)
	m.returned(places, before)
	m.restarted(slices.Concat(places, done))
	return nil
}

// takeBack is the end of giving up: it returns the modules that it concerned.
func (m *Manager) takeBack(why *surrender) (returning []*module) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mod := range m.order {
		if mod.givenUp == error(why) {
			mod.givenUp = nil
			returning = append(returning, mod)
		}
	}
	return returning
}

// giveUpAgain is the end of taking back.
func (m *Manager) giveUpAgain(returning []*module, why *surrender) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, mod := range returning {
		mod.givenUp = why
	}
}

// stoodInPlaces returns, in plan order, the instances of modules that others fill.
// One that is private is filled anew with the instance that it was made for.
func (m *Manager) stoodInPlaces(of []*module) (places []*instance) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, inst := range m.inOrder() {
		if slices.Contains(of, inst.module) && inst.now != nil && inst.now.by != inst.module && !inst.private {
			places = append(places, inst)
		}
	}
	return places
}

// exchange makes objects of the instances' own modules and puts each in the place of
// what stands in, which is returned and not closed. After an error the last of these
// may be out of its place as well.
func (m *Manager) exchange(ctx context.Context, places []*instance) (before []*filling, err error) {
	for _, inst := range places {
		f, err := m.create(ctx, inst, inst.module)
		if err != nil {
			return before, err
		}
		before = append(before, m.nowIn(inst))
		if err := m.put(ctx, inst, f); err != nil {
			return before, errors.Join(err, f.stack.Leave(ctx))
		}
	}
	return before, nil
}

// exchangeBack undoes exchange. Where that fails the instance is empty.
func (m *Manager) exchangeBack(ctx context.Context, places []*instance, before []*filling) {
	for i, old := range slices.Backward(before) {
		inst := places[i]
		f := m.nowIn(inst)
		err := m.put(ctx, inst, old)
		if f != old {
			_ = f.stack.Leave(ctx) // its steps tell how it went
		}
		if err != nil {
			m.empty(ctx, []*instance{inst})
			m.refuse(inst, err)
		}
	}
}

func (m *Manager) nowIn(inst *instance) *filling {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return inst.now
}

// errExchange is what callers of a module see while it is exchanged and the daemon
// tells the new object what it has to know.
var errExchange = errors.New("it is being exchanged with the module that stood in for it")

// put has an object take the place of another one. No call is lost, unless the daemon
// has something to tell to a new one (see [OnRenew]): what changes while it is told
// would be known to the old one alone, so nobody is let in then.
func (m *Manager) put(ctx context.Context, inst *instance, f *filling) error {
	if m.replaceable(inst) {
		return m.replace(ctx, inst, f)
	}
	m.mu.Lock()
	inst.lost = errExchange
	for _, b := range inst.bindings {
		b.handle.Away(errExchange)
	}
	m.mu.Unlock()
	err := m.rebind(ctx, inst, f)
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.now, inst.lost = f, nil
	if err != nil {
		inst.lost = err
	}
	return err
}

// replaceable reports whether an instance can be exchanged under its callers.
func (m *Manager) replaceable(inst *instance) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return !slices.ContainsFunc(inst.bindings, func(b *binding) bool { return b.runs || len(m.renewals[b.handle]) > 0 })
}

// rebind unbinds all handles of an instance, and binds them to another object when
// that was told what it has to know.
func (m *Manager) rebind(ctx context.Context, inst *instance, f *filling) error {
	all := m.bindingsOf(inst)
	for _, b := range slices.Backward(all) {
		_ = b.stack.Unwind(ctx, lifecycle.Mark{})
	}
	err := m.renew(ctx, inst, f)
	for _, b := range all {
		if err == nil {
			err = m.bindOne(ctx, b, f)
		}
	}
	return err
}

// replace exchanges an object without a lost call, and waits for those inside the old
// one; if they do not leave in time, that one is not closed.
func (m *Manager) replace(ctx context.Context, inst *instance, f *filling) error {
	step := inst.module.doing(lifecycle.Bind, "replace", inst.module.limits.Drain)
	step.Direct = true // no module code runs in it
	for _, b := range m.bindingsOf(inst) {
		err := m.runner.Run(ctx, step, func(ctx context.Context) error { return b.handle.Replace(ctx, f.value) })
		var busy *handle.BusyError
		if errors.As(err, &busy) {
			_ = m.drained(m.nowIn(inst), err)
			continue
		}
		if err != nil {
			return err
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	inst.now = f
	return nil
}

// leaveUsersOf is leave for those who require one of the instances, because what fills
// these has changed.
func (m *Manager) leaveUsersOf(places []*instance) []*instance {
	m.mu.Lock()
	var users []*instance
	var events []lifecycle.Event
	changed := slices.Clone(places)
	for _, inst := range m.inOrder() {
		if inst.now == nil {
			continue
		}
		i := slices.IndexFunc(inst.now.uses, func(other *instance) bool { return slices.Contains(changed, other) || m.isStoodIn(other) })
		if i < 0 {
			continue
		}
		changed = append(changed, inst)
		if inst.private {
			continue
		}
		inst.lost = fmt.Errorf("%s, which it requires, is exchanged", inst.now.uses[i].module.name)
		for _, b := range inst.bindings {
			b.handle.Away(inst.lost)
		}
		if mod := inst.module; mod.lives.lost(m.bus.Now(), inst.lost) {
			events = append(events, lifecycle.ModuleLost{Header: mod.header(), Cause: inst.lost.Error()})
		}
		users = append(users, inst)
	}
	m.mu.Unlock()
	m.tell(events)
	return users
}

// isStoodIn reports whether an instance is private and filled by another module than
// its own, although that could be had. m.mu is held.
func (m *Manager) isStoodIn(inst *instance) bool {
	return inst.private && inst.now != nil && inst.now.by != inst.module && inst.module.givenUp == nil
}

// returned tells which modules have their places back.
func (m *Manager) returned(places []*instance, before []*filling) {
	var told []*module
	for i, inst := range places {
		if !slices.Contains(told, inst.module) {
			told = append(told, inst.module)
			m.bus.Publish(lifecycle.FallbackReturned{Header: inst.module.header(), Fallback: before[i].by.name})
		}
	}
}
