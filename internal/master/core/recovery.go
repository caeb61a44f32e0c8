package core

import (
	"context"
	"slices"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/allocator"
)

// recoveredAgent is an agent that the registry has and that is not back yet.
type recoveredAgent struct {
	info    *mesosv1.AgentInfo
	removal *permit
}

// electedNow begins the reign: the registry says what a former master promised.
func (c *Core) electedNow() {
	if c.phase != standby {
		return
	}
	c.phase = recovering
	c.elected = c.now
	c.leader = c.config.Info
	c.log(Info, "elected; the registry is read")
	c.emit(RecoverRegistry{})
}

// leaderDetected is told who leads. A leader that is led by another one must end: what
// it does is no longer valid.
func (c *Core) leaderDetected(leader *mesosv1.MasterInfo) {
	c.leader = leader
	if c.phase == standby || leader.GetId() == c.config.Info.GetId() {
		return
	}
	c.exit("the leadership is lost")
}

func (c *Core) registryRecovered(r *wire.Registry, err error) {
	if c.phase != recovering {
		return
	}
	if err != nil {
		c.exit("the registry cannot be recovered: %v", err)
		return
	}
	c.phase = leading
	for _, s := range r.GetSlaves().GetSlaves() {
		c.recovered.put(s.GetInfo().GetId().GetValue(), &recoveredAgent{info: s.GetInfo()})
	}
	c.recoveredMany = c.recovered.len()
	for _, s := range r.GetUnreachable().GetSlaves() {
		c.unreachable.put(s.GetId().GetValue(), s.GetTimestamp())
	}
	for _, s := range r.GetGone().GetSlaves() {
		c.gone.put(s.GetId().GetValue(), s.GetTimestamp())
	}
	for _, w := range r.GetWeights() {
		c.weights.put(w.GetInfo().GetRole(), w.GetInfo().GetWeight())
	}
	for _, q := range r.GetQuotaConfigs() {
		c.quotas.put(q.GetRole(), q)
	}
	c.log(Info, "leading, with %d agents from the registry", c.recoveredMany)
	c.tellAllocator()
	if c.recoveredMany > 0 {
		c.after(c.config.AgentReregisterTimeout, c.giveUpRecovered)
	}
	c.startGC()
}

// tellAllocator hands over what was recovered, and the weights.
func (c *Core) tellAllocator() {
	if expected, quotas := int32(c.recoveredMany), c.quotas.snapshot(); expected > 0 || len(quotas) > 0 {
		c.allocate("Recover", func(ctx context.Context, a allocator.Allocator) error {
			return a.Recover(ctx, expected, quotas)
		})
	}
	if c.weights.len() > 0 {
		c.allocatorUpdateWeights(c.weightInfos())
	}
}

func (c *Core) forgetRecovered(id string) {
	r, ok := c.recovered.get(id)
	if !ok {
		return
	}
	if r.removal != nil {
		r.removal.give()
		c.counts.add("slave_unreachable_canceled", 1)
	}
	c.recovered.delete(id)
}

// giveUpRecovered marks agents unreachable that have not come back. If those are too
// many, something else is wrong, and a master that goes on would make it worse.
func (c *Core) giveUpRecovered() {
	missing := c.recovered.len()
	if percent := 100 * float64(missing) / float64(c.recoveredMany); percent > c.config.RecoveryAgentRemovalLimit {
		c.exit("%d of %d agents (%.1f%%) did not re-register within %v, which is more than --recovery_agent_removal_limit "+
			"(%.1f%%); find out why, or increase the limit", missing, c.recoveredMany, percent,
			c.config.AgentReregisterTimeout, c.config.RecoveryAgentRemovalLimit)
		return
	}
	for _, r := range c.recovered.snapshot() {
		c.counts.add("slave_unreachable_scheduled", 1)
		p := c.removals.acquire(c, func() { c.giveUp(r) })
		if p.do != nil {
			r.removal = p
		}
	}
}

func (c *Core) giveUp(r *recoveredAgent) {
	r.removal = nil
	id := r.info.GetId().GetValue()
	if c.changing[id] != "" { // it is just coming back
		c.counts.add("slave_unreachable_canceled", 1)
		return
	}
	c.counts.add("slave_unreachable_completed", 1)
	c.changing[id] = markingUnreachable
	at := timeInfo(c.now)
	c.store(MarkAgentUnreachable{r.info.GetId(), at}, func(refused error) {
		delete(c.changing, id)
		if refused != nil {
			return
		}
		c.recovered.delete(id)
		c.unreachable.put(id, at)
		c.counts.add("recovery_slave_removals", 1)
		c.countRemoval("slave_removals/reason_unhealthy")
		c.log(Warning, "agent %s (%s) is unreachable: it did not re-register with this master in time", id,
			r.info.GetHostname())
		c.tellLost(r.info)
	})
}

// startGC forgets, every now and then, agents that have been away for very long, or
// are too many.
func (c *Core) startGC() {
	if c.config.RegistryGCInterval <= 0 {
		return
	}
	c.after(c.config.RegistryGCInterval, func() {
		c.collect()
		c.startGC()
	})
}

func (c *Core) collect() {
	old := slices.Concat(c.overdue(&c.unreachable), c.overdue(&c.gone))
	old = slices.DeleteFunc(old, func(id string) bool { return c.changing[id] != "" })
	if len(old) == 0 {
		return
	}
	ids := make([]*mesosv1.AgentID, len(old))
	for i := range old {
		ids[i] = &mesosv1.AgentID{Value: &old[i]}
	}
	c.store(Prune{ids}, func(refused error) {
		if refused != nil {
			return
		}
		for _, id := range old {
			if c.changing[id] == "" {
				c.unreachable.delete(id)
				c.gone.delete(id)
			}
		}
		c.log(Info, "%d unreachable or gone agents are forgotten", len(old))
	})
}

// overdue are those that are there for too long, and the oldest of those that are too
// many. They came in the order of their times.
func (c *Core) overdue(agents *table[string, *mesosv1.TimeInfo]) []string {
	surplus := agents.len() - c.config.RegistryMaxAgentCount
	var ids []string
	for id := range agents.keys() {
		since, _ := agents.get(id)
		age := c.now.Sub(time.Unix(0, since.GetNanoseconds()))
		if len(ids) < surplus || age > c.config.RegistryMaxAgentAge {
			ids = append(ids, id)
		}
	}
	return ids
}
