package moduletest

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/roles/allocator"
)

// mute is told everything, and never makes an offer.
type mute struct{ allocator.Unimplemented }

var _ allocator.Allocator = mute{}

func (mute) Initialize(context.Context, *allocation.Options) error                 { return nil }
func (mute) Recover(context.Context, int32, []*quota.QuotaConfig) error            { return nil }
func (mute) Offers(context.Context, func([]*allocation.Share)) error               { return nil }
func (mute) InverseOffers(context.Context, func([]*allocation.InverseShare)) error { return nil }
func (mute) RemoveFramework(context.Context, *mesosv1.FrameworkID) error           { return nil }
func (mute) ActivateFramework(context.Context, *mesosv1.FrameworkID) error         { return nil }
func (mute) DeactivateFramework(context.Context, *mesosv1.FrameworkID) error       { return nil }
func (mute) RemoveSlave(context.Context, *mesosv1.AgentID) error                   { return nil }
func (mute) ActivateSlave(context.Context, *mesosv1.AgentID) error                 { return nil }
func (mute) DeactivateSlave(context.Context, *mesosv1.AgentID) error               { return nil }
func (mute) UpdateWhitelist(context.Context, *allocation.Whitelist) error          { return nil }
func (mute) SuppressOffers(context.Context, *mesosv1.FrameworkID, []string) error  { return nil }
func (mute) ReviveOffers(context.Context, *mesosv1.FrameworkID, []string) error    { return nil }
func (mute) UpdateQuota(context.Context, *quota.QuotaConfig) error                 { return nil }
func (mute) UpdateWeights(context.Context, []*mesosv1.WeightInfo) error            { return nil }
func (mute) Pause(context.Context) error                                           { return nil }
func (mute) Resume(context.Context) error                                          { return nil }
func (mute) RequestResources(context.Context, *mesosv1.FrameworkID, []*mesosv1.Request) error {
	return nil
}
func (mute) AddFramework(context.Context, *mesosv1.FrameworkInfo, []*allocation.Share, bool, []string, *scheduler.OfferConstraints) error {
	return nil
}
func (mute) UpdateFramework(context.Context, *mesosv1.FrameworkInfo, []string, *scheduler.OfferConstraints) error {
	return nil
}
func (mute) AddSlave(context.Context, *mesosv1.AgentInfo, []*mesosv1.AgentInfo_Capability, *mesosv1.Unavailability, []*mesosv1.Resource, []*allocation.Share) error {
	return nil
}
func (mute) UpdateSlave(context.Context, *mesosv1.AgentInfo, []*mesosv1.AgentInfo_Capability, []*mesosv1.Resource) error {
	return nil
}
func (mute) AddResourceProvider(context.Context, *mesosv1.AgentID, []*mesosv1.Resource, []*allocation.Share) error {
	return nil
}
func (mute) UpdateAllocation(context.Context, *mesosv1.FrameworkID, *mesosv1.AgentID, []*mesosv1.Resource, []*allocation.Conversion) error {
	return nil
}
func (mute) UpdateAvailable(context.Context, *mesosv1.AgentID, []*mesosv1.Offer_Operation) error {
	return nil
}
func (mute) TransitionOfferedToAllocated(context.Context, *mesosv1.AgentID, []*mesosv1.Resource) error {
	return nil
}
func (mute) RecoverResources(context.Context, *mesosv1.FrameworkID, *mesosv1.AgentID, []*mesosv1.Resource, *mesosv1.Filters, bool) error {
	return nil
}
func (mute) UpdateUnavailability(context.Context, *mesosv1.AgentID, *mesosv1.Unavailability) error {
	return nil
}
func (mute) UpdateInverseOffer(context.Context, *mesosv1.AgentID, *mesosv1.FrameworkID, []*mesosv1.Resource, *mesosv1.Unavailability, *v1allocator.InverseOfferStatus, *mesosv1.Filters) error {
	return nil
}
func (mute) InverseOfferStatuses(context.Context) ([]*allocation.InverseOfferStatuses, error) {
	return nil, nil
}

// TestBehavioursAskForSomething holds them against an allocator that does nothing: where it
// passes, nothing is asked.
func TestBehavioursAskForSomething(t *testing.T) {
	names := map[string]bool{}
	for _, b := range behaviours() {
		t.Run(b.name, func(t *testing.T) {
			assert.False(t, names[b.name], "the name is there twice")
			names[b.name] = true
			synctest.Test(t, func(t *testing.T) {
				assert.NotEmpty(t, outcome(t, func(t testing.TB) { b.hold(openMarket(t, mute{}, b.change)) }), "a mute allocator passes")
			})
		})
	}
	require.Greater(t, len(names), 80)
}
