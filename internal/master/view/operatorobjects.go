package view

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
)

func frameworks(v *core.View, approve Approve) *master.Response_GetFrameworks {
	r := &master.Response_GetFrameworks{}
	for _, f := range v.Frameworks {
		if approve.framework(f.Info) {
			r.Frameworks = append(r.Frameworks, Framework(f))
		}
	}
	for _, f := range v.Completed {
		if approve.framework(f.Info) {
			r.CompletedFrameworks = append(r.CompletedFrameworks, Framework(f))
		}
	}
	return r
}

// Framework is a framework as the operator API shows it. It shares messages with the
// view.
func Framework(f *core.FrameworkView) *master.Response_GetFrameworks_Framework {
	return &master.Response_GetFrameworks_Framework{
		FrameworkInfo:      f.Info,
		Active:             proto.Bool(f.Active),
		Connected:          proto.Bool(f.Connected),
		Recovered:          proto.Bool(f.Recovered),
		RegisteredTime:     timeInfo(f.Registered),
		ReregisteredTime:   timeInfo(f.Reregistered),
		UnregisteredTime:   timeInfo(f.Unregistered),
		Offers:             f.Offers,
		InverseOffers:      f.InverseOffers,
		AllocatedResources: f.Used.Messages(),
		OfferedResources:   f.Offered.Messages(),
		OfferConstraints:   f.Constraints,
	}
}

func agents(v *core.View, approve Approve) *master.Response_GetAgents {
	r := &master.Response_GetAgents{RecoveredAgents: v.Recovered}
	for _, a := range v.Agents {
		r.Agents = append(r.Agents, Agent(a, approve))
	}
	return r
}

// Agent is an agent as the operator API shows it. It shares messages with the view.
func Agent(a *core.AgentView, approve Approve) *master.Response_GetAgents_Agent {
	see := func(r resources.Resources) []*mesosv1.Resource {
		if approve.Role != nil {
			r = r.Filter(func(each resources.Resource) bool { return visible(each, approve) })
		}
		return endpoint(r)
	}
	agent := &master.Response_GetAgents_Agent{
		AgentInfo:               withResources(a.Info, see),
		Active:                  proto.Bool(a.Active),
		Deactivated:             proto.Bool(a.Deactivated),
		Version:                 proto.String(a.Version),
		Pid:                     proto.String(a.PID.String()),
		RegisteredTime:          timeInfo(a.Registered),
		ReregisteredTime:        timeInfo(a.Reregistered),
		TotalResources:          see(a.Total),
		AllocatedResources:      see(a.Used),
		OfferedResources:        see(a.Offered),
		Capabilities:            a.Capabilities,
		DrainInfo:               a.Drain,
		EstimatedDrainStartTime: timeInfo(a.DrainStarted),
	}
	for _, p := range a.Providers {
		mine := a.Total.Filter(func(r resources.Resource) bool { return r.HasProvider() && providerOf(r) == p.GetId().GetValue() })
		agent.ResourceProviders = append(agent.ResourceProviders, &master.Response_GetAgents_Agent_ResourceProvider{
			ResourceProviderInfo: p,
			TotalResources:       see(mine),
		})
	}
	return agent
}

// withResources is the info with its resources as the reader sees them; the rest is
// shared.
func withResources(info *mesosv1.AgentInfo, see func(resources.Resources) []*mesosv1.Resource) *mesosv1.AgentInfo {
	all, err := resources.New(info.GetResources())
	if err != nil { // the core takes valid ones only
		return info
	}
	return &mesosv1.AgentInfo{
		Hostname:   info.Hostname,
		Port:       info.Port,
		Resources:  see(all),
		Attributes: info.Attributes,
		Id:         info.Id,
		Domain:     info.Domain,
	}
}

func providerOf(r resources.Resource) string { return r.Message().GetProviderId().GetValue() }

// timeInfo is unset for what has not happened.
func timeInfo(at time.Time) *mesosv1.TimeInfo {
	if at.IsZero() {
		return nil
	}
	return &mesosv1.TimeInfo{Nanoseconds: proto.Int64(at.UnixNano())}
}
