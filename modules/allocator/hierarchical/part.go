package hierarchical

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
)

// Part says how much is to be offered of what a member may have of an agent: of each
// resource so much, and nothing of those not named. What is reserved or revocable, or is
// no number, cannot be cut and comes whole. math.Inf(1) means all there is.
type Part map[string]float64

// Offer offers a member what it may have of an agent, or a part of that, and returns what
// it is, without the mark of the role. A nil part is all of it. An error says why the
// books forbid it; nothing has changed then.
func (run Run) Offer(a Agent, m Member, part Part) (resources.Resources, error) {
	r := run.r
	v, err := r.allowed(a.ag, m.m)
	if err != nil {
		return resources.Resources{}, fmt.Errorf("framework %s cannot be offered agent %s in role %s: %w", m.m.framework.id, a.ag.id, m.m.role.name, err)
	}
	what := v.what
	if part != nil {
		if what, err = part.of(what); err != nil {
			return resources.Resources{}, fmt.Errorf("a part of agent %s for framework %s in role %s: %w", a.ag.id, m.m.framework.id, m.m.role.name, err)
		}
		if v := (&view{number: r.a.views.number(), what: what}); !v.enoughFor(m.m, r.a.options.minimum) {
			return resources.Resources{}, fmt.Errorf("a part of agent %s for framework %s in role %s: %s is less than an offer has to be",
				a.ag.id, m.m.framework.id, m.m.role.name, what)
		}
	}
	r.give(a.ag, m.m, what)
	return what, nil
}

// allowed says what a member may be offered of an agent now, or why nothing.
func (r *run) allowed(ag *agent, m *member) (*view, error) {
	switch {
	case !ag.candidate || !ag.active || !r.a.listed(ag):
		return nil, errors.New("the agent is not part of this run")
	case !m.serving:
		return nil, errors.New("it gets no offers for this role")
	case m.role.nested() && !ag.hierarchical:
		return nil, errors.New("the agent is too old for nested roles")
	case !m.suits(ag):
		return nil, errors.New("it lacks a capability that the agent asks for, or has one that the agent does not know")
	}
	v := r.view(ag, m.role, m.strips)
	switch {
	case v.what.Empty():
		return nil, errors.New("nothing is left that it may have")
	case ag.filters.block(m.slot, v, r.moment):
		return nil, errors.New("it has refused that")
	case !v.enoughFor(m, r.a.options.minimum):
		return nil, fmt.Errorf("%s is less than an offer has to be", v.what)
	case !m.constraints.allows(ag.info):
		return nil, errors.New("its constraints exclude the agent")
	default:
		return v, nil
	}
}

// of takes the part of resources.
func (p Part) of(what resources.Resources) (resources.Resources, error) {
	var taken resources.Resources
	for _, name := range slices.Sorted(maps.Keys(p)) {
		amount := p[name]
		if !(amount >= 0) {
			return taken, fmt.Errorf("%v is no amount of %s", amount, name)
		}
		named := what.Named(name)
		if math.IsInf(amount, 1) {
			taken = taken.Add(named)
			continue
		}
		divisible := named.Filter(chargeable)
		whole := named.Filter(func(one resources.Resource) bool { return !chargeable(one) })
		has, _ := divisible.Scalar(name)
		if whole.Empty() && resources.ScalarOf(amount) > has {
			return taken, fmt.Errorf("%v of %s is asked for, and it may have %v", amount, name, has)
		}
		target, err := resources.NewQuantities(map[string]*mesosv1.Value_Scalar{name: {Value: &amount}})
		if err != nil {
			return taken, err
		}
		taken = taken.Add(whole).Add(divisible.Shrink(target))
	}
	return taken, nil
}
