package core

import (
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

// kill asks the agent of a task to kill it.
func (c *Core) kill(f *framework, call *scheduler.Call_Kill) {
	c.counts.add("messages_kill_task", 1)
	id := call.GetTaskId()
	if p, ok := f.pending.get(id.GetValue()); ok {
		c.killPending(f, p)
		return
	}
	t, ok := f.tasks.get(id.GetValue())
	if !ok {
		c.log(Warning, "KILL of task %s of framework %s: it is unknown and answered as a reconciliation", id.GetValue(), f.id)
		c.reconcile(f, []*scheduler.Call_Reconcile_Task{{TaskId: id, AgentId: call.GetAgentId()}})
		return
	}
	if call.AgentId != nil && call.GetAgentId().GetValue() != t.agent.id {
		c.log(Warning, "KILL of task %s of framework %s is dropped: it is on agent %s, not %s", t.id(), f.id, t.agent.id,
			call.GetAgentId().GetValue())
		return
	}
	// The agent may be away without anybody knowing; it is told again when it is back.
	t.agent.killed[t.key()] = true
	if !t.agent.connected {
		return
	}
	c.toAgent(t.agent.pid, &wire.KillTaskMessage{
		FrameworkId: f.info.GetId(), TaskId: t.info.GetTaskId(), KillPolicy: call.GetKillPolicy(),
	})
}

// shutdownExecutor asks the agent to end an executor.
func (c *Core) shutdownExecutor(f *framework, call *scheduler.Call_Shutdown) {
	a, ok := c.agents.get(call.GetAgentId().GetValue())
	if !ok || !a.connected {
		c.log(Warning, "SHUTDOWN of executor %s of framework %s is dropped: agent %s is not connected",
			call.GetExecutorId().GetValue(), f.id, call.GetAgentId().GetValue())
		return
	}
	c.toAgent(a.pid, &wire.ShutdownExecutorMessage{ExecutorId: call.GetExecutorId(), FrameworkId: f.info.GetId()})
}

// messageToExecutor passes data on, if its agent is there.
func (c *Core) messageToExecutor(f *framework, call *scheduler.Call_Message) {
	c.counts.add("messages_framework_to_executor", 1)
	a, ok := c.agents.get(call.GetAgentId().GetValue())
	if !ok || !a.connected {
		c.counts.add("invalid_framework_to_executor_messages", 1)
		c.log(Warning, "MESSAGE of framework %s is dropped: agent %s is not connected", f.id, call.GetAgentId().GetValue())
		return
	}
	c.counts.add("valid_framework_to_executor_messages", 1)
	c.toAgent(a.pid, &wire.FrameworkToExecutorMessage{
		SlaveId: call.GetAgentId(), FrameworkId: f.info.GetId(), ExecutorId: call.GetExecutorId(), Data: call.GetData(),
	})
}

// messageToFramework passes data of an executor on, if its framework is there.
func (c *Core) messageToFramework(m *wire.ExecutorToFrameworkMessage) {
	c.counts.add("messages_executor_to_framework", 1)
	f, known := c.frameworks.get(m.GetFrameworkId().GetValue())
	if !known || !c.agents.has(m.GetSlaveId().GetValue()) || !f.connected() {
		c.counts.add("invalid_executor_to_framework_messages", 1)
		c.log(Warning, "a message of executor %s to framework %s is dropped: the framework is not connected, or its agent "+
			"not registered", m.GetExecutorId().GetValue(), m.GetFrameworkId().GetValue())
		return
	}
	c.counts.add("valid_executor_to_framework_messages", 1)
	c.send(f, &scheduler.Event{
		Type: scheduler.Event_MESSAGE.Enum(),
		Message: &scheduler.Event_Message{
			AgentId: m.GetSlaveId(), ExecutorId: m.GetExecutorId(), Data: m.GetData(),
		},
	})
}

// executorExited is told that an executor has ended. Its tasks have updates of their
// own.
func (c *Core) executorExited(m *wire.ExitedExecutorMessage) {
	c.counts.add("messages_exited_executor", 1)
	a, ok := c.agents.get(m.GetSlaveId().GetValue())
	if !ok {
		c.log(Warning, "the end of executor %s is dropped: agent %s is not registered", m.GetExecutorId().GetValue(),
			m.GetSlaveId().GetValue())
		return
	}
	e, ok := a.executors.get(executorKey{a.id, m.GetFrameworkId().GetValue(), m.GetExecutorId().GetValue()})
	if !ok { // so it is with those that agents start for commands
		c.log(Info, "the end of executor %s of framework %s on agent %s, which was not known", m.GetExecutorId().GetValue(),
			m.GetFrameworkId().GetValue(), a.id)
		return
	}
	c.removeExecutor(e)
	c.send(e.framework, &scheduler.Event{
		Type: scheduler.Event_FAILURE.Enum(),
		Failure: &scheduler.Event_Failure{
			AgentId: m.GetSlaveId(), ExecutorId: m.GetExecutorId(), Status: m.Status,
		},
	})
}

// operationStatus acknowledges what became of an operation that a former master sent:
// this one sends none, and nobody waits for it.
func (c *Core) operationStatus(m *wire.UpdateOperationStatusMessage) {
	c.counts.add("messages_operation_status_update", 1)
	a, ok := c.agents.get(m.GetSlaveId().GetValue())
	if !ok || m.GetStatus().GetUuid() == nil || m.GetOperationUuid() == nil {
		c.counts.add("invalid_operation_status_updates", 1)
		return
	}
	c.counts.add("valid_operation_status_updates", 1)
	c.toAgent(a.pid, &wire.AcknowledgeOperationStatusMessage{
		StatusUuid:         m.GetStatus().GetUuid(),
		OperationUuid:      m.GetOperationUuid(),
		ResourceProviderId: m.GetStatus().GetResourceProviderId(),
	})
}
