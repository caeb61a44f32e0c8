package simulation

import (
	"slices"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/allocator"
)

// books are an allocator that gives all that is free to one framework after another.
// It holds the master to its contract: what comes back was given before.
type books struct {
	allocator.Allocator // what the simulation does not use

	agents     map[string]*ledger
	frameworks map[string]bool // active
	turn       int
}

// ledger is one agent's.
type ledger struct {
	id     *mesosv1.AgentID
	active bool
	total  resources.Resources
	used   map[string]resources.Resources // by framework, allocated to the role *
}

func newBooks() *books {
	return &books{agents: map[string]*ledger{}, frameworks: map[string]bool{}}
}

// offers are the shares of one run, those of each framework together.
func (b *books) offers() (all [][]*allocation.Share) {
	var takers []string
	for id, active := range b.frameworks {
		if active {
			takers = append(takers, id)
		}
	}
	slices.Sort(takers)
	if len(takers) == 0 {
		return nil
	}
	given := map[string][]*allocation.Share{}
	var agents []string
	for id := range b.agents {
		agents = append(agents, id)
	}
	slices.Sort(agents)
	for _, id := range agents {
		l := b.agents[id]
		free := l.free()
		if !l.active || free.Empty() {
			continue
		}
		b.turn++
		taker := takers[b.turn%len(takers)]
		share := free.Allocate("*")
		l.used[taker] = l.used[taker].Add(share)
		given[taker] = append(given[taker], &allocation.Share{FrameworkId: &mesosv1.FrameworkID{Value: &taker}, AgentId: l.id, Resources: share.Messages()})
	}
	for _, taker := range takers {
		if len(given[taker]) > 0 {
			all = append(all, given[taker])
		}
	}
	return all
}

func (l *ledger) free() resources.Resources {
	free := l.total
	for _, used := range l.used {
		free = free.Sub(used.Unallocate())
	}
	return free
}
