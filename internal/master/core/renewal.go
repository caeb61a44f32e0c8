package core

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/roles/allocator"
)

// allocatorRenewed is told that the allocator has lost its books, because another one
// takes its place. What it offered is taken back, and the new one is told of all there
// is, as after a change of leader. What is lost is what only the old one knew: for how
// long frameworks have declined what, and their answers to inverse offers.
func (c *Core) allocatorRenewed(number int) {
	for a := range c.agents.values() {
		c.rescindAll(a) // what goes back to the old one with it is not told to the new one
	}
	before := c.effects
	c.effects = nil
	if c.phase == leading {
		c.retell()
	}
	calls := make([]Allocate, 0, len(c.effects))
	for _, e := range c.effects {
		calls = append(calls, e.(Allocate)) // retell makes no others
	}
	c.effects = append(before, Retell{number, calls})
}

// retell tells the allocator of all there is. Unless agents are still awaited, it is to
// offer nothing before it knows everything.
func (c *Core) retell() {
	awaited, quotas := c.recovered.len(), c.quotas.snapshot()
	if awaited == 0 {
		c.allocate("Pause", func(ctx context.Context, a allocator.Allocator) error { return a.Pause(ctx) })
	}
	if awaited > 0 || len(quotas) > 0 {
		expected := int32(0)
		if awaited > 0 {
			expected = int32(awaited + c.agents.len())
		}
		c.allocate("Recover", func(ctx context.Context, a allocator.Allocator) error {
			return a.Recover(ctx, expected, quotas)
		})
	}
	if c.weights.len() > 0 {
		c.allocatorUpdateWeights(c.weightInfos())
	}
	for f := range c.frameworks.values() {
		c.allocatorAddFramework(f)
	}
	for a := range c.agents.values() {
		c.allocatorAddAgent(a, append(a.shares(), c.sharesInAccepts(a)...))
		if !a.active {
			c.allocatorDeactivateAgent(a)
		}
	}
	if awaited == 0 {
		c.allocate("Resume", func(ctx context.Context, a allocator.Allocator) error { return a.Resume(ctx) })
	}
}

// sharesInAccepts is what frameworks have accepted on an agent while nobody knows yet
// what becomes of it. A new allocator is told that it is in use.
func (c *Core) sharesInAccepts(on *agent) []*allocation.Share {
	var shares []*allocation.Share
	for a := range c.accepts.keys() {
		if a.agent != on {
			continue
		}
		a.inUse = true
		shares = append(shares, &allocation.Share{
			FrameworkId: a.framework.info.GetId(), AgentId: on.info.GetId(), Resources: a.offered.Messages(),
		})
	}
	return shares
}
