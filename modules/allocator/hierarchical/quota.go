package hierarchical

import "github.com/mesos-modules/mms/internal/resources"

// measure finds out what guarantees need and what there is for them: in the whole
// cluster, not only on the agents of this run.
func (r *run) measure() {
	r.required, r.headroom = resources.Quantities{}, resources.Quantities{}
	for _, role := range r.a.roles { // a sum has no order
		r.required = r.required.Add(role.stand().missing)
	}
	if r.required.Empty() {
		return
	}
	if !r.a.spare.known {
		r.a.spare.known = true
		for _, ag := range r.a.agents {
			r.a.respare(ag)
		}
	}
	r.headroom = r.a.spare.sum
}

// spare is what is free for quotas in the whole cluster. It is kept from the time on when
// it is needed first: a run over one agent is not to look at all.
type spare struct {
	known bool
	sum   resources.Quantities
}

// respare brings the sum up to date with what is free on an agent.
func (a *Allocator) respare(ag *agent) {
	if !a.spare.known {
		return
	}
	now := ag.free.ScalarQuantitiesOf(chargeable)
	a.spare.sum = a.spare.sum.Sub(ag.spare).Add(now)
	ag.spare = now
}

// guarantee gives what an agent has to roles whose guarantees are not met yet. With what
// the guarantee needs comes what the role may have anyway: all that cannot be divided, and
// the rest of the numbers within limits and headroom, so that the offer is of use.
func (r *run) guarantee(ag *agent) {
	for _, role := range r.a.sorter.Sort() {
		if ag.free.Empty() {
			return
		}
		if role.stand().missing.Empty() || role.nested() && !ag.hierarchical {
			continue
		}
		for _, m := range role.ranked() {
			missing := role.stand().missing
			if missing.Empty() {
				break
			}
			if !m.suits(ag) {
				continue
			}
			free := ag.offerable(role, m.strips)
			divisible := free.Filter(chargeable)
			needed := divisible.Shuffled(r.a.chance.Shuffle).Shrink(missing)
			if needed.Empty() {
				continue
			}
			met := needed.ScalarQuantities()
			beside := r.withinHeadroom(r.withinLimits(role, divisible.Sub(needed), met))
			rest := free.Filter(func(one resources.Resource) bool { return !chargeable(one) })
			v := &view{number: r.a.views.number(), what: rest.Add(needed).Add(beside)}
			if !v.enoughFor(m, r.a.options.minimum) || ag.filters.block(m.slot, v, r.moment) || !m.constraints.allows(ag.info) {
				continue
			}
			r.required = r.required.Sub(met)
			r.headroom = r.headroom.Sub(met).Sub(beside.ScalarQuantities())
			r.offer(ag, m, v.what)
		}
	}
}
