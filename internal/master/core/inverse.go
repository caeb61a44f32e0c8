package core

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/roles/allocator"
)

// inverseOffer is the wish to have resources of an agent back from a framework.
type inverseOffer struct {
	info      *mesosv1.InverseOffer
	framework *framework
}

func (o *inverseOffer) id() string { return o.info.GetId().GetValue() }

// inverseOffered passes on what the allocator asks back.
func (c *Core) inverseOffered(shares []*allocation.InverseShare) {
	var receivers table[string, []*mesosv1.InverseOffer]
	for _, share := range shares {
		f, _ := c.frameworks.get(share.GetFrameworkId().GetValue())
		a, _ := c.agents.get(share.GetAgentId().GetValue())
		if f == nil || !f.connected() || a == nil {
			c.answerInverse(share.GetAgentId(), share.GetFrameworkId(), share.GetResources(),
				share.GetUnavailability(), nil, nil)
			continue
		}
		o := &inverseOffer{framework: f, info: &mesosv1.InverseOffer{
			Id: c.newOfferID(), Url: a.url(), FrameworkId: f.info.GetId(), AgentId: a.info.GetId(),
			Unavailability: share.GetUnavailability(), Resources: share.GetResources(),
		}}
		f.inverse.put(o.id(), o)
		a.inverse.put(o.id(), o)
		already, _ := receivers.get(f.id)
		receivers.put(f.id, append(already, o.info))
	}
	for id := range receivers.keys() {
		offers, _ := receivers.get(id)
		f, _ := c.frameworks.get(id)
		c.send(f, &scheduler.Event{
			Type:          scheduler.Event_INVERSE_OFFERS.Enum(),
			InverseOffers: &scheduler.Event_InverseOffers{InverseOffers: offers},
		})
	}
}

func (c *Core) acceptInverse(f *framework, call *scheduler.Call_AcceptInverseOffers) {
	for _, id := range call.GetInverseOfferIds() {
		c.replyInverse(f, id.GetValue(), v1allocator.InverseOfferStatus_ACCEPT, call.GetFilters())
	}
}

func (c *Core) declineInverse(f *framework, call *scheduler.Call_DeclineInverseOffers) {
	for _, id := range call.GetInverseOfferIds() {
		c.replyInverse(f, id.GetValue(), v1allocator.InverseOfferStatus_DECLINE, call.GetFilters())
	}
}

func (c *Core) replyInverse(f *framework, id string, status v1allocator.InverseOfferStatus_Status,
	filters *mesosv1.Filters) {
	o, ok := f.inverse.get(id)
	if !ok {
		c.log(Warning, "framework %s answers the inverse offer %s, which is no longer valid", f.id, id)
		return
	}
	c.dropInverse(o)
	c.answerInverse(o.info.GetAgentId(), o.info.GetFrameworkId(), o.info.GetResources(), o.info.GetUnavailability(),
		&v1allocator.InverseOfferStatus{Status: status.Enum(), FrameworkId: f.info.GetId(), Timestamp: timeInfo(c.now)},
		orDefault(filters))
}

// withdrawInverse takes an inverse offer back silently.
func (c *Core) withdrawInverse(o *inverseOffer) {
	c.dropInverse(o)
	c.answerInverse(o.info.GetAgentId(), o.info.GetFrameworkId(), o.info.GetResources(), o.info.GetUnavailability(),
		nil, nil)
}

// rescindInverse takes an inverse offer back and tells its framework.
func (c *Core) rescindInverse(o *inverseOffer) {
	c.withdrawInverse(o)
	c.send(o.framework, &scheduler.Event{
		Type:                scheduler.Event_RESCIND_INVERSE_OFFER.Enum(),
		RescindInverseOffer: &scheduler.Event_RescindInverseOffer{InverseOfferId: o.info.GetId()},
	})
}

func (c *Core) dropInverse(o *inverseOffer) {
	o.framework.inverse.delete(o.id())
	if a, ok := c.agents.get(o.info.GetAgentId().GetValue()); ok {
		a.inverse.delete(o.id())
	}
}

func (c *Core) answerInverse(agent *mesosv1.AgentID, framework *mesosv1.FrameworkID, resources []*mesosv1.Resource,
	unavailability *mesosv1.Unavailability, status *v1allocator.InverseOfferStatus, filters *mesosv1.Filters) {
	c.allocate("UpdateInverseOffer", func(ctx context.Context, a allocator.Allocator) error {
		return a.UpdateInverseOffer(ctx, agent, framework, resources, unavailability, status, filters)
	})
}
