package hierarchical

import (
	"context"
	"fmt"
	"math"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
)

// role is a node of the tree of roles. It is there while anything is known of it or
// below it.
type role struct {
	name     string
	parent   *role // nil at the top
	children int

	// Set while the role has members.
	client     *sorter.Client[*role]
	frameworks sorter.Sorter[*member]
	members    int
	serving    int        // members that get offers
	sole       [1]*member // the only member there is, or nothing

	quota    quotaOf
	standing standing

	// With those below: what is reserved on agents, what is offered or in use of
	// the rest, and the part of that in use. Scalars, nothing revocable.
	reserved, held, used resources.Quantities
	shares               int // on agents, of this role alone
}

// standing is how a role stands with its quota. Runs ask for it for each agent.
type standing struct {
	known   bool
	missing resources.Quantities // for the guarantee
	left    resources.Limits     // up to the limits
	full    string               // the names that have a limit, if nothing is left of any
}

// stand works out how the role stands, unless it is known. What counts against the quota:
// reservations whether they are used or not, and all else that is offered or in use.
func (r *role) stand() *standing {
	s := &r.standing
	if s.known {
		return s
	}
	consumed := r.reserved.Add(r.held)
	*s = standing{known: true, missing: r.quota.guarantee.Sub(consumed), left: r.quota.limit.Sub(consumed)}
	for name, left := range s.left.All() {
		if left > 0 {
			s.full = ""
			break
		}
		s.full += name + ";"
	}
	return s
}

// addReserved and addHeld change what counts against the quota of a role and of those
// above, subReserved and subHeld take away.
func (r *role) addReserved(q resources.Quantities) {
	r.up(func(r *role) { r.reserved, r.standing.known = r.reserved.Add(q), false })
}

func (r *role) subReserved(q resources.Quantities) {
	r.up(func(r *role) { r.reserved, r.standing.known = r.reserved.Sub(q), false })
}

func (r *role) addHeld(q resources.Quantities) {
	r.up(func(r *role) { r.held, r.standing.known = r.held.Add(q), false })
}

func (r *role) subHeld(q resources.Quantities) {
	r.up(func(r *role) { r.held, r.standing.known = r.held.Sub(q), false })
}

// quotaOf is the quota of one role; without it nothing is guaranteed and all allowed.
type quotaOf struct {
	role      string
	guarantee resources.Quantities
	limit     resources.Limits
}

func (q quotaOf) empty() bool { return q.guarantee.Empty() && q.limit.Empty() }

func readQuota(m *quota.QuotaConfig) (quotaOf, error) {
	q := quotaOf{role: m.GetRole()}
	err := resources.ValidateRole(q.role)
	if err != nil {
		return q, err
	}
	if q.guarantee, err = resources.NewQuantities(m.GetGuarantees()); err != nil {
		return q, fmt.Errorf("quota of role %s: guarantees: %w", q.role, err)
	}
	if q.limit, err = resources.NewLimits(m.GetLimits()); err != nil {
		return q, fmt.Errorf("quota of role %s: limits: %w", q.role, err)
	}
	return q, nil
}

// ranked are the members that get offers, those to be served first at the front. Many
// roles have one member, and nothing to put in order.
func (r *role) ranked() []*member {
	if r.sole[0] != nil && r.serving == 1 {
		return r.sole[:]
	}
	return r.frameworks.Sort()
}

// nested roles are not for old agents.
func (r *role) nested() bool { return r.parent != nil }

// role returns a node and makes it and those above if they are not there.
func (a *Allocator) role(name string) *role {
	if r := a.roles[name]; r != nil {
		return r
	}
	r := &role{name: name}
	if slash := strings.LastIndexByte(name, '/'); slash > 0 {
		r.parent = a.role(name[:slash])
		r.parent.children++
	}
	a.roles[name] = r
	return r
}

// release forgets a node that nothing is known of any more, and those above. It may
// have been forgotten already.
func (a *Allocator) release(r *role) {
	for r != nil && a.roles[r.name] == r && r.children == 0 && r.members == 0 && r.shares == 0 && r.reserved.Empty() && r.quota.empty() {
		delete(a.roles, r.name)
		if r.parent != nil {
			r.parent.children--
		}
		r = r.parent
	}
}

// up calls do for a node and all above.
func (r *role) up(do func(*role)) {
	for ; r != nil; r = r.parent {
		do(r)
	}
}

// reserve counts what an agent has reserved; release takes it back.
func (a *Allocator) reserve(total resources.Resources) {
	for _, part := range total.ByReservation() {
		q := part.Resources.ScalarQuantities()
		a.role(part.Role).addReserved(q)
	}
}

func (a *Allocator) unreserve(total resources.Resources) {
	for _, part := range total.ByReservation() {
		q := part.Resources.ScalarQuantities()
		r := a.role(part.Role)
		r.subReserved(q)
		a.release(r)
	}
}

func (a *Allocator) setQuota(q quotaOf) {
	r := a.role(q.role)
	r.quota, r.standing = q, standing{}
	a.release(r)
}

// UpdateQuota implements the role. The next run over all agents obeys it.
func (a *Allocator) UpdateQuota(_ context.Context, config *quota.QuotaConfig) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	q, err := readQuota(config)
	if err != nil {
		return err
	}
	a.setQuota(q)
	return nil
}

// UpdateWeights implements the role. The next run over all agents obeys them.
func (a *Allocator) UpdateWeights(_ context.Context, weights []*mesosv1.WeightInfo) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	for _, w := range weights {
		if err := resources.ValidateRole(w.GetRole()); err != nil {
			return err
		}
		if !(w.GetWeight() > 0) || math.IsInf(w.GetWeight(), 1) {
			return fmt.Errorf("the weight of role %s is %v and has to be a number above 0", w.GetRole(), w.GetWeight())
		}
	}
	for _, w := range weights {
		a.sorter.SetWeight(w.GetRole(), w.GetWeight())
	}
	return nil
}

// chargeable is what counts against quotas, beside reservations.
func chargeable(r resources.Resource) bool {
	return r.IsScalar() && r.IsUnreserved() && r.IsNonRevocable()
}
