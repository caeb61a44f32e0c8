package hierarchical

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
)

// Algorithm decides who is offered what is left of the agents when guarantees have been
// met. The books are the allocator's: an algorithm offers by calls of the run, and those
// refuse whatever the books forbid, so that no algorithm can offer more than there is,
// or against quota, reservations, filters, capabilities and constraints.
type Algorithm interface {
	// Divide is called in each run, once, also when there is nothing to divide; never
	// twice at a time, with the books locked: it must not call the allocator, and the
	// master waits for it.
	Divide(run Run)
}

// NewWith makes an allocator that divides by an algorithm of the caller's, in the order
// of dominant shares where guarantees are met. With a seed other than 0, the same calls
// give the same offers. Its goroutine ends with lifetime, or with Close.
func NewWith(lifetime context.Context, log *slog.Logger, seed uint64, algorithm Algorithm) *Allocator {
	return newAllocator(lifetime, log, parameters{RoleSorter: drf, FrameworkSorter: drf, Seed: seed}, algorithm)
}

// inOrder is the algorithm of this package: each agent to the first in the order of the
// sorters.
type inOrder struct{}

func (inOrder) Divide(run Run) { run.InOrder() }

// Run is one run of the allocation, good until Divide returns. Agents and members are
// the same as long as their values are equal.
type Run struct{ r *run }

// Agent is one of the agents of a run.
type Agent struct{ ag *agent }

// Member is a framework in one of its roles.
type Member struct{ m *member }

// InOrder divides all as the hierarchical allocator does.
func (run Run) InOrder() {
	for _, ag := range run.r.agents {
		run.r.share(ag)
	}
}

// Attempt calls do. If it returns an error or panics, nothing that it has offered is.
// Within an attempt there is no other.
func (run Run) Attempt(do func() error) error { return run.r.attempt(do) }

// Agents are those of the run that somebody may be offered something of, in random order.
// The slice is the caller's.
func (run Run) Agents() []Agent {
	var all []Agent
	for _, ag := range run.r.agents {
		some := false
		run.r.each(ag, func(*member, *view) step {
			some = true
			return enough
		})
		if some {
			all = append(all, Agent{ag})
		}
	}
	return all
}

// Candidates appends those who may be offered something of the agent now, in the order in
// which the hierarchical allocator would serve them.
func (run Run) Candidates(all []Member, a Agent) []Member {
	run.r.each(a.ag, func(m *member, _ *view) step {
		all = append(all, Member{m})
		return onward
	})
	return all
}

// Total are the resources of the cluster.
func (run Run) Total() resources.Quantities { return run.r.a.totals.Sum() }

// Roles are all roles that anything is known of, by name. The slice is the caller's.
func (run Run) Roles() []Role {
	all := make([]Role, 0, len(run.r.a.roles))
	for _, r := range run.r.a.roles {
		all = append(all, Role{r})
	}
	slices.SortFunc(all, func(x, y Role) int { return strings.Compare(x.r.name, y.r.name) })
	return all
}

// Standings are where a member stands: the first ones are those of its role, in the tree
// of the roles, the last one is its own among the frameworks of the role. The slice is
// the caller's.
func (run Run) Standings(m Member) []sorter.Standing {
	return append(run.r.a.sorter.Standings(m.m.role.client), m.m.role.frameworks.Standings(m.m.client)...)
}

// Chance is a number from 0 to less than 1, of the allocator's source of chance.
func (run Run) Chance() float64 { return run.r.a.chance.Float64() }

// ID is the agent's.
func (a Agent) ID() string { return a.ag.id }

// Info is what the agent says of itself. Nobody changes it.
func (a Agent) Info() *mesosv1.AgentInfo { return a.ag.info }

// Total are the agent's resources.
func (a Agent) Total() resources.Resources { return a.ag.total }

// Free is what is neither offered nor in use.
func (a Agent) Free() resources.Resources { return a.ag.free }

// Framework is the id of the member's framework.
func (m Member) Framework() string { return m.m.framework.id }

// Role is the name of the member's role.
func (m Member) Role() string { return m.m.role.name }

// Number is one that no other member has meanwhile; numbers are as small as can be.
func (m Member) Number() int { return int(m.m.slot) }

// Has is what the framework has in the role, offered or in use.
func (m Member) Has() resources.Quantities { return m.m.role.frameworks.Has(m.m.client) }

// Role is a role that anything is known of.
type Role struct{ r *role }

// Name is the role's.
func (r Role) Name() string { return r.r.name }

// Guarantee is what is guaranteed to it, and nothing without quota.
func (r Role) Guarantee() resources.Quantities { return r.r.quota.guarantee }

// Limit is what it may have at most; what is not named is not limited.
func (r Role) Limit() resources.Limits { return r.r.quota.limit }

// Consumed is what counts against its quota, with all roles below.
func (r Role) Consumed() resources.Quantities { return r.r.reserved.Add(r.r.held) }
