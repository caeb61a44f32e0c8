package legacy

import (
	"maps"
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Task writes an element of tasks[].
func (d *Document) Task(t *mesosv1.Task) {
	d.BeginObject()
	d.Text("id", t.GetTaskId().GetValue())
	d.Text("name", t.GetName())
	d.Text("framework_id", t.GetFrameworkId().GetValue())
	d.Text("executor_id", t.GetExecutorId().GetValue())
	d.Text("slave_id", t.GetAgentId().GetValue())
	d.Text("state", stateName(t.GetState()))
	d.Messages("resources", t.GetResources())
	if len(t.GetLimits()) > 0 {
		d.Object("limits", func() {
			for _, name := range slices.Sorted(maps.Keys(t.GetLimits())) {
				d.Number(name, t.GetLimits()[name].GetValue())
			}
		})
	}
	d.Text("role", AllocationRole(t.GetResources()))
	d.Key("statuses")
	d.BeginArray()
	for _, s := range t.GetStatuses() {
		d.status(s)
	}
	d.EndArray()
	d.OptionalText("user", t.User)
	if t.Labels != nil {
		d.Labels(t.GetLabels())
	}
	if t.Discovery != nil {
		d.Key("discovery")
		d.Message(t.GetDiscovery())
	}
	if t.Container != nil {
		d.Key("container")
		d.Message(t.GetContainer())
	}
	if t.HealthCheck != nil {
		d.Key("health_check")
		d.Message(t.GetHealthCheck())
	}
	d.EndObject()
}

// stateName is the name of a state; the ones that are frequent without a look into the
// descriptor.
func stateName(s mesosv1.TaskState) string {
	switch s {
	case mesosv1.TaskState_TASK_RUNNING:
		return "TASK_RUNNING"
	case mesosv1.TaskState_TASK_STARTING:
		return "TASK_STARTING"
	case mesosv1.TaskState_TASK_FINISHED:
		return "TASK_FINISHED"
	default:
		return s.String()
	}
}

// AllocationRole is the role that resources are allocated to; it is the same for all
// of a task or executor.
func AllocationRole(all []*mesosv1.Resource) string {
	if len(all) == 0 || all[0].AllocationInfo == nil {
		return "*"
	}
	return all[0].GetAllocationInfo().GetRole()
}

func (d *Document) status(s *mesosv1.TaskStatus) {
	d.BeginObject()
	d.Text("state", stateName(s.GetState()))
	d.Number("timestamp", s.GetTimestamp())
	if s.Labels != nil {
		d.Labels(s.GetLabels())
	}
	if s.ContainerStatus != nil {
		d.containerStatus(s.GetContainerStatus())
	}
	if s.Healthy != nil {
		d.Truth("healthy", s.GetHealthy())
	}
	d.EndObject()
}

func (d *Document) containerStatus(s *mesosv1.ContainerStatus) {
	d.Key("container_status")
	d.BeginObject()
	if s.ContainerId != nil {
		d.Key("container_id")
		d.containerID(s.GetContainerId())
	}
	if len(s.GetNetworkInfos()) > 0 {
		d.Key("network_infos")
		d.BeginArray()
		for _, n := range s.GetNetworkInfos() {
			d.network(n)
		}
		d.EndArray()
	}
	if s.CgroupInfo != nil {
		d.Key("cgroup_info")
		d.Message(s.GetCgroupInfo())
	}
	d.EndObject()
}

func (d *Document) containerID(id *mesosv1.ContainerID) {
	d.BeginObject()
	d.Text("value", id.GetValue())
	if id.Parent != nil {
		d.Key("parent")
		d.containerID(id.GetParent())
	}
	d.EndObject()
}

func (d *Document) network(n *mesosv1.NetworkInfo) {
	d.BeginObject()
	if len(n.GetGroups()) > 0 {
		d.List("groups", func() {
			for _, g := range n.GetGroups() {
				d.String(g)
			}
		})
	}
	if n.Labels != nil {
		d.Labels(n.GetLabels())
	}
	if len(n.GetIpAddresses()) > 0 {
		d.Key("ip_addresses")
		d.BeginArray()
		for _, ip := range n.GetIpAddresses() {
			d.BeginObject()
			d.Text("protocol", ip.GetProtocol().String())
			d.OptionalText("ip_address", ip.IpAddress)
			d.EndObject()
		}
		d.EndArray()
	}
	d.OptionalText("name", n.Name)
	if len(n.GetPortMappings()) > 0 {
		d.List("port_mappings", func() {
			for _, p := range n.GetPortMappings() {
				d.Message(p)
			}
		})
	}
	d.EndObject()
}

// Labels writes them as the legacy JSON has them: an array, not a message.
func (d *Document) Labels(l *mesosv1.Labels) {
	d.Key("labels")
	d.BeginArray()
	for _, each := range l.GetLabels() {
		d.BeginObject()
		d.Text("key", each.GetKey())
		d.OptionalText("value", each.Value)
		d.EndObject()
	}
	d.EndArray()
}

// Staging is a task that is accepted, and that nobody has heard of who is to run it, as
// if he had. It shares memory with what it is made from.
func Staging(info *mesosv1.TaskInfo, framework *mesosv1.FrameworkID) *mesosv1.Task {
	t := &mesosv1.Task{
		Name:        info.Name,
		TaskId:      info.TaskId,
		FrameworkId: framework,
		AgentId:     info.AgentId,
		State:       mesosv1.TaskState_TASK_STAGING.Enum(),
		Resources:   info.Resources,
		Limits:      info.Limits,
		Labels:      info.Labels,
		Discovery:   info.Discovery,
		Container:   info.Container,
		HealthCheck: info.HealthCheck,
		KillPolicy:  info.KillPolicy,
	}
	command := info.GetCommand()
	if info.Executor != nil {
		t.ExecutorId = info.GetExecutor().ExecutorId
		command = info.GetExecutor().GetCommand()
	}
	if command != nil {
		t.User = command.User
	}
	return t
}
