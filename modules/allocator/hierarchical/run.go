package hierarchical

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// run is one allocation. It works on the books themselves: what it offers is taken at
// once. Its memory is used again by the next.
type run struct {
	a          *Allocator
	now        time.Duration
	moment     moment // the same, for filters
	candidates []*agent
	all        bool // all agents are

	// What guarantees still need of what is free in the whole cluster, unreserved
	// and not revocable, and how much of it there is.
	required, headroom resources.Quantities

	views   []view // of the agent at hand
	common  int    // the place of the view that nothing is special about, and 1; 0 for none
	divided struct {
		known bool
		q     resources.Quantities
	}
	offers []offer
	served []*framework // with offers, in the order of their first

	agents  []*agent // that may be offered, shuffled
	journal *journal // of the attempt under way
}

// offer is what a member gets of an agent.
type offer struct {
	agent  *agent
	member *member
	what   resources.Resources // marked with the role
}

func (r *run) add(ag *agent) {
	if !ag.candidate {
		ag.candidate = true
		r.candidates = append(r.candidates, ag)
	}
}

// remove takes an agent out of the next run.
func (r *run) remove(ag *agent) {
	if i := slices.Index(r.candidates, ag); i >= 0 {
		r.candidates = slices.Delete(r.candidates, i, i+1)
	}
}

// allocate is one run: that over all agents which comes each interval, or one over those
// that something happened to. It returns how long it took.
func (a *Allocator) allocate(batch bool) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.allocateNow(batch)
}

// allocateNow is likewise, with the lock held.
func (a *Allocator) allocateNow(batch bool) (spent time.Duration) {
	begin := a.now()
	if a.pending {
		a.measures.latency.add(begin, begin-a.asked)
	}
	a.pending = false
	now := begin
	if batch {
		now = a.due // filters that are to outlast this run need not care how late it is
	}
	if batch || a.run.all {
		for _, ag := range a.agents {
			a.run.add(ag)
		}
	}
	a.recovered(begin)
	if !a.paused && !a.recovery.pending && a.offers.call != nil && a.life.Err() == nil {
		a.run.now, a.run.moment = now, momentOf(now)
		a.run.allocate()
		spent = a.now() - begin
		a.measures.runs++
		a.measures.run.add(begin+spent, spent)
	}
	a.run.forget()
	if batch {
		a.due = a.now() + a.options.interval
	}
	return spent
}

// forget makes the run ready for the next one.
func (r *run) forget() {
	for _, ag := range r.candidates {
		ag.candidate, ag.lent, ag.offers = false, resources.Resources{}, ag.offers[:0]
	}
	for _, f := range r.served {
		f.offers = f.offers[:0]
	}
	clear(r.candidates)
	clear(r.views[:cap(r.views)])
	clear(r.offers)
	clear(r.served)
	r.all, r.agents = false, nil
	r.turn()
	r.candidates, r.offers, r.served = r.candidates[:0], r.offers[:0], r.served[:0]
}

// allocate does what upstream does (src/master/allocator/mesos/hierarchical.cpp): first
// guarantees, then everything by the order of the sorters, agents in any order.
func (r *run) allocate() {
	agents := make([]*agent, 0, len(r.candidates))
	for _, ag := range r.candidates {
		if ag.active && r.a.listed(ag) {
			agents = append(agents, ag)
		}
	}
	r.measure()
	if !r.required.Empty() {
		r.shuffle(agents)
		for _, ag := range agents {
			r.guarantee(ag)
		}
	}
	r.shuffle(agents)
	r.agents = agents
	r.a.algorithm.Divide(Run{r})
	r.emit()
	r.ask()
}

func (r *run) shuffle(agents []*agent) {
	r.a.chance.Shuffle(len(agents), func(i, j int) { agents[i], agents[j] = agents[j], agents[i] })
}

// listed says whether the whitelist allows an agent.
func (a *Allocator) listed(ag *agent) bool {
	return a.whitelist == nil || a.whitelist[ag.info.GetHostname()]
}

// share gives what an agent has to whoever comes first and wants it.
func (r *run) share(ag *agent) {
	r.each(ag, func(m *member, v *view) step {
		r.give(ag, m, v.what)
		return changed
	})
}

// step is how each goes on.
type step uint8

const (
	onward  step = iota
	changed      // something was offered
	enough
)

// each goes through the members that may be offered something of an agent now, in the
// order of the sorters, with what it would be.
func (r *run) each(ag *agent, do func(m *member, v *view) step) {
	r.turn()
	for _, role := range r.a.sorter.Sort() {
		if ag.free.Empty() {
			return
		}
		if role.nested() && !ag.hierarchical {
			continue
		}
		var v *view // the same for most
		for _, m := range role.ranked() {
			if !m.suits(ag) {
				continue
			}
			if v == nil || v.key.strips != m.strips&ag.special {
				v = r.view(ag, role, m.strips)
			}
			if v.what.Empty() {
				if v.key.strips == 0 {
					break // for nobody in this role
				}
				continue
			}
			if ag.filters.block(m.slot, v, r.moment) || !v.enoughFor(m, r.a.options.minimum) || !m.constraints.allows(ag.info) {
				continue
			}
			switch do(m, v) {
			case changed:
				v = nil
			case enough:
				return
			default:
			}
		}
	}
}

// turn begins with an agent, or with what is left of it.
func (r *run) turn() { r.views, r.common, r.divided.known = r.views[:0], 0, false }

// suits says whether the framework may have agents like this one at all.
func (m *member) suits(ag *agent) bool {
	return m.capabilities&ag.wants == ag.wants && m.capabilities&ag.forbids == 0
}

// give offers out of what guarantees leave.
func (r *run) give(ag *agent, m *member, what resources.Resources) {
	if !r.required.Empty() {
		r.headroom = r.headroom.Sub(what.ScalarQuantitiesOf(chargeable))
	}
	r.offer(ag, m, what)
}

// offer takes resources for a member.
func (r *run) offer(ag *agent, m *member, what resources.Resources) {
	marked := what.Allocate(m.role.name)
	r.journal.note(ag, m, marked)
	r.a.takeBare(ag, m.framework.id, m.role.name, marked, what)
	if ag.special&shared != 0 {
		ag.lent = ag.lent.Add(what.Filter(resources.Resource.IsShared))
	}
	r.turn()
	for _, i := range ag.offers {
		if o := &r.offers[i]; o.member == m { // of the first stage
			o.what = o.what.Add(marked)
			return
		}
	}
	if len(m.framework.offers) == 0 {
		r.served = append(r.served, m.framework)
	}
	i := int32(len(r.offers))
	r.offers = append(r.offers, offer{ag, m, marked})
	ag.offers, m.framework.offers = append(ag.offers, i), append(m.framework.offers, i)
}

// emit hands the offers over, one call for each framework.
func (r *run) emit() {
	for _, f := range r.served {
		shares := make([]*allocation.Share, len(f.offers))
		for i, at := range f.offers {
			o := &r.offers[at]
			shares[i] = &allocation.Share{
				FrameworkId: &mesosv1.FrameworkID{Value: proto.String(f.id)},
				AgentId:     &mesosv1.AgentID{Value: proto.String(o.agent.id)},
				Resources:   o.what.Messages(),
			}
		}
		r.a.offers.give(shares)
	}
}
