package core

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/roles/allocator"
)

// books are an allocator that only keeps books, and says what breaks the contract of
// its role.
type books struct {
	allocator.Unimplemented
	frameworks map[string]bool // whether it is active
	agents     map[string]*agentBooks
	problems   []string
	calls      []string // with what they brought, for transcripts
}

type agentBooks struct {
	total  resources.Resources
	active bool
	used   map[string]resources.Resources // by framework
}

func newBooks() *books {
	return &books{frameworks: map[string]bool{}, agents: map[string]*agentBooks{}}
}

func (b *books) call(format string, args ...any) {
	b.calls = append(b.calls, fmt.Sprintf(format, args...))
}

func (b *books) wrong(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	b.problems = append(b.problems, err.Error())
	return err
}

func (b *books) framework(id *mesosv1.FrameworkID) error {
	if _, ok := b.frameworks[id.GetValue()]; !ok {
		return b.wrong("framework %s is not added", id.GetValue())
	}
	return nil
}

func (b *books) agent(id *mesosv1.AgentID) (*agentBooks, error) {
	a, ok := b.agents[id.GetValue()]
	if !ok {
		return nil, b.wrong("agent %s is not added", id.GetValue())
	}
	return a, nil
}

// share makes an offer to a framework of what is free on an agent.
func (b *books) share(agent, framework, role string, part resources.Resources) *allocation.Share {
	a := b.agents[agent]
	part = part.Allocate(role)
	a.used[framework] = a.used[framework].Add(part)
	return &allocation.Share{
		FrameworkId: &mesosv1.FrameworkID{Value: &framework}, AgentId: &mesosv1.AgentID{Value: &agent},
		Resources: part.Messages(),
	}
}

func (a *agentBooks) free() resources.Resources {
	free := a.total
	for _, f := range slices.Sorted(maps.Keys(a.used)) {
		free = free.Sub(a.used[f].Unallocate())
	}
	return free
}

func mustNew(messages []*mesosv1.Resource) resources.Resources {
	r, err := resources.New(messages)
	if err != nil {
		panic(err)
	}
	return r
}

func (b *books) Initialize(context.Context, *allocation.Options) error { return nil }

func (b *books) Recover(_ context.Context, agents int32, quotas []*quota.QuotaConfig) error {
	b.call("%d agents, %d quotas", agents, len(quotas))
	return nil
}

func (b *books) Offers(context.Context, func([]*allocation.Share)) error { return nil }

func (b *books) InverseOffers(context.Context, func([]*allocation.InverseShare)) error { return nil }

func (b *books) AddFramework(_ context.Context, info *mesosv1.FrameworkInfo, used []*allocation.Share, active bool,
	suppressed []string, _ *scheduler.OfferConstraints) error {
	if _, ok := b.frameworks[info.GetId().GetValue()]; ok {
		return b.wrong("framework %s is added twice", info.GetId().GetValue())
	}
	b.frameworks[info.GetId().GetValue()] = active
	b.call("%s active=%v suppressed=%v used=%d", info.GetId().GetValue(), active, suppressed, len(used))
	return nil
}

func (b *books) RemoveFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	if err := b.framework(id); err != nil {
		return err
	}
	delete(b.frameworks, id.GetValue())
	b.call("%s", id.GetValue())
	return nil
}

func (b *books) activity(id *mesosv1.FrameworkID, active bool) error {
	if err := b.framework(id); err != nil {
		return err
	}
	if b.frameworks[id.GetValue()] == active {
		return b.wrong("framework %s is set to active=%v twice", id.GetValue(), active)
	}
	b.frameworks[id.GetValue()] = active
	b.call("%s", id.GetValue())
	return nil
}

func (b *books) ActivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	return b.activity(id, true)
}

func (b *books) DeactivateFramework(_ context.Context, id *mesosv1.FrameworkID) error {
	return b.activity(id, false)
}

func (b *books) UpdateFramework(_ context.Context, info *mesosv1.FrameworkInfo, suppressed []string,
	_ *scheduler.OfferConstraints) error {
	b.call("%s suppressed=%v", info.GetId().GetValue(), suppressed)
	return b.framework(info.GetId())
}

func (b *books) AddSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability,
	_ *mesosv1.Unavailability, total []*mesosv1.Resource, used []*allocation.Share) error {
	id := info.GetId().GetValue()
	if _, ok := b.agents[id]; ok {
		return b.wrong("agent %s is added twice", id)
	}
	a := &agentBooks{total: mustNew(total), active: true, used: map[string]resources.Resources{}}
	for _, s := range used {
		f := s.GetFrameworkId().GetValue()
		a.used[f] = a.used[f].Add(mustNew(s.GetResources()))
	}
	b.agents[id] = a
	b.call("%s %s used=%d", id, a.total, len(used))
	return nil
}

func (b *books) RemoveSlave(_ context.Context, id *mesosv1.AgentID) error {
	if _, err := b.agent(id); err != nil {
		return err
	}
	delete(b.agents, id.GetValue())
	b.call("%s", id.GetValue())
	return nil
}

func (b *books) UpdateSlave(_ context.Context, info *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability,
	total []*mesosv1.Resource) error {
	a, err := b.agent(info.GetId())
	if err != nil {
		return err
	}
	a.total = mustNew(total)
	b.call("%s %s", info.GetId().GetValue(), a.total)
	return nil
}

func (b *books) AddResourceProvider(context.Context, *mesosv1.AgentID, []*mesosv1.Resource, []*allocation.Share) error {
	return nil
}

func (b *books) agentActivity(id *mesosv1.AgentID, active bool) error {
	a, err := b.agent(id)
	if err != nil {
		return err
	}
	if a.active == active {
		return b.wrong("agent %s is set to active=%v twice", id.GetValue(), active)
	}
	a.active = active
	b.call("%s", id.GetValue())
	return nil
}

func (b *books) ActivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return b.agentActivity(id, true)
}

func (b *books) DeactivateSlave(_ context.Context, id *mesosv1.AgentID) error {
	return b.agentActivity(id, false)
}

func (b *books) UpdateWhitelist(context.Context, *allocation.Whitelist) error { return nil }

func (b *books) RequestResources(_ context.Context, id *mesosv1.FrameworkID, requests []*mesosv1.Request) error {
	b.call("%s %d", id.GetValue(), len(requests))
	return b.framework(id)
}

func (b *books) UpdateAllocation(context.Context, *mesosv1.FrameworkID, *mesosv1.AgentID, []*mesosv1.Resource,
	[]*allocation.Conversion) error {
	return nil
}

func (b *books) UpdateAvailable(context.Context, *mesosv1.AgentID, []*mesosv1.Offer_Operation) error {
	return nil
}

func (b *books) TransitionOfferedToAllocated(_ context.Context, id *mesosv1.AgentID, r []*mesosv1.Resource) error {
	b.call("%s %s", id.GetValue(), mustNew(r))
	_, err := b.agent(id)
	return err
}

func (b *books) RecoverResources(_ context.Context, f *mesosv1.FrameworkID, id *mesosv1.AgentID, r []*mesosv1.Resource,
	filters *mesosv1.Filters, allocated bool) error {
	back := mustNew(r)
	filter := ""
	if filters != nil {
		filter = fmt.Sprintf(" refuse=%v", filters.GetRefuseSeconds())
	}
	b.call("%s %s %s allocated=%v%s", f.GetValue(), id.GetValue(), back, allocated, filter)
	if roles := len(back.ByAllocation()); roles > 1 {
		return b.wrong("resources of %d roles are recovered at once", roles)
	}
	a, err := b.agent(id)
	if err != nil {
		return err
	}
	if !a.used[f.GetValue()].Contains(back) {
		return b.wrong("framework %s gives back %s on %s and has %s", f.GetValue(), back, id.GetValue(), a.used[f.GetValue()])
	}
	a.used[f.GetValue()] = a.used[f.GetValue()].Sub(back)
	return nil
}

func (b *books) UpdateUnavailability(context.Context, *mesosv1.AgentID, *mesosv1.Unavailability) error {
	return nil
}

func (b *books) UpdateInverseOffer(_ context.Context, id *mesosv1.AgentID, f *mesosv1.FrameworkID, _ []*mesosv1.Resource,
	_ *mesosv1.Unavailability, status *v1allocator.InverseOfferStatus, filters *mesosv1.Filters) error {
	b.call("%s %s status=%v filters=%v", id.GetValue(), f.GetValue(), status.GetStatus(), filters != nil)
	return nil
}

func (b *books) InverseOfferStatuses(context.Context) ([]*allocation.InverseOfferStatuses, error) {
	return nil, nil
}

func (b *books) SuppressOffers(_ context.Context, id *mesosv1.FrameworkID, roles []string) error {
	b.call("%s %v", id.GetValue(), roles)
	return b.framework(id)
}

func (b *books) ReviveOffers(_ context.Context, id *mesosv1.FrameworkID, roles []string) error {
	b.call("%s %v", id.GetValue(), roles)
	return b.framework(id)
}

func (b *books) UpdateQuota(_ context.Context, q *quota.QuotaConfig) error {
	b.call("%s guarantees=%d limits=%d", q.GetRole(), len(q.GetGuarantees()), len(q.GetLimits()))
	return nil
}

func (b *books) UpdateWeights(_ context.Context, weights []*mesosv1.WeightInfo) error {
	b.call("%d", len(weights))
	return nil
}

func (b *books) Pause(context.Context) error  { return nil }
func (b *books) Resume(context.Context) error { return nil }
