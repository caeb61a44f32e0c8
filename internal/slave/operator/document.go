package operator

import (
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// document is one of the agent's older documents.
type document struct{ *legacy.Document }

// state writes /state. The flags are left out for who may not see them.
func (d *document) state(v *core.View, program about.Program, flags bool) {
	d.BeginObject()
	d.build(program.VersionInfo())
	d.Time("start_time", v.Started)
	d.Text("id", v.Info.GetId().GetValue())
	d.Text("pid", v.PID.String())
	d.Text("hostname", v.Info.GetHostname())
	d.List("capabilities", func() {
		for _, c := range v.Capabilities {
			d.String(c.GetType().String())
		}
	})
	d.Domain(v.Info.GetDomain())
	if v.Drain != nil {
		d.Key("drain_config")
		d.Message(v.Drain)
	}
	d.SomeTime("estimated_drain_start_time_seconds", v.DrainStarted)
	d.total(v)
	d.List("resource_providers", func() {})
	d.Key("attributes")
	d.Fields(resources.AttributeFields(v.Info.GetAttributes()))
	d.SomeText("master_hostname", v.Master.GetHostname())
	if flags {
		d.configuration(program)
	}
	d.List("frameworks", func() { d.frameworks(v.Frameworks) })
	d.List("completed_frameworks", func() { d.frameworks(v.Completed) })
	d.EndObject()
}

func (d *document) build(v *mesosv1.VersionInfo) {
	d.Text("version", v.GetVersion())
	d.OptionalText("git_sha", v.GitSha)
	d.OptionalText("git_branch", v.GitBranch)
	d.OptionalText("git_tag", v.GitTag)
	d.Text("build_date", v.GetBuildDate())
	d.Number("build_time", v.GetBuildTime())
	d.Text("build_user", v.GetBuildUser())
}

// total writes what the agent has, and how much of it is taken.
func (d *document) total(v *core.View) {
	total, err := resources.New(v.Info.GetResources())
	if err != nil { // the agent takes valid ones only
		total = resources.Resources{}
	}
	d.Resources("resources", total)
	d.reserved("reserved_resources", total, d.Resources)
	d.Resources("unreserved_resources", total.Unreserved())
	d.reserved("reserved_resources_full", total, d.full)
	d.full("unreserved_resources_full", total.Unreserved())
	used := used(v)
	d.reserved("reserved_resources_allocated", used, d.Resources)
	d.Resources("unreserved_resources_allocated", used.Unreserved())
}

func (d *document) reserved(key string, all resources.Resources, one func(string, resources.Resources)) {
	d.Object(key, func() {
		for _, part := range all.ByReservation() {
			one(part.Role, part.Resources)
		}
	})
}

// full writes messages in the shape of endpoints, which can say any resource.
func (d *document) full(key string, all resources.Resources) {
	messages, err := all.MessagesIn(resources.Endpoint)
	if err != nil {
		messages = all.Messages()
	}
	d.List(key, func() {
		for _, m := range messages {
			d.Message(m)
		}
	})
}

// used is what the containers may use that live.
func used(v *core.View) resources.Resources {
	var all resources.Resources
	for _, f := range v.Frameworks {
		for _, e := range f.Executors {
			if e.Phase == core.ExecutorTerminated {
				continue
			}
			if one, err := resources.New(e.Resources); err == nil {
				all = all.Add(one)
			}
		}
	}
	return all
}

func (d *document) configuration(program about.Program) {
	all := program.Flags()
	for _, f := range all {
		if f.Name == "log_dir" || f.Name == "external_log_file" {
			d.SomeText(f.Name, f.Value)
		}
	}
	d.Object("flags", func() {
		for _, f := range all {
			d.Text(f.Name, f.Value)
		}
	})
}

func (d *document) frameworks(all []*core.FrameworkView) {
	for _, f := range all {
		d.BeginObject()
		d.Text("id", f.Info.GetId().GetValue())
		d.Text("name", f.Info.GetName())
		d.Text("user", f.Info.GetUser())
		d.Number("failover_timeout", f.Info.GetFailoverTimeout())
		d.Truth("checkpoint", f.Info.GetCheckpoint())
		d.Text("hostname", f.Info.GetHostname())
		d.OptionalText("principal", f.Info.Principal)
		d.FrameworkRoles(f.Info)
		d.List("executors", func() { d.executors(f.Executors) })
		d.List("completed_executors", func() { d.executors(f.Completed) })
		d.EndObject()
	}
}

func (d *document) executors(all []*core.ExecutorView) {
	for _, e := range all {
		d.BeginObject()
		d.Text("id", e.Info.GetExecutorId().GetValue())
		d.Text("name", e.Info.GetName())
		d.Text("source", e.Info.GetSource())
		d.Text("container", e.Container.GetValue())
		d.Text("directory", e.Directory)
		d.Messages("resources", e.Resources)
		if len(e.Info.GetResources()) > 0 {
			d.Text("role", legacy.AllocationRole(e.Info.GetResources()))
		}
		if e.Info.Labels != nil {
			d.Labels(e.Info.GetLabels())
		}
		if e.Info.Type != nil {
			d.Text("type", e.Info.GetType().String())
		}
		d.tasks("tasks", e.Launched)
		d.List("queued_tasks", func() {
			for _, t := range e.Queued {
				d.queued(t)
			}
		})
		d.tasks("completed_tasks", slices.Concat(e.Completed, e.Terminated))
		d.EndObject()
	}
}

func (d *document) tasks(key string, all []*mesosv1.Task) {
	d.List(key, func() {
		for _, t := range all {
			d.Task(t)
		}
	})
}

// queued writes a task that waits for its executor.
func (d *document) queued(t *mesosv1.TaskInfo) {
	d.BeginObject()
	d.Text("id", t.GetTaskId().GetValue())
	d.Text("name", t.GetName())
	d.Text("slave_id", t.GetAgentId().GetValue())
	d.Messages("resources", t.GetResources())
	d.Text("role", legacy.AllocationRole(t.GetResources()))
	if t.Command != nil {
		d.Command(t.GetCommand())
	}
	if t.Executor != nil {
		d.Text("executor_id", t.GetExecutor().GetExecutorId().GetValue())
	}
	if t.Discovery != nil {
		d.Key("discovery")
		d.Message(t.GetDiscovery())
	}
	d.EndObject()
}

// statistics writes an element of /monitor/statistics: keys sorted.
func (d *document) statistics(c *contained) {
	d.Element(func() { d.usage(c) })
}

// container writes an element of /containers: keys sorted.
func (d *document) container(c *contained) {
	d.Element(func() {
		d.Text("container_id", c.id.GetValue())
		d.usage(c)
		if c.status != nil {
			d.Key("status")
			d.Message(c.status)
		}
	})
}

func (d *document) usage(c *contained) {
	d.Text("executor_id", c.executor.Info.GetExecutorId().GetValue())
	d.Text("executor_name", c.executor.Info.GetName())
	d.Text("framework_id", c.framework.Info.GetId().GetValue())
	d.Text("source", c.executor.Info.GetSource())
	if c.statistics != nil {
		d.Key("statistics")
		d.Message(c.statistics)
	}
}
