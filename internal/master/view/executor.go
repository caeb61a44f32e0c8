package view

import (
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
)

// executor writes an element of executors[].
func (d *document) executor(v core.ExecutorView) {
	e := v.Info
	d.element(func() {
		d.text("executor_id", e.GetExecutorId().GetValue())
		d.text("name", e.GetName())
		d.text("framework_id", e.GetFrameworkId().GetValue())
		d.command(e.GetCommand())
		d.messages("resources", e.GetResources())
		if len(e.GetResources()) > 0 {
			d.text("role", allocationRole(e.GetResources()))
		}
		if e.Labels != nil {
			d.labels(e.GetLabels())
		}
		if e.Type != nil {
			d.text("type", e.GetType().String())
		}
		d.text("slave_id", v.Agent.GetValue())
	})
}

func (d *document) command(c *mesosv1.CommandInfo) {
	d.object("command", func() {
		if c != nil && c.Shell != nil {
			d.boolean("shell", c.GetShell())
		}
		if c != nil {
			d.optional("value", c.Value)
		}
		d.list("argv", func() {
			for _, a := range c.GetArguments() {
				d.String(a)
			}
		})
		if c.GetEnvironment() != nil {
			d.Key("environment")
			d.Message(c.GetEnvironment())
		}
		d.list("uris", func() {
			for _, uri := range c.GetUris() {
				d.element(func() {
					d.text("value", uri.GetValue())
					d.boolean("executable", uri.GetExecutable())
				})
			}
		})
	})
}
