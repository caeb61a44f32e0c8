package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// surrender is why a module is not started again.
type surrender struct {
	lib      *library // whose process is lost
	attempts int
	cause    error
}

func (e *surrender) Error() string {
	return fmt.Sprintf("it is given up, as library %s was not started again (%s): %v", e.lib.shown(), attempts(e.attempts), e.cause)
}

func (e *surrender) Unwrap() error { return e.cause }

// GivenUp reports whether a call failed because its module is lost for good.
func GivenUp(err error) bool {
	_, given := errors.AsType[*surrender](err)
	return given
}

// giveUp is the end of attempts to start a process again: what the policy of each of
// its modules says is done, and of each that requires one which nobody stands in for.
// While another module stands in for any, a process is tried from time to time; true
// if one is there to stay.
func (s *supervised) giveUp(ctx context.Context, dead vehicle.Mortal, since time.Time, tried int, last error) bool {
	why := &surrender{s.lib, tried, last}
	s.surrender(ctx, why)
	for s.m.stoodInFor(why) {
		if !sleep(ctx, s.restart.Longest) {
			return false
		}
		tried++
		err := s.giveBack(ctx, dead, since, tried, why)
		if err == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.m.bus.Publish(lifecycle.RestartFailed{Header: s.header(), Attempt: tried, Wait: s.restart.Longest, Err: err.Error()})
	}
	return false
}

// surrender does what the policies say, until it concerns nobody more.
func (s *supervised) surrender(ctx context.Context, why *surrender) {
	defer s.group.take()()
	m := s.m
	m.mu.Lock()
	s.lib.lives.givenUp(m.bus.Now())
	m.mu.Unlock()
	for concerned := m.concerned(s.lib); len(concerned) > 0; concerned = m.forsaken(s.group) {
		for _, mod := range concerned {
			m.giveUpModule(mod, why)
		}
		if done, err := m.refill(ctx, s.group, nil); err == nil {
			m.stoodIn(done)
			m.restarted(done)
		}
	}
}

// concerned returns the modules of a library that the daemon uses, in plan order.
func (m *Manager) concerned(lib *library) []*module {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(m.order), func(mod *module) bool {
		return mod.library != lib || mod.givenUp != nil || m.unbound(mod.name) == 1 && !m.fillsPlace(mod)
	})
}

// hasPlace reports whether there is an instance of a module. m.mu is held.
func (m *Manager) hasPlace(mod *module) bool {
	for inst := range m.instances {
		if inst.module == mod {
			return true
		}
	}
	return false
}

// fillsPlace reports whether there is an instance that a module fills, or would. m.mu
// is held.
func (m *Manager) fillsPlace(mod *module) bool {
	for inst := range m.instances {
		if by, _ := m.filler(inst.module); by == mod {
			return true
		}
	}
	return false
}

// forsaken returns, in plan order, the modules of a group not given up yet that have an
// empty instance which nothing can fill any more.
func (m *Manager) forsaken(g *group) (all []*module) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, inst := range m.inOrder() {
		if mod := inst.module; mod.group == g && inst.lost != nil && inst.now == nil && !inst.making && mod.givenUp == nil &&
			!slices.Contains(all, mod) && (inst.refused != nil || m.hopeless(mod, nil)) {
			all = append(all, mod)
		}
	}
	return all
}

// giveUpModule does what a module's policy says.
func (m *Manager) giveUpModule(mod *module, why *surrender) {
	m.mu.Lock()
	policy := m.policyOf(mod)
	mod.givenUp = why
	mod.lives.lost(m.bus.Now(), why)
	mod.lives.givenUp(m.bus.Now())
	for inst := range m.instances {
		if inst.module == mod && inst.now == nil {
			for _, b := range inst.bindings {
				b.handle.Away(why)
			}
		}
	}
	m.mu.Unlock()
	m.bus.Publish(lifecycle.ModuleGivenUp{Header: mod.header(), Policy: string(policy), Attempts: why.attempts, Cause: why.cause.Error()})
	if policy == manifest.PolicyRequired {
		m.fail(&LostError{Module: mod.name, Library: why.lib.shown(), Attempts: why.attempts, Cause: why.cause})
	}
}

// policyOf returns what the manifest says of a module, or else that it is required. But
// one that is used only where it stands in for others need not be there. m.mu is held.
func (m *Manager) policyOf(mod *module) manifest.Policy {
	switch said := mod.onFailure.Policy; {
	case said != manifest.PolicyUnsaid:
		return said
	case m.unbound(mod.name) == 1 && !m.hasPlace(mod):
		return manifest.PolicyOptional
	default:
		return manifest.PolicyRequired
	}
}

// fail tells the daemon; the first one counts.
func (m *Manager) fail(err error) {
	select {
	case m.failed <- err:
	default:
	}
}

// stoodIn tells which modules others stand in for now, or again.
func (m *Manager) stoodIn(done []*instance) {
	m.mu.RLock()
	var events []lifecycle.Event
	var told []*module
	for _, inst := range done {
		if inst.now != nil && inst.now.by != inst.module && !slices.Contains(told, inst.module) {
			told = append(told, inst.module)
			events = append(events, lifecycle.FallbackBound{Header: inst.module.header(), Fallback: inst.now.by.name})
		}
	}
	m.mu.RUnlock()
	m.tell(events)
}

// stoodInFor reports whether the manifest has another module stand in for one that was
// given up.
func (m *Manager) stoodInFor(why *surrender) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.ContainsFunc(m.order, func(mod *module) bool {
		return mod.givenUp == error(why) && mod.onFailure.Policy == manifest.PolicyFallback
	})
}
