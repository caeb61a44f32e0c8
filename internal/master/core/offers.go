package core

import (
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"

	"google.golang.org/protobuf/proto"
)

// offer is resources of one agent, allocated to one role of one framework, which the
// framework may use.
type offer struct {
	info      *mesosv1.Offer // as operators see it: with allocation, in the newest shape
	framework *framework
	agent     *agent
	resources resources.Resources
	timeout   *timer
}

func (o *offer) id() string { return o.info.GetId().GetValue() }

func (o *offer) role() string { return o.info.GetAllocationInfo().GetRole() }

// offered makes offers of what the allocator has for frameworks; what cannot be
// offered goes back to it.
func (c *Core) offered(shares []*allocation.Share) {
	var receivers table[string, []*mesosv1.Offer]
	for _, share := range shares {
		r, err := resources.New(share.GetResources())
		if err != nil {
			c.log(Error, "the allocator offers framework %s what is not valid: %v",
				share.GetFrameworkId().GetValue(), err)
			continue
		}
		parts := r.ByAllocation()
		if len(parts) == 0 {
			c.log(Error, "the allocator offers framework %s what is allocated to no role: %s",
				share.GetFrameworkId().GetValue(), r)
		}
		for _, part := range parts {
			o, reason := c.newOffer(share, part)
			if o == nil {
				c.log(Info, "resources for framework %s go back: %s", share.GetFrameworkId().GetValue(), reason)
				c.giveBackIfThere(share.GetFrameworkId(), share.GetAgentId(), part.Resources)
				continue
			}
			seen, err := offerFor(o)
			if err != nil {
				c.log(Warning, "resources for framework %s go back: %v", o.framework.id, err)
				c.recoverOffer(o, nil)
				continue
			}
			already, _ := receivers.get(o.framework.id)
			receivers.put(o.framework.id, append(already, seen))
		}
	}
	for id := range receivers.keys() {
		offers, _ := receivers.get(id)
		f, _ := c.frameworks.get(id)
		f.counts.add("offers/sent", float64(len(offers)))
		c.send(f, &scheduler.Event{
			Type:   scheduler.Event_OFFERS.Enum(),
			Offers: &scheduler.Event_Offers{Offers: offers},
		})
	}
}

// newOffer enters an offer in the books, or says why there can be none.
func (c *Core) newOffer(share *allocation.Share, part resources.Part) (o *offer, reason string) {
	f, _ := c.frameworks.get(share.GetFrameworkId().GetValue())
	a, _ := c.agents.get(share.GetAgentId().GetValue())
	switch {
	case f == nil || !f.active || !f.connected():
		return nil, "the framework is not connected"
	case a == nil:
		return nil, "agent " + share.GetAgentId().GetValue() + " is not registered"
	case !a.active:
		return nil, "agent " + a.id + " is not active"
	}
	o = &offer{framework: f, agent: a, resources: part.Resources, info: &mesosv1.Offer{
		Id:             c.newOfferID(),
		FrameworkId:    f.info.GetId(),
		AgentId:        a.info.GetId(),
		Hostname:       proto.String(a.info.GetHostname()),
		Url:            a.url(),
		Domain:         a.info.GetDomain(),
		Resources:      part.Resources.Messages(),
		Attributes:     a.info.GetAttributes(),
		AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String(part.Role)},
	}}
	for e := range a.executors.values() {
		if e.framework == f {
			o.info.ExecutorIds = append(o.info.ExecutorIds, e.info.GetExecutorId())
		}
	}
	c.offers.put(o.id(), o)
	f.offers.put(o.id(), o)
	a.offers.put(o.id(), o)
	f.offered = f.offered.Add(o.resources)
	a.offered = a.offered.Add(o.resources)
	if c.config.OfferTimeout > 0 {
		o.timeout = c.after(c.config.OfferTimeout, func() { c.rescind(o, nil) })
	}
	return o, ""
}

// offerFor is an offer as its framework understands it.
func offerFor(o *offer) (*mesosv1.Offer, error) {
	f := o.framework
	multiRole := f.can(mesosv1.FrameworkInfo_Capability_MULTI_ROLE)
	shape := f.shape()
	if multiRole && shape == resources.Post {
		return o.info, nil
	}
	r := o.resources
	if !multiRole {
		r = r.Unallocate()
	}
	messages, err := r.MessagesIn(shape)
	if err != nil {
		return nil, err
	}
	i := o.info
	seen := &mesosv1.Offer{Id: i.Id, FrameworkId: i.FrameworkId, AgentId: i.AgentId, Hostname: i.Hostname, Url: i.Url,
		Domain: i.Domain, Resources: messages, Attributes: i.Attributes, ExecutorIds: i.ExecutorIds,
		Unavailability: i.Unavailability}
	if multiRole {
		seen.AllocationInfo = i.AllocationInfo
	}
	return seen, nil
}

// dropOffer takes an offer out of the books. What it offered is the caller's.
func (c *Core) dropOffer(o *offer) {
	c.stop(o.timeout)
	c.offers.delete(o.id())
	o.framework.offers.delete(o.id())
	o.agent.offers.delete(o.id())
	o.framework.offered = o.framework.offered.Sub(o.resources)
	o.agent.offered = o.agent.offered.Sub(o.resources)
}

// recoverOffer takes an offer back without telling its framework.
func (c *Core) recoverOffer(o *offer, filters *mesosv1.Filters) {
	c.dropOffer(o)
	c.giveBack(o.info.GetFrameworkId(), o.info.GetAgentId(), o.resources, filters, false)
}

// rescind takes an offer back and tells its framework.
func (c *Core) rescind(o *offer, filters *mesosv1.Filters) {
	c.recoverOffer(o, filters)
	o.framework.counts.add("offers/rescinded", 1)
	c.send(o.framework, &scheduler.Event{
		Type:    scheduler.Event_RESCIND.Enum(),
		Rescind: &scheduler.Event_Rescind{OfferId: o.info.GetId()},
	})
}

// decline gives offers back. Ids that are not among the framework's offers are left
// out: they may have been rescinded on the way.
func (c *Core) decline(f *framework, call *scheduler.Call_Decline) {
	c.counts.add("messages_decline_offers", 1)
	declined := 0
	for _, id := range call.GetOfferIds() {
		o, ok := f.offers.get(id.GetValue())
		if !ok {
			c.log(Warning, "DECLINE of offer %s by framework %s: it is no longer valid", id.GetValue(), f.id)
			continue
		}
		c.recoverOffer(o, orDefault(call.GetFilters()))
		declined++
	}
	f.counts.add("offers/declined", float64(declined))
}

// orDefault is what a call without filters means.
func orDefault(filters *mesosv1.Filters) *mesosv1.Filters {
	if filters == nil {
		return &mesosv1.Filters{}
	}
	return filters
}
