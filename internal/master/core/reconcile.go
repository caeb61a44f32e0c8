package core

import (
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// reconcile tells a framework how the tasks it names are, or all it has if it names
// none.
func (c *Core) reconcile(f *framework, asked []*scheduler.Call_Reconcile_Task) {
	c.counts.add("messages_reconcile_tasks", 1)
	if len(asked) == 0 {
		for p := range f.pending.values() {
			c.forward(f, c.pendingStatus(p))
		}
		for t := range f.tasks.values() {
			c.forward(f, c.knownStatus(t))
		}
		return
	}
	for _, ask := range asked {
		if status := c.reconciled(f, ask); status != nil {
			c.forward(f, status)
		}
	}
}

// reconciled is how one task is; nil if it is too early to say. The cases are in the
// order of Mesos.
func (c *Core) reconciled(f *framework, ask *scheduler.Call_Reconcile_Task) *mesosv1.TaskStatus {
	if p, ok := f.pending.get(ask.GetTaskId().GetValue()); ok {
		return c.pendingStatus(p)
	}
	if t, ok := f.tasks.get(ask.GetTaskId().GetValue()); ok {
		return c.knownStatus(t)
	}
	id := ask.GetAgentId().GetValue()
	if ask.AgentId == nil {
		if c.recovered.len() > 0 {
			return nil // it may be on one of those
		}
		return c.unknownStatus(f, ask, mesosv1.TaskState_TASK_UNKNOWN, "Reconciliation: Task is unknown")
	}
	since, away := c.unreachable.get(id)
	switch {
	case c.recovered.has(id) || c.changing[id] == readmitting:
		return nil
	case c.agents.has(id):
		return c.unknownStatus(f, ask, mesosv1.TaskState_TASK_GONE, "Reconciliation: Task is unknown to the agent")
	case away:
		status := c.unknownStatus(f, ask, mesosv1.TaskState_TASK_UNREACHABLE, "Reconciliation: Task is unreachable")
		status.UnreachableTime = since
		return status
	case c.gone.has(id):
		return c.unknownStatus(f, ask, mesosv1.TaskState_TASK_GONE_BY_OPERATOR, "Reconciliation: Task is gone")
	}
	return c.unknownStatus(f, ask, mesosv1.TaskState_TASK_UNKNOWN, "Reconciliation: Task is unknown")
}

// knownStatus is how a task is as far as its framework has been told.
func (c *Core) knownStatus(t *task) *mesosv1.TaskStatus {
	state := t.info.GetState()
	if t.info.StatusUpdateState != nil {
		state = t.info.GetStatusUpdateState()
	}
	return withLast(masterStatus(t, state, mesosv1.TaskStatus_REASON_RECONCILIATION,
		"Reconciliation: Latest task state", c.stamp()), t.info)
}

func (c *Core) pendingStatus(p *pendingTask) *mesosv1.TaskStatus {
	return &mesosv1.TaskStatus{
		TaskId:    p.info.GetTaskId(),
		AgentId:   p.info.GetAgentId(),
		State:     mesosv1.TaskState_TASK_STAGING.Enum(),
		Source:    mesosv1.TaskStatus_SOURCE_MASTER.Enum(),
		Reason:    mesosv1.TaskStatus_REASON_RECONCILIATION.Enum(),
		Message:   proto.String("Reconciliation: Latest task state"),
		Timestamp: c.stamp(),
	}
}

func (c *Core) unknownStatus(f *framework, ask *scheduler.Call_Reconcile_Task, state mesosv1.TaskState,
	message string) *mesosv1.TaskStatus {
	return &mesosv1.TaskStatus{
		TaskId:    ask.GetTaskId(),
		AgentId:   ask.GetAgentId(),
		State:     f.lost(state).Enum(),
		Source:    mesosv1.TaskStatus_SOURCE_MASTER.Enum(),
		Reason:    mesosv1.TaskStatus_REASON_RECONCILIATION.Enum(),
		Message:   proto.String(message),
		Timestamp: c.stamp(),
	}
}

// withLast fills in what the last status of a task said beside its state.
func withLast(status *mesosv1.TaskStatus, t *mesosv1.Task) *mesosv1.TaskStatus {
	if n := len(t.Statuses); n > 0 {
		last := t.Statuses[n-1]
		status.Healthy, status.CheckStatus, status.ContainerStatus =
			last.Healthy, last.CheckStatus, last.ContainerStatus
	}
	return status
}

// reconcileOperations tells a framework how the operations it names are. This master
// has none under way, so only where their agents are makes a difference.
func (c *Core) reconcileOperations(f *framework, asked []*scheduler.Call_ReconcileOperations_Operation) {
	c.counts.add("messages_reconcile_operations", 1)
	for _, ask := range asked {
		id := ask.GetAgentId().GetValue()
		state, message := mesosv1.OperationState_OPERATION_UNKNOWN, "Reconciliation: Operation is unknown"
		switch {
		case ask.AgentId == nil:
		case c.recovered.has(id):
			state, message = mesosv1.OperationState_OPERATION_RECOVERING,
				"Reconciliation: Agent is recovered but has not re-registered"
		case c.unreachable.has(id):
			state, message = mesosv1.OperationState_OPERATION_UNREACHABLE, "Reconciliation: Agent is unreachable"
		case c.gone.has(id):
			state, message = mesosv1.OperationState_OPERATION_GONE_BY_OPERATOR,
				"Reconciliation: Agent marked gone by operator"
		}
		c.sendOperationStatus(f, &mesosv1.OperationStatus{
			OperationId: ask.GetOperationId(), State: state.Enum(), Message: proto.String(message),
			AgentId: ask.GetAgentId(), ResourceProviderId: ask.GetResourceProviderId(),
		})
	}
}

func (c *Core) sendOperationStatus(f *framework, status *mesosv1.OperationStatus) {
	c.send(f, &scheduler.Event{
		Type:                  scheduler.Event_UPDATE_OPERATION_STATUS.Enum(),
		UpdateOperationStatus: &scheduler.Event_UpdateOperationStatus{Status: status},
	})
}
