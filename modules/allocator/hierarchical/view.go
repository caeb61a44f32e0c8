package hierarchical

import "github.com/mesos-modules/mms/internal/resources"

// view is what some members could be offered of one agent, as long as nothing changes.
// Most members of most roles see the same.
type view struct {
	number uint64 // no other has it
	what   resources.Resources
	key    viewKey
	enough answer // whether it is worth an offer by the minimum of the options
}

type answer uint8

const (
	unknown answer = iota
	yes
	no
)

// viewKey is what makes views differ.
type viewKey struct {
	reservations uint64 // of the agent's, those that the role may have
	strips       special
	full         string // limits of which nothing is left; see standing
	role         *role  // if it has other limits that the agent would exceed
}

type viewCounter uint64

// number is never 0, and never the same twice.
func (n *viewCounter) number() uint64 {
	*n++
	return uint64(*n)
}

// reservations are those of the agent that a role may have, as a set of their places. It
// is the role's own matter if there are too many for a set.
func (ag *agent) reservations(r *role) (set uint64, ok bool) {
	if len(ag.reservedFor) > 64 {
		return 0, false
	}
	for i, name := range ag.reservedFor {
		if name == r.name || resources.IsStrictSubrole(r.name, name) {
			set |= 1 << i
		}
	}
	return set, true
}

// view returns what the frameworks of a role that cannot have some kinds of resources
// could be offered of the agent. It is good until the next offer.
func (r *run) view(ag *agent, of *role, strips special) *view {
	key := viewKey{strips: strips & ag.special}
	if key.strips == 0 && len(ag.reservedFor) == 0 && of.quota.limit.Empty() { // what nearly all ask for
		if r.common == 0 {
			r.look(ag, of, strips, key, false)
			r.common = len(r.views)
		}
		return &r.views[r.common-1]
	}
	set, few := ag.reservations(of)
	key.reservations = set
	limited := false
	if !of.quota.limit.Empty() {
		switch standing := of.stand(); {
		case standing.left.Allows(r.divisible(ag)):
		case standing.full != "":
			key.full, limited = standing.full, true
		default:
			key.role, limited = of, true
		}
	}
	if !few {
		key.role = of
	}
	for i := range r.views {
		if r.views[i].key == key {
			return &r.views[i]
		}
	}
	return r.look(ag, of, strips, key, limited)
}

// look makes a view.
func (r *run) look(ag *agent, of *role, strips special, key viewKey, limited bool) *view {
	what := ag.offerable(of, strips)
	if limited || !r.required.Empty() {
		what = r.chop(of, what)
	}
	r.views = append(r.views, view{number: r.a.views.number(), what: what, key: key})
	return &r.views[len(r.views)-1]
}

// divisible is how much of an agent's free resources counts against limits.
func (r *run) divisible(ag *agent) resources.Quantities {
	if !r.divided.known {
		r.divided.known, r.divided.q = true, ag.free.ScalarQuantitiesOf(chargeable)
	}
	return r.divided.q
}

// offerable is what is free for a role, of the kinds that a framework can have.
func (ag *agent) offerable(of *role, strips special) resources.Resources {
	free := ag.free
	if !ag.lent.Empty() {
		free = free.Sub(ag.lent)
	}
	if len(ag.reservedFor) > 0 {
		free = free.AllocatableTo(of.name)
	}
	if strips&ag.special != 0 {
		free = free.Filter(func(one resources.Resource) bool { return specialOf(one)&strips == 0 })
	}
	return free
}

// chop keeps within the role's limits, and leaves what guarantees need elsewhere. What is
// reserved or revocable, or no number, is given as it is.
func (r *run) chop(of *role, what resources.Resources) resources.Resources {
	divisible := what.Filter(chargeable)
	rest := what.Filter(func(one resources.Resource) bool { return !chargeable(one) })
	divisible = r.withinLimits(of, divisible, resources.Quantities{})
	return rest.Add(r.withinHeadroom(divisible))
}

// withinLimits shrinks what a role would get, beside what it gets already.
func (r *run) withinLimits(of *role, what resources.Resources, already resources.Quantities) resources.Resources {
	if of.quota.limit.Empty() || what.Empty() {
		return what
	}
	return what.Shuffled(r.a.chance.Shuffle).ShrinkToLimits(of.stand().left.Sub(already))
}

// withinHeadroom shrinks so that guarantees can still be met.
func (r *run) withinHeadroom(what resources.Resources) resources.Resources {
	if r.required.Empty() || what.Empty() {
		return what
	}
	return what.Shuffled(r.a.chance.Shuffle).Shrink(r.headroom.Sub(r.required))
}

// enough says whether a view is worth an offer to a member.
func (v *view) enoughFor(m *member, minimum []resources.Quantities) bool {
	if m.ownMinimum {
		return worth(v.what, m.minimum)
	}
	if v.enough == unknown {
		v.enough = no
		if worth(v.what, minimum) {
			v.enough = yes
		}
	}
	return v.enough == yes
}
