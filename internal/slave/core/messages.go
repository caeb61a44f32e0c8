package core

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// fromMaster takes a message. Only the leader is obeyed.
func (c *Core) fromMaster(e MasterMessage) {
	if c.phase == recovering || c.phase == reconnecting {
		c.log(Warning, "%T from %v is left out: the agent recovers", e.Message, e.From)
		return
	}
	if m, ok := e.Message.(*wire.PingSlaveMessage); ok { // comes from an observer of the master
		c.pinged(e.From, m)
		return
	}
	if e.From != c.registered.master {
		c.log(Warning, "%T from %v is left out: %v leads", e.Message, e.From, c.registered.master)
		return
	}
	switch m := e.Message.(type) {
	case *wire.SlaveRegisteredMessage:
		c.admitted(m)
	case *wire.SlaveReregisteredMessage:
		c.readmitted(m)
	case *wire.RunTaskMessage:
		c.runTask(m)
	case *wire.RunTaskGroupMessage:
		c.runTaskGroup(m)
	case *wire.KillTaskMessage:
		c.killTask(m)
	case *wire.ShutdownExecutorMessage:
		c.shutdownExecutor(m.GetFrameworkId().GetValue(), m.GetExecutorId().GetValue())
	case *wire.ShutdownFrameworkMessage:
		c.shutdownFramework(m.GetFrameworkId().GetValue())
	case *wire.FrameworkToExecutorMessage:
		c.toExecutor(m)
	case *wire.UpdateFrameworkMessage:
		c.updateFramework(m)
	case *wire.StatusUpdateAcknowledgementMessage:
		c.acknowledged(m)
	case *wire.ShutdownMessage:
		c.shutdown(m.GetMessage())
	case *wire.DrainSlaveMessage:
		c.drainAgent(m.GetConfig())
	case *wire.ApplyOperationMessage:
		c.refuseOperation(m)
	default:
		c.log(Warning, "%T from %v is left out: this agent does nothing with it", e.Message, e.From)
	}
}

func (c *Core) registerMessage() message {
	return &wire.RegisterSlaveMessage{
		Slave: downgradedAgent(c.info), Version: proto.String(c.cfg.Version),
		AgentCapabilities: c.cfg.Features, ResourceVersionUuid: &mesosv1.UUID{Value: c.version},
	}
}

// reregisterMessage tells the master all that the agent runs.
func (c *Core) reregisterMessage() message {
	m := &wire.ReregisterSlaveMessage{
		Slave: downgradedAgent(c.info), Version: proto.String(c.cfg.Version),
		AgentCapabilities: c.cfg.Features, ResourceVersionUuid: &mesosv1.UUID{Value: c.version},
	}
	for _, f := range c.frameworks {
		m.Frameworks = append(m.Frameworks, f.info)
		for _, p := range f.pending {
			for _, t := range p.tasks {
				m.Tasks = append(m.Tasks, downgradedTask(c.newTask(t, f, p.executor)))
			}
		}
		for _, r := range f.runs {
			for _, t := range r.tasks() {
				m.Tasks = append(m.Tasks, downgradedTask(t))
			}
			if !r.command && r.state != ended {
				m.ExecutorInfos = append(m.ExecutorInfos, downgradedExecutor(r.info))
			}
		}
	}
	for _, f := range c.completed {
		done := &wire.Archive_Framework{FrameworkInfo: f.info}
		for _, r := range f.done {
			for _, t := range r.completed {
				done.Tasks = append(done.Tasks, downgradedTask(t))
			}
		}
		m.CompletedFrameworks = append(m.CompletedFrameworks, done)
	}
	return m
}

// downgraded gives resources the shape in which agents have always sent them; those
// that cannot be expressed in it stay as they are, all of a list together.
func downgraded(messages []*mesosv1.Resource) []*mesosv1.Resource {
	old, err := resources.Convert(messages, resources.Pre)
	if err != nil {
		return messages
	}
	return old
}

func downgradedAgent(info *mesosv1.AgentInfo) *mesosv1.AgentInfo {
	said := wire.WithCheckpoint(info)
	said.Resources = downgraded(said.GetResources())
	return said
}

func downgradedTask(t *mesosv1.Task) *mesosv1.Task {
	said := copyTask(t)
	said.Resources = downgraded(said.GetResources())
	return said
}

func downgradedExecutor(info *mesosv1.ExecutorInfo) *mesosv1.ExecutorInfo {
	said := copyExecutor(info)
	said.Resources = downgraded(said.GetResources())
	return said
}

// copyTask makes a task whose fields may be set; what they point to is shared.
func copyTask(t *mesosv1.Task) *mesosv1.Task {
	return &mesosv1.Task{
		Name: t.Name, TaskId: t.TaskId, FrameworkId: t.FrameworkId, ExecutorId: t.ExecutorId, AgentId: t.AgentId,
		State: t.State, Resources: t.Resources, Statuses: t.Statuses, StatusUpdateState: t.StatusUpdateState,
		StatusUpdateUuid: t.StatusUpdateUuid, Labels: t.Labels, Discovery: t.Discovery, Container: t.Container,
		HealthCheck: t.HealthCheck, KillPolicy: t.KillPolicy, User: t.User, Limits: t.Limits,
	}
}

// copyExecutor is likewise for an executor.
func copyExecutor(e *mesosv1.ExecutorInfo) *mesosv1.ExecutorInfo {
	return &mesosv1.ExecutorInfo{
		Type: e.Type, ExecutorId: e.ExecutorId, FrameworkId: e.FrameworkId, Command: e.Command, Container: e.Container,
		Resources: e.Resources, Name: e.Name, Source: e.Source, Data: e.Data, Discovery: e.Discovery,
		ShutdownGracePeriod: e.ShutdownGracePeriod, Labels: e.Labels,
	}
}

// copyStatus is likewise for a status.
func copyStatus(s *mesosv1.TaskStatus) *mesosv1.TaskStatus {
	return &mesosv1.TaskStatus{
		TaskId: s.TaskId, State: s.State, Message: s.Message, Source: s.Source, Reason: s.Reason, Data: s.Data,
		AgentId: s.AgentId, ExecutorId: s.ExecutorId, Timestamp: s.Timestamp, Uuid: s.Uuid, Healthy: s.Healthy,
		CheckStatus: s.CheckStatus, Labels: s.Labels, ContainerStatus: s.ContainerStatus,
		UnreachableTime: s.UnreachableTime, Limitation: s.Limitation,
	}
}

func withID(info *mesosv1.AgentInfo, id *mesosv1.AgentID) *mesosv1.AgentInfo {
	return &mesosv1.AgentInfo{
		Hostname: info.Hostname, Port: info.Port, Resources: info.Resources, Attributes: info.Attributes,
		Domain: info.Domain, Id: id,
	}
}

// newTask is what the books hold of a task that is to run.
func (c *Core) newTask(info *mesosv1.TaskInfo, f *framework, executor *mesosv1.ExecutorInfo) *mesosv1.Task {
	t := &mesosv1.Task{
		Name: info.Name, TaskId: info.TaskId, FrameworkId: f.info.GetId(), AgentId: info.AgentId,
		State: mesosv1.TaskState_TASK_STAGING.Enum(), Resources: info.Resources, Limits: info.Limits,
		Labels: info.Labels, Discovery: info.Discovery, Container: info.Container,
		HealthCheck: info.HealthCheck, KillPolicy: info.KillPolicy,
	}
	if info.Command == nil { // of a command task the master knows no executor
		t.ExecutorId = executor.GetExecutorId()
	}
	if info.GetExecutor() != nil {
		t.ExecutorId = info.GetExecutor().GetExecutorId()
	}
	if user := info.GetCommand().GetUser(); user != "" {
		t.User = proto.String(user)
	} else if user := executor.GetCommand().GetUser(); user != "" {
		t.User = proto.String(user)
	}
	return t
}

// reconcile answers what became of tasks that the master believes to be here. Those
// that are need no answer: the master has just been told of them.
func (c *Core) reconcile(m *wire.ReconcileTasksMessage) {
	f := c.byID[m.GetFrameworkId().GetValue()]
	for _, s := range m.GetStatuses() {
		if f != nil && f.knows(s.GetTaskId().GetValue()) {
			continue
		}
		info := m.GetFramework()
		if info == nil && f != nil {
			info = f.info
		}
		u := c.newUpdate(m.GetFrameworkId(), &mesosv1.TaskStatus{
			TaskId: s.GetTaskId(), State: droppedState(info).Enum(),
			Reason:  mesosv1.TaskStatus_REASON_RECONCILIATION.Enum(),
			Message: proto.String("Reconciliation: task unknown to the agent"),
		})
		if send, known := c.updates.Update(c.now, u); !known && send != nil {
			c.emit(c.forward(send))
		}
	}
}

// refuseOperation answers an operation on resources, which this agent applies none of.
func (c *Core) refuseOperation(m *wire.ApplyOperationMessage) {
	c.log(Warning, "operation %x is refused: this agent applies no operations", m.GetOperationUuid().GetValue())
	c.emit(c.toMaster(&wire.UpdateOperationStatusMessage{
		FrameworkId: m.GetFrameworkId(), SlaveId: c.agentID(), OperationUuid: m.GetOperationUuid(),
		Status: &mesosv1.OperationStatus{
			OperationId: m.GetOperationInfo().GetId(), State: mesosv1.OperationState_OPERATION_DROPPED.Enum(),
			Message: proto.String("This agent applies no operations on its resources"), AgentId: c.agentID(),
		},
	}))
}

// updateFramework takes what the master knows anew of a framework.
func (c *Core) updateFramework(m *wire.UpdateFrameworkMessage) {
	f := c.byID[m.GetFrameworkId().GetValue()]
	if f == nil || f.terminating {
		return // it goes to all agents
	}
	if info := m.GetFrameworkInfo(); info != nil {
		if info.GetId() == nil {
			info = proto.CloneOf(info)
			info.Id = m.GetFrameworkId()
		}
		f.info = info
		if info.GetCheckpoint() {
			f.saved = info
			c.write(SaveFramework{Agent: c.agentID(), Info: info})
		}
	}
	for _, u := range c.updates.Heads(f.id) {
		c.emit(c.forward(u))
	}
}

// toExecutor passes data of a framework on.
func (c *Core) toExecutor(m *wire.FrameworkToExecutorMessage) {
	f := c.byID[m.GetFrameworkId().GetValue()]
	switch r := f.run(m.GetExecutorId().GetValue()); {
	case f == nil, f.terminating, r == nil, r.state != registered, r.stream == 0:
		c.counts.invalidMessages++
		c.log(Warning, "data of framework %s for executor %s is dropped: the executor is not connected",
			m.GetFrameworkId().GetValue(), m.GetExecutorId().GetValue())
	default:
		c.counts.validMessages++
		c.send(r, messageEvent(m.GetData()))
	}
}

// seconds is a time as the messages of Mesos have it.
func seconds(t time.Time) float64 { return float64(t.UnixNano()) / 1e9 }
