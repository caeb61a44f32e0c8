// Package allocator is the role Allocator: modules that decide which framework
// is offered which resources.
package allocator

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	v1allocator "github.com/mesos-modules/mms/facade/mesos/v1/allocator"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// Allocator keeps the books of a cluster and makes offers from what is free.
//
// Who calls. The master that leads, with what happens in its cluster, in the
// order in which it happens, one call at a time: only one method runs at any
// moment, whatever goroutine it is on. Initialize comes first and once, then
// Offers and InverseOffers once each, then Recover if there is something to
// recover, then the rest as often as it takes. An agent or framework is added
// before it is named in other calls and not named after its removal; a share may
// name a framework that is not added yet, or not any more.
//
// What a call may do. It does its bookkeeping and returns: the master waits, so
// allocation itself belongs on a goroutine of the module's own, which ends with
// the lifetime that the module's host has. A cancelled ctx means that the daemon
// stops; a change that has begun is finished.
//
// Messages and slices that a call brings, or a sink is given, belong to the
// receiver; nobody changes them any more. What may be absent is then nil.
//
// An error means that the books are as they were before the call. Where the
// master has nobody to tell, it logs the error and goes on.
type Allocator interface {
	// Initialize hands over the settings of the master.
	Initialize(ctx context.Context, options *allocation.Options) error

	// Recover is called once after a change of leader, before anything is
	// added, with the number of agents the former leader had and the quota of
	// all roles that have one. With quota, no offers are made until enough of
	// the agents are back or the recovery timeout is over.
	Recover(ctx context.Context, expectedAgents int32, quotas []*quota.QuotaConfig) error

	// Offers names the receiver of offers and returns at once. From then on
	// sink is given what each run of the allocation has for one framework: one
	// share for each agent and role, all its resources allocated to that role.
	// They count as used until RecoverResources brings them back. The module
	// calls sink from any goroutine, also within a call of the master's, but
	// never twice at a time; sink does not block. When ctx ends, sink is called
	// no more.
	Offers(ctx context.Context, sink func(shares []*allocation.Share)) error

	// InverseOffers is like Offers for resources on machines that will be
	// away, asked back from one framework.
	InverseOffers(ctx context.Context, sink func(shares []*allocation.InverseShare)) error

	// AddFramework is called when a framework subscribes, or comes back after
	// a change of leader with shares it still uses. It gets offers only while
	// it is active, for roles that are not suppressed, of agents that satisfy
	// the constraints (nil: of all).
	AddFramework(ctx context.Context, info *mesosv1.FrameworkInfo, used []*allocation.Share, active bool,
		suppressedRoles []string, constraints *scheduler.OfferConstraints) error

	// RemoveFramework is called when a framework is torn down. What it had is
	// brought back by RecoverResources, before or after.
	RemoveFramework(ctx context.Context, framework *mesosv1.FrameworkID) error

	// ActivateFramework and DeactivateFramework are called when a framework
	// connects and disconnects.
	ActivateFramework(ctx context.Context, framework *mesosv1.FrameworkID) error
	DeactivateFramework(ctx context.Context, framework *mesosv1.FrameworkID) error

	// UpdateFramework replaces what AddFramework said; shares and activity
	// stay.
	UpdateFramework(ctx context.Context, info *mesosv1.FrameworkInfo,
		suppressedRoles []string, constraints *scheduler.OfferConstraints) error

	// AddSlave is called when an agent registers or comes back, with its
	// resources, when it will be away if that is known, and what frameworks
	// use on it. It starts out active.
	AddSlave(ctx context.Context, info *mesosv1.AgentInfo, capabilities []*mesosv1.AgentInfo_Capability,
		unavailability *mesosv1.Unavailability, total []*mesosv1.Resource, used []*allocation.Share) error

	// RemoveSlave is called when an agent has gone. All on it has gone too.
	RemoveSlave(ctx context.Context, agent *mesosv1.AgentID) error

	// UpdateSlave replaces info, capabilities and total resources of an agent.
	// An agent that changed its attributes loses its filters.
	UpdateSlave(ctx context.Context, info *mesosv1.AgentInfo, capabilities []*mesosv1.AgentInfo_Capability,
		total []*mesosv1.Resource) error

	// AddResourceProvider adds to the resources of an agent, and to what
	// frameworks use on it.
	AddResourceProvider(ctx context.Context, agent *mesosv1.AgentID, total []*mesosv1.Resource,
		used []*allocation.Share) error

	// ActivateSlave and DeactivateSlave are called when an agent connects and
	// disconnects. Of an agent that is not active nothing is offered.
	ActivateSlave(ctx context.Context, agent *mesosv1.AgentID) error
	DeactivateSlave(ctx context.Context, agent *mesosv1.AgentID) error

	// UpdateWhitelist names the hosts whose agents may be offered; nil allows
	// all, an empty one none.
	UpdateWhitelist(ctx context.Context, whitelist *allocation.Whitelist) error

	// RequestResources tells what a framework would like to be offered. An
	// allocator may ignore it.
	RequestResources(ctx context.Context, framework *mesosv1.FrameworkID, requests []*mesosv1.Request) error

	// UpdateAllocation is called when a framework applies operations to an
	// offer: of the resources offered to it, each conversion consumes some and
	// puts others in their place.
	UpdateAllocation(ctx context.Context, framework *mesosv1.FrameworkID, agent *mesosv1.AgentID,
		offered []*mesosv1.Resource, conversions []*allocation.Conversion) error

	// UpdateAvailable is called when an operator applies operations to free
	// resources. It is an error if they are not free; the operator gets its
	// text.
	UpdateAvailable(ctx context.Context, agent *mesosv1.AgentID, operations []*mesosv1.Offer_Operation) error

	// TransitionOfferedToAllocated is called when tasks are launched on
	// resources that were only offered until then.
	TransitionOfferedToAllocated(ctx context.Context, agent *mesosv1.AgentID, resources []*mesosv1.Resource) error

	// RecoverResources brings back what a framework declined, or does not use
	// any more; all of it of one role. With filters the framework is not
	// offered the like for a while. Allocated tells resources that were in use
	// from ones that were only offered. Freed resources wait for the next run.
	RecoverResources(ctx context.Context, framework *mesosv1.FrameworkID, agent *mesosv1.AgentID,
		resources []*mesosv1.Resource, filters *mesosv1.Filters, allocated bool) error

	// UpdateUnavailability says when an agent will be away; nil that it will
	// not. Answers to its inverse offers are forgotten.
	UpdateUnavailability(ctx context.Context, agent *mesosv1.AgentID, unavailability *mesosv1.Unavailability) error

	// UpdateInverseOffer is called with a framework's answer to an inverse
	// offer, or with nil if the offer was taken back. With filters no other is
	// made for a while.
	UpdateInverseOffer(ctx context.Context, agent *mesosv1.AgentID, framework *mesosv1.FrameworkID,
		resources []*mesosv1.Resource, unavailability *mesosv1.Unavailability,
		status *v1allocator.InverseOfferStatus, filters *mesosv1.Filters) error

	// InverseOfferStatuses returns the last answers, agents and frameworks in
	// the order of their ids.
	InverseOfferStatuses(ctx context.Context) ([]*allocation.InverseOfferStatuses, error)

	// SuppressOffers stops offers to a framework for these roles, ReviveOffers
	// starts them again and drops the framework's filters for them. No roles
	// means all of the framework's.
	SuppressOffers(ctx context.Context, framework *mesosv1.FrameworkID, roles []string) error
	ReviveOffers(ctx context.Context, framework *mesosv1.FrameworkID, roles []string) error

	// UpdateQuota replaces the guarantees and limits of a role.
	UpdateQuota(ctx context.Context, config *quota.QuotaConfig) error

	// UpdateWeights replaces the weights of the roles named. The master takes
	// back outstanding offers by itself.
	UpdateWeights(ctx context.Context, weights []*mesosv1.WeightInfo) error

	// Pause stops all offers until Resume. Bookkeeping goes on.
	Pause(ctx context.Context) error
	Resume(ctx context.Context) error

	// Metrics returns what the allocator measures, in the order of the names.
	// The master publishes each as allocator/ and its name; names that
	// monitoring of Apache Mesos knows begin with mesos/. What has no value yet
	// is left out.
	//
	//mms:since 1.12.0
	//mms:default nil
	Metrics(ctx context.Context) ([]*allocation.Metric, error)
}
