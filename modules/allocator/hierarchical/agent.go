package hierarchical

import (
	"fmt"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// agent is the books of one agent.
type agent struct {
	id     string
	info   *mesosv1.AgentInfo
	active bool
	place  int // in the list of all

	hierarchical bool       // can have roles below others
	remote       bool       // is in another region than the master
	wants        capability // a framework needs to have
	forbids      capability // a framework must not have

	total  resources.Resources
	taken  resources.Resources  // offered or in use, not marked with roles
	free   resources.Resources  // the rest, and all that is shared
	used   resources.Resources  // the part in use, marked with roles
	spare  resources.Quantities // what is free and counts against quota; see the sum of all
	shares []*share

	reservedFor []string // roles, of the total
	special     special  // of the total
	filters     filters
	maintenance *maintenance

	// Of the run under way.
	candidate bool
	lent      resources.Resources // shared ones are offered to one framework a run
	offers    []int32
}

// share is what one framework has of an agent in one role, offered or in use.
type share struct {
	framework string
	role      *role
	member    *member             // nil while the framework is not added
	has       resources.Resources // marked with the role
}

// special are kinds of resources that not all frameworks can have.
type special uint8

const (
	shared special = 1 << iota
	revocable
	refined
)

func specialOf(r resources.Resource) (s special) {
	if r.IsShared() {
		s |= shared
	}
	if r.IsRevocable() {
		s |= revocable
	}
	if r.IsRefined() {
		s |= refined
	}
	return s
}

// setTotal replaces the total resources in the agent's own books.
func (ag *agent) setTotal(total resources.Resources) {
	ag.total, ag.special, ag.reservedFor = total, 0, nil
	for r := range total.All() {
		ag.special |= specialOf(r)
	}
	for _, part := range total.ByReservation() {
		ag.reservedFor = append(ag.reservedFor, part.Role)
	}
	ag.refresh()
}

// refresh calculates what is free. Nothing is if more is taken than there is.
func (ag *agent) refresh() {
	if ag.special&shared == 0 {
		ag.free = ag.total.Sub(ag.taken)
		return
	}
	ag.free = ag.total.Filter(resources.Resource.IsNonShared).
		Sub(ag.taken.Filter(resources.Resource.IsNonShared)).
		Add(ag.total.Filter(resources.Resource.IsShared))
}

// demand works out what frameworks need to be able to.
func (ag *agent) demand(filterGPUs bool) {
	ag.wants = 0
	if n, _ := ag.total.Scalar("gpus"); n > 0 && filterGPUs {
		ag.wants |= gpus
	}
	if ag.remote {
		ag.wants |= regionAware
	}
}

// share returns a framework's share in a role, or nil.
func (ag *agent) share(framework, role string) *share {
	for _, s := range ag.shares {
		if s.role.name == role && s.framework == framework {
			return s
		}
	}
	return nil
}

// take books resources of one role for a framework, whether it was added or not. They are
// marked with the role.
func (a *Allocator) take(ag *agent, framework string, name string, r resources.Resources) {
	a.takeBare(ag, framework, name, r, r.Unallocate())
}

// takeBare is told what the resources are without the mark.
func (a *Allocator) takeBare(ag *agent, framework string, name string, r, bare resources.Resources) {
	s := ag.share(framework, name)
	if s == nil {
		s = &share{framework: framework, role: a.role(name)}
		s.role.shares++
		ag.shares = append(ag.shares, s)
		if f := a.frameworks[framework]; f != nil {
			s.member = a.member(f, name)
			s.member.shares++
		} else {
			a.strangers[framework]++
		}
	}
	own, ofRole, held := ag.count(s, r)
	if s.member != nil {
		a.charge(s.member, own, ofRole)
	}
	s.role.addHeld(held)
	a.allocated = a.allocated.Add(ofRole)
	s.has = s.has.Add(r)
	ag.taken = ag.taken.Add(bare)
	if ag.special&shared == 0 {
		ag.free = ag.free.Sub(bare)
	} else {
		ag.refresh()
	}
	a.respare(ag)
}

// give takes resources out of a share, which has them.
func (a *Allocator) give(ag *agent, s *share, r resources.Resources) {
	s.has = s.has.Sub(r)
	own, ofRole, held := ag.count(s, r)
	if s.member != nil {
		a.discharge(s.member, own, ofRole)
	}
	s.role.subHeld(held)
	a.allocated = a.allocated.Sub(ofRole)
	ag.taken = ag.taken.Sub(r.Unallocate())
	ag.refresh()
	a.respare(ag)
	if s.has.Empty() {
		a.forget(ag, s)
	}
}

// exchange replaces resources that a share has by others of the same role.
func (a *Allocator) exchange(ag *agent, s *share, before, after resources.Resources) {
	s.has = s.has.Sub(before)
	ownBefore, ofRoleBefore, heldBefore := ag.count(s, before)
	ownAfter, ofRoleAfter, heldAfter := ag.count(s, after)
	s.has = s.has.Add(after)
	if m := s.member; m != nil {
		m.role.frameworks.Update(m.client, ownBefore, ownAfter)
		a.sorter.Update(m.role.client, ofRoleBefore, ofRoleAfter)
	}
	s.role.subHeld(heldBefore)
	s.role.addHeld(heldAfter)
	a.allocated = a.allocated.Sub(ofRoleBefore).Add(ofRoleAfter)
	ag.taken = ag.taken.Sub(before.Unallocate()).Add(after.Unallocate())
	ag.refresh()
	a.respare(ag)
	if s.has.Empty() {
		a.forget(ag, s)
	}
}

// forget removes an empty share.
func (a *Allocator) forget(ag *agent, s *share) {
	for i, each := range ag.shares {
		if each == s {
			ag.shares = append(ag.shares[:i:i], ag.shares[i+1:]...)
		}
	}
	s.role.shares--
	if m := s.member; m != nil {
		m.shares--
		a.leave(m)
	} else {
		a.estrange(s.framework, -1)
	}
	a.release(s.role)
}

// estrange counts shares of frameworks that were not added.
func (a *Allocator) estrange(framework string, n int) {
	if a.strangers[framework] += n; a.strangers[framework] == 0 {
		delete(a.strangers, framework)
	}
}

// count is what resources count, in the sorter of the frameworks, in that of the roles,
// and against quota. It is asked while the share does not have them.
func (ag *agent) count(s *share, r resources.Resources) (own, ofRole, held resources.Quantities) {
	held = r.ScalarQuantitiesOf(chargeable)
	own = r.ScalarQuantities()
	if ag.special&shared == 0 {
		return own, own, held
	}
	own = ag.once(r, func(o *share) bool { return o == s })
	ofRole = ag.once(r, func(o *share) bool { return o.role == s.role })
	return own, ofRole, held
}

// once counts shared resources only if none of some shares has the like.
func (ag *agent) once(r resources.Resources, of func(*share) bool) resources.Quantities {
	return r.Filter(func(one resources.Resource) bool {
		if one.IsNonShared() {
			return true
		}
		for _, s := range ag.shares {
			if of(s) && s.has.HasLike(one) {
				return false
			}
		}
		return true
	}).ScalarQuantities()
}

// use moves what was offered to what is in use; unuse takes that away.
func (a *Allocator) use(ag *agent, r resources.Resources) {
	ag.used = ag.used.Add(r)
	for _, part := range r.ByAllocation() {
		q := part.Resources.ScalarQuantitiesOf(chargeable)
		a.role(part.Role).up(func(r *role) { r.used = r.used.Add(q) })
	}
}

func (a *Allocator) unuse(ag *agent, r resources.Resources) {
	ag.used = ag.used.Sub(r)
	for _, part := range r.ByAllocation() {
		q := part.Resources.ScalarQuantitiesOf(chargeable)
		of := a.role(part.Role)
		of.up(func(r *role) { r.used = r.used.Sub(q) })
		a.release(of)
	}
}

// trim keeps what is in use of a role within what frameworks have of it, whatever the
// master said of what came back.
func (a *Allocator) trim(ag *agent, role string) {
	if ag.used.Empty() {
		return
	}
	var has resources.Resources
	for _, s := range ag.shares {
		if s.role.name == role {
			has = has.Add(s.has)
		}
	}
	used := ag.used.Filter(func(one resources.Resource) bool {
		of, _ := one.AllocationRole()
		return of == role
	})
	if over := used.Sub(has); !over.Empty() {
		a.unuse(ag, over)
	}
}

// setTotal changes the total resources of an agent in all books.
func (a *Allocator) setTotal(ag *agent, total resources.Resources) {
	if ag.total.Equal(total) {
		return
	}
	old := ag.total
	a.reserve(total) // before unreserve, so that no role goes and comes
	a.unreserve(old)
	a.totals.Add(total.ScalarQuantities())
	a.totals.Sub(old.ScalarQuantities())
	ag.setTotal(total)
	a.respare(ag)
	ag.demand(a.options.filterGPUs)
}

// agent returns an agent that was added.
func (a *Allocator) agent(id *mesosv1.AgentID) (*agent, error) {
	if err := a.begun(); err != nil {
		return nil, err
	}
	ag := a.agentsByID[id.GetValue()]
	if ag == nil {
		return nil, fmt.Errorf("agent %s is not known: it was not added, or has been removed", id.GetValue())
	}
	return ag, nil
}
