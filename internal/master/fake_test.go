package master

import (
	"context"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/roles/allocator"
)

// allocating is an allocator that writes down what it is asked, and may be held up.
// What is not here is not called by the tests.
type allocating struct {
	allocator.Allocator

	before func(ctx context.Context, name string) error // nil: nothing happens

	mu        sync.Mutex
	calls     []string
	changed   chan struct{} // replaced after each call
	whitelist []string
	sink      func([]*allocation.Share)
}

func (a *allocating) note(ctx context.Context, name string) error {
	var err error
	if a.before != nil {
		err = a.before(ctx, name)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls = append(a.calls, name)
	if a.changed != nil {
		close(a.changed)
		a.changed = nil
	}
	return err
}

// await waits until the calls are as wanted.
func (a *allocating) await(ctx context.Context, wanted func(calls []string) bool) bool {
	for {
		a.mu.Lock()
		if wanted(a.calls) {
			a.mu.Unlock()
			return true
		}
		if a.changed == nil {
			a.changed = make(chan struct{})
		}
		changed := a.changed
		a.mu.Unlock()
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

func (a *allocating) Initialize(ctx context.Context, _ *allocation.Options) error {
	return a.note(ctx, "Initialize")
}

func (a *allocating) Offers(ctx context.Context, sink func([]*allocation.Share)) error {
	a.sink = sink
	return a.note(ctx, "Offers")
}

func (a *allocating) InverseOffers(ctx context.Context, _ func([]*allocation.InverseShare)) error {
	return a.note(ctx, "InverseOffers")
}

func (a *allocating) Recover(ctx context.Context, _ int32, _ []*quota.QuotaConfig) error {
	return a.note(ctx, "Recover")
}

func (a *allocating) AddFramework(ctx context.Context, _ *mesosv1.FrameworkInfo, _ []*allocation.Share, _ bool, _ []string,
	_ *scheduler.OfferConstraints) error {
	return a.note(ctx, "AddFramework")
}

func (a *allocating) UpdateFramework(ctx context.Context, _ *mesosv1.FrameworkInfo, _ []string, _ *scheduler.OfferConstraints) error {
	return a.note(ctx, "UpdateFramework")
}

func (a *allocating) RemoveFramework(ctx context.Context, _ *mesosv1.FrameworkID) error {
	return a.note(ctx, "RemoveFramework")
}

func (a *allocating) ActivateFramework(ctx context.Context, _ *mesosv1.FrameworkID) error {
	return a.note(ctx, "ActivateFramework")
}

func (a *allocating) DeactivateFramework(ctx context.Context, _ *mesosv1.FrameworkID) error {
	return a.note(ctx, "DeactivateFramework")
}

func (a *allocating) AddSlave(ctx context.Context, _ *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability, _ *mesosv1.Unavailability,
	_ []*mesosv1.Resource, _ []*allocation.Share) error {
	return a.note(ctx, "AddSlave")
}

func (a *allocating) UpdateSlave(ctx context.Context, _ *mesosv1.AgentInfo, _ []*mesosv1.AgentInfo_Capability, _ []*mesosv1.Resource) error {
	return a.note(ctx, "UpdateSlave")
}

func (a *allocating) RemoveSlave(ctx context.Context, _ *mesosv1.AgentID) error {
	return a.note(ctx, "RemoveSlave")
}

func (a *allocating) ActivateSlave(ctx context.Context, _ *mesosv1.AgentID) error {
	return a.note(ctx, "ActivateSlave")
}

func (a *allocating) DeactivateSlave(ctx context.Context, _ *mesosv1.AgentID) error {
	return a.note(ctx, "DeactivateSlave")
}

func (a *allocating) ReviveOffers(ctx context.Context, _ *mesosv1.FrameworkID, _ []string) error {
	return a.note(ctx, "ReviveOffers")
}

func (a *allocating) UpdateWeights(ctx context.Context, _ []*mesosv1.WeightInfo) error {
	return a.note(ctx, "UpdateWeights")
}

func (a *allocating) RecoverResources(ctx context.Context, _ *mesosv1.FrameworkID, _ *mesosv1.AgentID, _ []*mesosv1.Resource,
	_ *mesosv1.Filters, _ bool) error {
	return a.note(ctx, "RecoverResources")
}

func (a *allocating) TransitionOfferedToAllocated(ctx context.Context, _ *mesosv1.AgentID, _ []*mesosv1.Resource) error {
	return a.note(ctx, "TransitionOfferedToAllocated")
}

func (a *allocating) UpdateWhitelist(ctx context.Context, list *allocation.Whitelist) error {
	a.mu.Lock()
	a.whitelist = list.GetHostnames()
	a.mu.Unlock()
	return a.note(ctx, "UpdateWhitelist")
}

func (a *allocating) Metrics(context.Context) ([]*allocation.Metric, error) { return nil, nil }
