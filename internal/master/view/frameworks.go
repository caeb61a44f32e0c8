package view

import (
	"io"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/validate"
)

// WriteFrameworks writes /frameworks, of the one framework that framework_id names if
// it does.
func WriteFrameworks(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) { d.frameworks(v, o) })
}

// frameworks writes the three lists of frameworks that /state has too.
func (d *document) frameworks(v *core.View, o Options) {
	only := o.Query.Get("framework_id")
	list := func(key string, all []*core.FrameworkView) {
		d.list(key, func() {
			for _, f := range all {
				if o.Approve.framework(f.Info) && (only == "" || only == f.Info.GetId().GetValue()) {
					d.framework(f, o.Approve)
				}
			}
		})
	}
	list("frameworks", v.Frameworks)
	list("completed_frameworks", v.Completed)
	d.list("unregistered_frameworks", func() {}) // there have been none since 1.2
}

// frameworkHead writes what /state and /state-summary have in common.
func (d *document) frameworkHead(f *core.FrameworkView) {
	d.text("id", f.Info.GetId().GetValue())
	d.text("name", f.Info.GetName())
	d.resources("used_resources", f.Used)
	d.resources("offered_resources", f.Offered)
	d.list("capabilities", func() {
		for _, c := range f.Info.GetCapabilities() {
			d.String(c.GetType().String())
		}
	})
	d.text("hostname", f.Info.GetHostname())
	d.text("webui_url", f.Info.GetWebuiUrl())
	d.boolean("active", f.Active)
	d.boolean("connected", f.Connected)
	d.boolean("recovered", f.Recovered)
}

func (d *document) framework(f *core.FrameworkView, approve Approve) {
	d.BeginObject()
	d.frameworkHead(f)
	d.text("user", f.Info.GetUser())
	d.double("failover_timeout", f.Info.GetFailoverTimeout())
	d.boolean("checkpoint", f.Info.GetCheckpoint())
	d.time("registered_time", f.Registered)
	d.time("unregistered_time", f.Unregistered)
	d.optional("principal", f.Info.Principal)
	d.resources("resources", f.Used.Add(f.Offered))
	if !f.Reregistered.Equal(f.Registered) {
		d.someTime("reregistered_time", f.Reregistered)
	}
	d.roles(f.Info)
	d.frameworkTasks(f, approve)
	d.list("offers", func() {
		for _, o := range f.Offers {
			d.offer(o)
		}
	})
	d.list("executors", func() {
		for _, e := range f.Executors {
			if approve.executor(e.Info, f.Info) {
				d.executor(e)
			}
		}
	})
	if f.Info.Labels != nil {
		d.labels(f.Info.GetLabels())
	}
	d.Key("offer_constraints")
	if f.Constraints != nil {
		d.Message(f.Constraints)
	} else {
		d.BeginObject()
		d.EndObject()
	}
	d.EndObject()
}

// roles writes the role, or roles, whichever the framework speaks of.
func (d *document) roles(info *mesosv1.FrameworkInfo) {
	for _, c := range info.GetCapabilities() {
		if c.GetType() == mesosv1.FrameworkInfo_Capability_MULTI_ROLE {
			d.list("roles", func() {
				for _, role := range validate.FrameworkRoles(info) {
					d.String(role)
				}
			})
			return
		}
	}
	d.text("role", info.GetRole())
}

func (d *document) frameworkTasks(f *core.FrameworkView, approve Approve) {
	write := func(all []*mesosv1.Task) {
		for _, t := range all {
			if approve.task(t, f.Info) {
				d.task(t)
			}
		}
	}
	d.list("tasks", func() {
		for _, info := range f.Pending {
			write([]*mesosv1.Task{pending(info, f.Info.GetId())})
		}
		write(f.Tasks)
	})
	d.list("unreachable_tasks", func() { write(f.Unreachable) })
	d.list("completed_tasks", func() { write(f.Completed) })
}

func (d *document) offer(o *mesosv1.Offer) {
	d.element(func() {
		d.text("id", o.GetId().GetValue())
		d.text("framework_id", o.GetFrameworkId().GetValue())
		d.Key("allocation_info")
		d.Message(nonNil(o.GetAllocationInfo()))
		d.text("slave_id", o.GetAgentId().GetValue())
		d.messages("resources", o.GetResources())
	})
}

// nonNil is a message that may be written.
func nonNil[M any, P interface {
	*M
	proto.Message
}](m P) P {
	if m == nil {
		return P(new(M))
	}
	return m
}
