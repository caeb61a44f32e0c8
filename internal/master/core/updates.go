package core

import (
	"bytes"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

// forward sends a status to a framework. A framework that is not connected misses it:
// the agent repeats its own, and the framework asks for the rest when it comes back.
func (c *Core) forward(f *framework, status *mesosv1.TaskStatus) bool {
	return c.send(f, &scheduler.Event{
		Type:   scheduler.Event_UPDATE.Enum(),
		Update: &scheduler.Event_Update{Status: status},
	})
}

// statusUpdate is told by an agent how a task is. The agent repeats it until the
// framework has acknowledged it.
func (c *Core) statusUpdate(from *agent, m *wire.StatusUpdateMessage) {
	c.counts.add("messages_status_update", 1)
	update := m.GetUpdate()
	f, ok := c.frameworks.get(update.GetFrameworkId().GetValue())
	switch {
	case from == nil || from.id != update.GetSlaveId().GetValue():
		c.counts.add("invalid_status_updates", 1)
		c.log(Warning, "a status update of task %s is dropped: agent %s is not registered, or not its sender",
			update.GetStatus().GetTaskId().GetValue(), update.GetSlaveId().GetValue())
		return
	case !ok:
		c.counts.add("invalid_status_updates", 1)
		c.log(Warning, "a status update of task %s is dropped: there is no framework %s",
			update.GetStatus().GetTaskId().GetValue(), update.GetFrameworkId().GetValue())
		return
	}
	status := updateStatus(update)
	forwarded := c.forward(f, status)
	t, known := from.tasks.get(taskKey{f.id, status.GetTaskId().GetValue()})
	if !known {
		c.counts.add("invalid_status_updates", 1)
		c.log(Warning, "a status update of task %s of framework %s: agent %s has no such task",
			status.GetTaskId().GetValue(), f.id, from.id)
		return
	}
	latest := status.GetState()
	if update.LatestState != nil {
		latest = update.GetLatestState()
	}
	c.enterStatus(t, status, latest, status.Uuid)
	if status.Uuid == nil && terminal(status.GetState()) {
		c.removeTask(t, completed) // nobody will acknowledge it
	}
	if forwarded {
		c.counts.add("valid_status_updates", 1)
	} else {
		c.counts.add("invalid_status_updates", 1)
	}
}

// updateStatus is the status in an update, with what the update says beside it.
func updateStatus(update *wire.StatusUpdate) *mesosv1.TaskStatus {
	s := update.GetStatus()
	complete := s.Timestamp != nil && s.AgentId != nil && bytes.Equal(s.Uuid, update.Uuid) &&
		(s.ExecutorId != nil || update.ExecutorId == nil) && (s.Uuid != nil || len(update.Uuid) == 0)
	if complete {
		return s
	}
	s = clone(s)
	if len(update.Uuid) > 0 {
		s.Uuid = update.Uuid
	} else {
		s.Uuid = nil
	}
	if s.Timestamp == nil {
		s.Timestamp = proto.Float64(update.GetTimestamp())
	}
	if s.AgentId == nil {
		s.AgentId = update.GetSlaveId()
	}
	if s.ExecutorId == nil {
		s.ExecutorId = update.GetExecutorId()
	}
	return s
}

// acknowledge passes on that a framework has a status. With the last one the task
// leaves the books.
func (c *Core) acknowledge(f *framework, call *scheduler.Call_Acknowledge) {
	c.counts.add("messages_status_update_acknowledgement", 1)
	a, ok := c.agents.get(call.GetAgentId().GetValue())
	if !ok || !a.connected {
		c.counts.add("invalid_status_update_acknowledgements", 1)
		c.log(Warning, "ACKNOWLEDGE of task %s by framework %s is dropped: agent %s is not connected",
			call.GetTaskId().GetValue(), f.id, call.GetAgentId().GetValue())
		return
	}
	if t, ok := a.tasks.get(taskKey{f.id, call.GetTaskId().GetValue()}); ok {
		if t.info.StatusUpdateState == nil {
			c.counts.add("invalid_status_update_acknowledgements", 1)
			c.log(Warning, "ACKNOWLEDGE of task %s by framework %s is dropped: no status of it was sent",
				t.id(), f.id)
			return
		}
		if terminal(t.info.GetStatusUpdateState()) && bytes.Equal(t.info.GetStatusUpdateUuid(), call.GetUuid()) {
			c.removeTask(t, completed)
		}
	}
	c.counts.add("valid_status_update_acknowledgements", 1)
	c.toAgent(a.pid, &wire.StatusUpdateAcknowledgementMessage{
		SlaveId:     call.GetAgentId(),
		FrameworkId: f.info.GetId(),
		TaskId:      call.GetTaskId(),
		Uuid:        call.GetUuid(),
	})
}
