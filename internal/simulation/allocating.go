package simulation

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
)

// What follows is roles/allocator.Allocator, as far as the master calls it here.

func (b *books) AddFramework(_ context.Context, info *mesosv1.FrameworkInfo, used []*allocation.Share, active bool,
	_ []string, _ *scheduler.OfferConstraints) error {
	id := info.GetId().GetValue()
	if _, there := b.frameworks[id]; there {
		return fmt.Errorf("framework %s is there already", id)
	}
	b.frameworks[id] = active
	var fresh []*allocation.Share
	for _, s := range used { // what an agent has said before is charged once
		if l := b.agents[s.GetAgentId().GetValue()]; l != nil && l.used[id].Empty() {
			fresh = append(fresh, s)
		}
	}
	return b.charge(fresh)
}

func (b *books) RemoveFramework(_ context.Context, framework *mesosv1.FrameworkID) error {
	delete(b.frameworks, framework.GetValue())
	return nil
}

func (b *books) ActivateFramework(_ context.Context, framework *mesosv1.FrameworkID) error {
	b.frameworks[framework.GetValue()] = true
	return nil
}

func (b *books) DeactivateFramework(_ context.Context, framework *mesosv1.FrameworkID) error {
	b.frameworks[framework.GetValue()] = false
	return nil
}

func (b *books) UpdateFramework(context.Context, *mesosv1.FrameworkInfo, []string, *scheduler.OfferConstraints) error {
	return nil
}

func (b *books) AddSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability, _ *mesosv1.Unavailability,
	total []*mesosv1.Resource, used []*allocation.Share) error {
	id := info.GetId().GetValue()
	if _, there := b.agents[id]; there {
		return fmt.Errorf("agent %s is there already", id)
	}
	all, err := resources.New(total)
	if err != nil {
		return err
	}
	b.agents[id] = &ledger{id: info.GetId(), active: true, total: all, used: map[string]resources.Resources{}}
	return b.charge(used)
}

// charge books what is used already.
func (b *books) charge(used []*allocation.Share) error {
	for _, s := range used {
		l := b.agents[s.GetAgentId().GetValue()]
		if l == nil {
			continue // it is charged when the agent is added
		}
		r, err := resources.New(s.GetResources())
		if err != nil {
			return err
		}
		framework := s.GetFrameworkId().GetValue()
		l.used[framework] = l.used[framework].Add(r)
	}
	return nil
}

func (b *books) RemoveSlave(_ context.Context, agent *mesosv1.AgentID) error {
	if b.agents[agent.GetValue()] == nil {
		return fmt.Errorf("agent %s is not there", agent.GetValue())
	}
	delete(b.agents, agent.GetValue())
	return nil
}

func (b *books) UpdateSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability, total []*mesosv1.Resource) error {
	l, err := b.of(info.GetId())
	if err != nil {
		return err
	}
	l.total, err = resources.New(total)
	return err
}

func (b *books) of(agent *mesosv1.AgentID) (*ledger, error) {
	if l := b.agents[agent.GetValue()]; l != nil {
		return l, nil
	}
	return nil, fmt.Errorf("agent %s is not there", agent.GetValue())
}

func (b *books) ActivateSlave(_ context.Context, agent *mesosv1.AgentID) error {
	l, err := b.of(agent)
	if err == nil {
		l.active = true
	}
	return err
}

func (b *books) DeactivateSlave(_ context.Context, agent *mesosv1.AgentID) error {
	l, err := b.of(agent)
	if err == nil {
		l.active = false
	}
	return err
}

func (b *books) UpdateAllocation(_ context.Context, _ *mesosv1.FrameworkID, agent *mesosv1.AgentID, _ []*mesosv1.Resource, _ []*allocation.Conversion) error {
	_, err := b.of(agent)
	return err
}

func (b *books) TransitionOfferedToAllocated(_ context.Context, agent *mesosv1.AgentID, _ []*mesosv1.Resource) error {
	_, err := b.of(agent)
	return err
}

// RecoverResources takes back what was given. More than that is a mistake of the
// master's; of an agent that is gone, everything is gone.
func (b *books) RecoverResources(_ context.Context, framework *mesosv1.FrameworkID, agent *mesosv1.AgentID, back []*mesosv1.Resource,
	_ *mesosv1.Filters, _ bool) error {
	l := b.agents[agent.GetValue()]
	if l == nil {
		return nil
	}
	r, err := resources.New(back)
	if err != nil {
		return err
	}
	used := l.used[framework.GetValue()]
	if !used.Contains(r) {
		return fmt.Errorf("framework %s gives %v of agent %s back and has %v", framework.GetValue(), r, agent.GetValue(), used)
	}
	if l.used[framework.GetValue()] = used.Sub(r); l.used[framework.GetValue()].Empty() {
		delete(l.used, framework.GetValue())
	}
	return nil
}

func (b *books) ReviveOffers(context.Context, *mesosv1.FrameworkID, []string) error   { return nil }
func (b *books) SuppressOffers(context.Context, *mesosv1.FrameworkID, []string) error { return nil }
func (b *books) UpdateWeights(context.Context, []*mesosv1.WeightInfo) error           { return nil }
func (b *books) Recover(context.Context, int32, []*quota.QuotaConfig) error           { return nil }
func (b *books) UpdateQuota(context.Context, *quota.QuotaConfig) error                { return nil }
func (b *books) UpdateUnavailability(context.Context, *mesosv1.AgentID, *mesosv1.Unavailability) error {
	return nil
}
