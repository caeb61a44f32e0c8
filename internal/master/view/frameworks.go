package view

import (
	"io"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/master/core"
)

// WriteFrameworks writes /frameworks, of the one framework that framework_id names if
// it does.
func WriteFrameworks(w io.Writer, v *core.View, o Options) error {
	return write(w, o, func(d *document) {
		d.frameworks(v, o)
		d.unregistered()
	})
}

// frameworks writes the three lists of frameworks that /state has too.
func (d *document) frameworks(v *core.View, o Options) {
	only := o.Query.Get("framework_id")
	list := func(key string, all []*core.FrameworkView) {
		d.List(key, func() {
			for _, f := range all {
				if o.Approve.framework(f.Info) && (only == "" || only == f.Info.GetId().GetValue()) {
					d.framework(f, o.Approve)
				}
			}
		})
	}
	list("frameworks", v.Frameworks)
	list("completed_frameworks", v.Completed)
}

// unregistered writes a list that readers expect: there have been none since 1.2.
func (d *document) unregistered() { d.List("unregistered_frameworks", func() {}) }

// frameworkHead writes what /state and /state-summary have in common.
func (d *document) frameworkHead(f *core.FrameworkView) {
	d.Text("id", f.Info.GetId().GetValue())
	d.Text("name", f.Info.GetName())
	d.Resources("used_resources", f.Used)
	d.Resources("offered_resources", f.Offered)
	d.List("capabilities", func() {
		for _, c := range f.Info.GetCapabilities() {
			d.String(c.GetType().String())
		}
	})
	d.Text("hostname", f.Info.GetHostname())
	d.Text("webui_url", f.Info.GetWebuiUrl())
	d.Truth("active", f.Active)
	d.Truth("connected", f.Connected)
	d.Truth("recovered", f.Recovered)
}

func (d *document) framework(f *core.FrameworkView, approve Approve) {
	d.BeginObject()
	d.frameworkHead(f)
	d.Text("user", f.Info.GetUser())
	d.Number("failover_timeout", f.Info.GetFailoverTimeout())
	d.Truth("checkpoint", f.Info.GetCheckpoint())
	d.Time("registered_time", f.Registered)
	d.Time("unregistered_time", f.Unregistered)
	d.OptionalText("principal", f.Info.Principal)
	d.Resources("resources", f.Used.Add(f.Offered))
	if !f.Reregistered.Equal(f.Registered) {
		d.SomeTime("reregistered_time", f.Reregistered)
	}
	d.FrameworkRoles(f.Info)
	d.frameworkTasks(f, approve)
	d.List("offers", func() {
		for _, o := range f.Offers {
			d.offer(o)
		}
	})
	d.List("executors", func() {
		for _, e := range f.Executors {
			if approve.executor(e.Info, f.Info) {
				d.executor(e)
			}
		}
	})
	if f.Info.Labels != nil {
		d.Labels(f.Info.GetLabels())
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

func (d *document) frameworkTasks(f *core.FrameworkView, approve Approve) {
	write := func(all []*mesosv1.Task) {
		for _, t := range all {
			if approve.task(t, f.Info) {
				d.Task(t)
			}
		}
	}
	d.List("tasks", func() {
		for _, info := range f.Pending {
			write([]*mesosv1.Task{legacy.Staging(info, f.Info.GetId())})
		}
		write(f.Tasks)
	})
	d.List("unreachable_tasks", func() { write(f.Unreachable) })
	d.List("completed_tasks", func() { write(f.Completed) })
}

func (d *document) offer(o *mesosv1.Offer) {
	d.Element(func() {
		d.Text("id", o.GetId().GetValue())
		d.Text("framework_id", o.GetFrameworkId().GetValue())
		d.Key("allocation_info")
		d.Message(nonNil(o.GetAllocationInfo()))
		d.Text("slave_id", o.GetAgentId().GetValue())
		d.Messages("resources", o.GetResources())
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
