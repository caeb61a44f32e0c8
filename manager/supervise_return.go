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
	defer s.group.take()()
	s.arrive(fresh)
	returning := m.takeBack(why)
	places := m.stoodInPlaces(returning)
	swaps, err := m.exchange(ctx, places)
	var done []*instance
	if err == nil {
		m.empty(ctx, m.leaveUsersOf(places))
		done, err = m.refill(ctx, s.group, s.lib)
	}
	if gone := goneFrom(fresh); err == nil && gone != nil {
		err = gone
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		m.giveUpAgain(returning, why)
		m.exchangeBack(ctx, swaps)
		m.empty(ctx, m.leave(s.lib, s.depart(dead)))
		err = errors.Join(err, process.Close(ctx))
		done, _ = m.refill(ctx, s.group, nil) // what fails stays empty
		m.restarted(done)
		m.stoodIn(done)
		return err
	}
	for _, swap := range slices.Backward(swaps) {
		_ = swap.old.stack.Leave(ctx) // its steps tell how it went
	}
	s.arrived(ctx, dead, fresh, since, number)
	m.returned(swaps)
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

// swap is an instance in which one object takes the place of another.
type swap struct {
	inst       *instance
	old, fresh *filling
}

// exchange makes objects of the instances' own modules and puts each in the place of
// what stands in, which is not closed. An error may leave the last of the swaps half
// done.
func (m *Manager) exchange(ctx context.Context, places []*instance) (swaps []swap, err error) {
	for _, inst := range places {
		fresh, err := m.create(ctx, inst, inst.module)
		if err != nil {
			return swaps, err
		}
		swaps = append(swaps, swap{inst, m.nowIn(inst), fresh})
		if err := m.put(ctx, inst, fresh); err != nil {
			return swaps, err
		}
	}
	return swaps, nil
}

// exchangeBack undoes exchange. Where that fails the instance is empty.
func (m *Manager) exchangeBack(ctx context.Context, swaps []swap) {
	var back []*instance
	for _, s := range slices.Backward(swaps) {
		err := m.put(ctx, s.inst, s.old)
		_ = s.fresh.stack.Leave(ctx) // its steps tell how it went
		if err != nil {
			m.empty(ctx, []*instance{s.inst})
			m.refuse(s.inst, err)
			continue
		}
		back = append(back, s.inst)
	}
	m.stoodIn(back)
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
	if inst.lost = err; err == nil {
		inst.now = f
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
	if err != nil {
		for _, b := range slices.Backward(all) {
			_ = b.stack.Unwind(ctx, lifecycle.Mark{})
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
		inst.now = nil
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
func (m *Manager) returned(swaps []swap) {
	var told []*module
	for _, s := range swaps {
		if mod := s.inst.module; !slices.Contains(told, mod) {
			told = append(told, mod)
			m.bus.Publish(lifecycle.FallbackReturned{Header: mod.header(), Fallback: s.old.by.name})
		}
	}
}
