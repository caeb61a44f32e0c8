package core

import (
	"context"
	"slices"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/allocator"
)

// The allocator is told of everything in the order in which it happens. What a call
// brings is taken here, when it is made, since the core goes on before it is carried
// out.

func (c *Core) allocate(name string, do func(context.Context, allocator.Allocator) error) {
	c.emit(Allocate{Name: name, Do: do})
}

func (c *Core) allocatorAddFramework(f *framework) {
	info, active, suppressed, constraints := f.info, f.active, f.suppressedRoles(), f.constraints
	c.allocate("AddFramework", func(ctx context.Context, a allocator.Allocator) error {
		return a.AddFramework(ctx, info, nil, active, suppressed, constraints)
	})
}

func (c *Core) allocatorUpdateFramework(f *framework) {
	info, suppressed, constraints := f.info, f.suppressedRoles(), f.constraints
	c.allocate("UpdateFramework", func(ctx context.Context, a allocator.Allocator) error {
		return a.UpdateFramework(ctx, info, suppressed, constraints)
	})
}

func (c *Core) allocatorActivateFramework(f *framework) {
	id := f.info.GetId()
	c.allocate("ActivateFramework", func(ctx context.Context, a allocator.Allocator) error {
		return a.ActivateFramework(ctx, id)
	})
}

func (c *Core) allocatorDeactivateFramework(f *framework) {
	id := f.info.GetId()
	c.allocate("DeactivateFramework", func(ctx context.Context, a allocator.Allocator) error {
		return a.DeactivateFramework(ctx, id)
	})
}

func (c *Core) allocatorRemoveFramework(f *framework) {
	id := f.info.GetId()
	c.allocate("RemoveFramework", func(ctx context.Context, a allocator.Allocator) error {
		return a.RemoveFramework(ctx, id)
	})
}

func (c *Core) allocatorAddAgent(a *agent, used []*allocation.Share) {
	info, capabilities, total := a.info, a.capabilities, a.total.Messages()
	c.allocate("AddSlave", func(ctx context.Context, al allocator.Allocator) error {
		return al.AddSlave(ctx, info, capabilities, nil, total, used)
	})
}

func (c *Core) allocatorUpdateAgent(a *agent) {
	info, capabilities, total := a.info, a.capabilities, a.total.Messages()
	c.allocate("UpdateSlave", func(ctx context.Context, al allocator.Allocator) error {
		return al.UpdateSlave(ctx, info, capabilities, total)
	})
}

func (c *Core) allocatorRemoveAgent(a *agent) {
	id := a.info.GetId()
	c.allocate("RemoveSlave", func(ctx context.Context, al allocator.Allocator) error {
		return al.RemoveSlave(ctx, id)
	})
}

func (c *Core) allocatorActivateAgent(a *agent) {
	id := a.info.GetId()
	c.allocate("ActivateSlave", func(ctx context.Context, al allocator.Allocator) error {
		return al.ActivateSlave(ctx, id)
	})
}

func (c *Core) allocatorDeactivateAgent(a *agent) {
	id := a.info.GetId()
	c.allocate("DeactivateSlave", func(ctx context.Context, al allocator.Allocator) error {
		return al.DeactivateSlave(ctx, id)
	})
}

// giveBack gives resources of a framework back. The allocator wants those of one role
// at a time.
func (c *Core) giveBack(framework *mesosv1.FrameworkID, agent *mesosv1.AgentID, r resources.Resources,
	filters *mesosv1.Filters, allocated bool) {
	for _, part := range r.ByAllocation() {
		messages := part.Resources.Messages()
		c.allocate("RecoverResources", func(ctx context.Context, a allocator.Allocator) error {
			return a.RecoverResources(ctx, framework, agent, messages, filters, allocated)
		})
	}
}

// giveBackIfThere gives back what was offered, unless its agent has gone: with it goes
// all that is on it.
func (c *Core) giveBackIfThere(framework *mesosv1.FrameworkID, agent *mesosv1.AgentID, r resources.Resources) {
	if c.agents.has(agent.GetValue()) {
		c.giveBack(framework, agent, r, nil, false)
	}
}

func (c *Core) allocatorTransition(agent *mesosv1.AgentID, r resources.Resources) {
	messages := r.Messages()
	c.allocate("TransitionOfferedToAllocated", func(ctx context.Context, a allocator.Allocator) error {
		return a.TransitionOfferedToAllocated(ctx, agent, messages)
	})
}

// revive and suppress name roles of a framework, or none for all. One role too many
// and the call is dropped.
func (c *Core) revive(f *framework, roles []string) {
	c.counts.add("messages_revive_offers", 1)
	if !c.ownRoles(f, roles, "REVIVE") {
		return
	}
	if len(roles) == 0 {
		f.suppressed = table[string, bool]{}
	}
	for _, role := range roles {
		f.suppressed.delete(role)
	}
	id := f.info.GetId()
	c.allocate("ReviveOffers", func(ctx context.Context, a allocator.Allocator) error {
		return a.ReviveOffers(ctx, id, roles)
	})
}

func (c *Core) suppress(f *framework, roles []string) {
	c.counts.add("messages_suppress_offers", 1)
	if !c.ownRoles(f, roles, "SUPPRESS") {
		return
	}
	for _, role := range f.roles {
		if len(roles) == 0 || slices.Contains(roles, role) {
			f.suppressed.put(role, true)
		}
	}
	id := f.info.GetId()
	c.allocate("SuppressOffers", func(ctx context.Context, a allocator.Allocator) error {
		return a.SuppressOffers(ctx, id, roles)
	})
}

func (c *Core) ownRoles(f *framework, roles []string, call string) bool {
	for _, role := range roles {
		if !slices.Contains(f.roles, role) {
			c.log(Warning, "%s of framework %s is dropped: it has no role %q", call, f.id, role)
			return false
		}
	}
	return true
}

// request passes on what a framework would like to be offered.
func (c *Core) request(f *framework, requests []*mesosv1.Request) {
	c.counts.add("messages_resource_request", 1)
	id := f.info.GetId()
	c.allocate("RequestResources", func(ctx context.Context, a allocator.Allocator) error {
		return a.RequestResources(ctx, id, requests)
	})
}

func (c *Core) allocatorUpdateQuota(config *quota.QuotaConfig) {
	c.allocate("UpdateQuota", func(ctx context.Context, a allocator.Allocator) error {
		return a.UpdateQuota(ctx, config)
	})
}

func (c *Core) allocatorUpdateWeights(weights []*mesosv1.WeightInfo) {
	c.allocate("UpdateWeights", func(ctx context.Context, a allocator.Allocator) error {
		return a.UpdateWeights(ctx, weights)
	})
}
