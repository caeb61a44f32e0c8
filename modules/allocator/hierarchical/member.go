package hierarchical

import (
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
)

// member is a framework in one of its roles, or in a role that it still has something
// of.
type member struct {
	framework *framework
	role      *role
	client    *sorter.Client[*member]
	slot      uint32 // its place in the filters of the agents

	subscribed bool
	suppressed bool
	serving    bool // gets offers

	// As the framework has it; here, because runs ask each member for each agent.
	capabilities capability
	strips       special // kinds that it cannot have

	shares      int // on how many agents it has something
	minimum     []resources.Quantities
	ownMinimum  bool // instead of that of the options
	constraints *constraints
}

// slots gives each member a number of its own, as small as possible.
type slots struct {
	free []uint32
	next uint32
}

func (s *slots) take() uint32 {
	if last := len(s.free) - 1; last >= 0 {
		slot := s.free[last]
		s.free = s.free[:last]
		return slot
	}
	s.next++
	return s.next - 1
}

// member returns a framework's membership in a role and makes it if it is not there.
func (a *Allocator) member(f *framework, name string) *member {
	if m := f.members[name]; m != nil {
		return m
	}
	r := a.role(name)
	if r.members == 0 {
		r.client = a.sorter.Add(name, r)
		r.frameworks = newSorter[*member](a.parameters, a.totals, a.chance, true)
	}
	r.members++
	m := &member{framework: f, role: r, slot: a.slots.take()}
	m.client = r.frameworks.Add(f.id, m)
	if r.sole[0] = m; r.members > 1 {
		r.sole[0] = nil
	}
	f.members[name] = m
	return m
}

// leave ends a membership that is no more than a name.
func (a *Allocator) leave(m *member) {
	if m.subscribed || m.shares > 0 {
		return
	}
	for _, ag := range a.agents {
		ag.filters.drop(m.slot)
	}
	a.slots.free = append(a.slots.free, m.slot)
	delete(m.framework.members, m.role.name)
	m.role.frameworks.Remove(m.client)
	m.role.sole[0] = nil // also if one is left: who that is, its sorter knows
	m.role.members--
	if m.role.members == 0 {
		a.sorter.Remove(m.role.client)
		m.role.client, m.role.frameworks = nil, nil
	}
	a.release(m.role)
}

// serve brings the sorters up to date with whether a member gets offers.
func (a *Allocator) serve(m *member) {
	serving := m.subscribed && !m.suppressed && m.framework.active
	if serving == m.serving {
		return
	}
	m.serving = serving
	if serving {
		m.role.frameworks.Activate(m.client)
		if m.role.serving++; m.role.serving == 1 {
			a.sorter.Activate(m.role.client)
		}
		return
	}
	m.role.frameworks.Deactivate(m.client)
	if m.role.serving--; m.role.serving == 0 {
		a.sorter.Deactivate(m.role.client)
	}
}

// charge adds to what the sorters know of a member; and discharge takes away. Of shared
// resources each counts once, so theirs are not the same for framework and role.
func (a *Allocator) charge(m *member, own, ofRole resources.Quantities) {
	m.role.frameworks.Allocated(m.client, own)
	a.sorter.Allocated(m.role.client, ofRole)
}

func (a *Allocator) discharge(m *member, own, ofRole resources.Quantities) {
	m.role.frameworks.Unallocated(m.client, own)
	a.sorter.Unallocated(m.role.client, ofRole)
}
