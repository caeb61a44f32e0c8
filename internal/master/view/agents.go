package view

import (
	"io"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/resources"
)

// WriteSlaves writes /slaves, of the one agent that slave_id names if it does.
func WriteSlaves(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) {
		only := o.Query.Get("slave_id")
		d.List("slaves", func() {
			for _, a := range v.Agents {
				if only == "" || only == a.Info.GetId().GetValue() {
					d.Element(func() {
						d.agent(a, o.Approve)
						d.fullResources(a, o.Approve)
					})
				}
			}
		})
		d.recoveredAgents(v, only)
	})
}

// agents writes slaves[] and recovered_slaves[] as /state has them.
func (d *document) agents(v *core.View, o Options) {
	d.List("slaves", func() {
		for _, a := range v.Agents {
			d.Element(func() { d.agent(a, o.Approve) })
		}
	})
	d.recoveredAgents(v, "")
}

func (d *document) recoveredAgents(v *core.View, only string) {
	d.List("recovered_slaves", func() {
		for _, info := range v.Recovered {
			if only == "" || only == info.GetId().GetValue() {
				d.Element(func() { d.agentInfo(info) })
			}
		}
	})
}

// agentInfo writes what an agent says of itself.
func (d *document) agentInfo(info *mesosv1.AgentInfo) {
	d.Text("id", info.GetId().GetValue())
	d.Text("hostname", info.GetHostname())
	d.Whole("port", int64(info.GetPort()))
	d.Key("attributes")
	d.Fields(resources.AttributeFields(info.GetAttributes()))
	d.Domain(info.GetDomain())
}

func (d *document) agent(a *core.AgentView, approve Approve) {
	d.agentInfo(a.Info)
	d.Text("pid", a.PID.String())
	d.Time("registered_time", a.Registered)
	d.SomeTime("reregistered_time", a.Reregistered)
	d.Resources("resources", a.Total)
	d.Resources("used_resources", a.Used)
	d.Resources("offered_resources", a.Offered)
	d.Object("reserved_resources", func() {
		for _, part := range a.Total.ByReservation() {
			if approve.role(part.Role) {
				d.Resources(part.Role, part.Resources)
			}
		}
	})
	d.Resources("unreserved_resources", a.Total.Unreserved())
	d.Truth("active", a.Active)
	d.Truth("deactivated", a.Deactivated)
	d.Text("version", a.Version)
	d.List("capabilities", func() {
		for _, c := range a.Capabilities {
			d.String(c.GetType().String())
		}
	})
	if a.Drain != nil {
		d.Key("drain_info")
		d.Message(a.Drain)
	}
	d.SomeTime("estimated_drain_start_time_seconds", a.DrainStarted)
}

// fullResources writes the lists of messages that only /slaves has.
func (d *document) fullResources(a *core.AgentView, approve Approve) {
	d.Object("reserved_resources_full", func() {
		for _, part := range a.Total.ByReservation() {
			if approve.role(part.Role) {
				d.full(part.Role, part.Resources, approve)
			}
		}
	})
	d.full("unreserved_resources_full", a.Total.Unreserved(), approve)
	d.full("used_resources_full", a.Used, approve)
	d.full("offered_resources_full", a.Offered, approve)
}

// full writes messages in the shape of endpoints, without those of roles that the
// reader may not see.
func (d *document) full(key string, r resources.Resources, approve Approve) {
	d.List(key, func() {
		for _, m := range endpoint(r.Filter(func(each resources.Resource) bool { return visible(each, approve) })) {
			d.Message(m)
		}
	})
}

// visible says whether the reader may see whom a resource is reserved for and
// allocated to.
func visible(r resources.Resource, approve Approve) bool {
	if r.IsReserved() && !approve.role(r.ReservationRole()) {
		return false
	}
	role, allocated := r.AllocationRole()
	return !allocated || approve.role(role)
}

// endpoint is what operators are shown, which can say any resource.
func endpoint(r resources.Resources) []*mesosv1.Resource {
	messages, err := r.MessagesIn(resources.Endpoint)
	if err != nil {
		return r.Messages()
	}
	return messages
}
