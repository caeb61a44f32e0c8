package view

import (
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/master/core"
)

// executor writes an element of executors[].
func (d *document) executor(v core.ExecutorView) {
	e := v.Info
	d.Element(func() {
		d.Text("executor_id", e.GetExecutorId().GetValue())
		d.Text("name", e.GetName())
		d.Text("framework_id", e.GetFrameworkId().GetValue())
		d.Command(e.GetCommand())
		d.Messages("resources", e.GetResources())
		if len(e.GetResources()) > 0 {
			d.Text("role", legacy.AllocationRole(e.GetResources()))
		}
		if e.Labels != nil {
			d.Labels(e.GetLabels())
		}
		if e.Type != nil {
			d.Text("type", e.GetType().String())
		}
		d.Text("slave_id", v.Agent.GetValue())
	})
}
