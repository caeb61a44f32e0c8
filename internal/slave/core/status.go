package core

import (
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/updates"
	"github.com/mesos-modules/mms/internal/wire"
)

// pipe is the updates of one task that are not stored yet. They go through hooks,
// container status, books and containerizer one at a time, so that their order stays.
type pipe struct{ queue []*status }

// status is an update on its way to be stored.
type status struct {
	framework *framework
	run       *run // nil: no executor has the task
	update    *wire.StatusUpdate
	own       bool // made by the agent: nobody waits for it to be stored
}

func (s *status) key() updates.Task {
	return updates.Task{Framework: s.framework.id, Task: s.update.GetStatus().GetTaskId().GetValue()}
}

// newUpdate makes an update of the agent's own.
func (c *Core) newUpdate(framework *mesosv1.FrameworkID, s *mesosv1.TaskStatus) *wire.StatusUpdate {
	s.Source = mesosv1.TaskStatus_SOURCE_AGENT.Enum()
	s.AgentId, s.Uuid, s.Timestamp = c.agentID(), c.uuid(), proto.Float64(seconds(c.now))
	return &wire.StatusUpdate{
		FrameworkId: framework, ExecutorId: s.GetExecutorId(), SlaveId: c.agentID(), Status: s,
		Timestamp: s.Timestamp, Uuid: s.GetUuid(),
	}
}

// tell begins an update of the agent's own; it takes the status over.
func (c *Core) tell(f *framework, r *run, s *mesosv1.TaskStatus) {
	c.put(&status{framework: f, run: r, update: c.newUpdate(f.info.GetId(), s), own: true})
}

// updated takes a status from an executor.
func (c *Core) updated(r *run, given *mesosv1.TaskStatus) {
	f := r.framework
	id := given.GetTaskId().GetValue()
	switch {
	case len(given.GetUuid()) == 0:
		c.counts.invalidUpdates++
		c.log(Warning, "a status of task %s of framework %s is left out: it has no uuid", id, f.id)
		return
	case given.GetAgentId() != nil && given.GetAgentId().GetValue() != c.agentID().GetValue():
		c.counts.invalidUpdates++
		c.log(Warning, "a status of task %s of framework %s is left out: it is of agent %s", id, f.id, given.GetAgentId().GetValue())
		return
	case f.terminating:
		c.counts.invalidUpdates++
		c.log(Warning, "a status of task %s is left out: framework %s is being ended", id, f.id)
		c.send(r, acknowledgedEvent(given.GetTaskId(), given.GetUuid())) // the executor has not to wait before it ends
		return
	}
	s := copyStatus(given)
	s.Source = mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum()
	s.AgentId = c.agentID()
	s.ExecutorId = r.info.GetExecutorId()
	if s.Timestamp == nil {
		s.Timestamp = proto.Float64(seconds(c.now))
	}
	c.draining(f, s)
	c.put(&status{framework: f, run: r, update: &wire.StatusUpdate{
		FrameworkId: f.info.GetId(), ExecutorId: s.ExecutorId, SlaveId: c.agentID(), Status: s,
		Timestamp: s.Timestamp, Uuid: s.Uuid,
	}})
}

func (c *Core) put(s *status) {
	key := s.key()
	p := c.pipes[key]
	if p == nil {
		p = &pipe{}
		c.pipes[key] = p
	}
	p.queue = append(p.queue, s)
	if len(p.queue) == 1 {
		c.process(s)
	}
}

// done lets the next update of a task go on.
func (c *Core) done(s *status) {
	p := c.pipes[s.key()]
	p.queue = p.queue[1:]
	if len(p.queue) == 0 {
		delete(c.pipes, s.key())
		return
	}
	c.process(p.queue[0])
}

// process takes the first update of a pipe through all stations.
func (c *Core) process(s *status) {
	if c.repeated(s) {
		return
	}
	c.askStatusHooks(s, func() { c.fillContainer(s) })
}

// repeated acknowledges an update that was stored before, or that comes after its
// task has ended.
func (c *Core) repeated(s *status) bool {
	id := s.update.GetStatus().GetTaskId().GetValue()
	known := c.updates.Has(s.key(), s.update.GetUuid())
	over := false
	if s.run != nil {
		t := s.run.task(id)
		over = t == nil || updates.Terminal(t.GetState())
	}
	if !known && !over {
		return false
	}
	if !known {
		c.counts.invalidUpdates++
		c.log(Warning, "%v of task %s of framework %s is dropped: the task is over, or not one of executor %s",
			s.update.GetStatus().GetState(), id, s.framework.id, s.run.id)
	}
	if !s.own {
		c.acknowledge(s)
	}
	c.done(s)
	return true
}

// fillContainer adds what the containerizer knows.
func (c *Core) fillContainer(s *status) {
	if s.run == nil || s.run.state == ended || s.run.launching && s.own {
		c.addContainer(s, nil)
		return
	}
	container := s.run.container
	if said := s.update.GetStatus().GetContainerStatus().GetContainerId(); root(said).GetValue() == container.GetValue() {
		container = said
	}
	c.emit(StatusOf{Container: container, Ticket: c.ask(func(e Event) {
		if c.limited(s, e.(ContainerStatus).Limited) {
			return
		}
		c.addContainer(s, e.(ContainerStatus).Status)
	})})
}

// limited drops what an executor says of the failure of a task when its container ends
// because it broke a limit: the executor saw a process die, and the end of the container
// tells why. It is not acknowledged: if this agent ends first, the next one hears it.
func (c *Core) limited(s *status, limited bool) bool {
	st := s.update.GetStatus()
	if !limited || s.own || s.run.state == ended || st.GetState() != mesosv1.TaskState_TASK_FAILED {
		return false
	}
	c.log(Info, "%v of task %s of framework %s is left to the end of its container, which broke a limit",
		st.GetState(), st.GetTaskId().GetValue(), s.framework.id)
	c.done(s)
	return true
}

// root is the outermost container that one is in.
func root(id *mesosv1.ContainerID) *mesosv1.ContainerID {
	for id.GetParent() != nil {
		id = id.GetParent()
	}
	return id
}

func (c *Core) addContainer(s *status, known *mesosv1.ContainerStatus) {
	if s.run != nil {
		said := s.update.GetStatus().GetContainerStatus()
		full := &mesosv1.ContainerStatus{
			ContainerId: said.GetContainerId(), NetworkInfos: said.GetNetworkInfos(),
			CgroupInfo: said.GetCgroupInfo(),
		}
		if known != nil {
			full.ExecutorPid = known.ExecutorPid
		}
		if full.ContainerId == nil {
			full.ContainerId = s.run.container
		}
		if len(full.NetworkInfos) == 0 {
			full.NetworkInfos = known.GetNetworkInfos()
		}
		if full.CgroupInfo == nil {
			full.CgroupInfo = known.GetCgroupInfo()
		}
		if len(full.NetworkInfos) == 0 {
			full.NetworkInfos = []*mesosv1.NetworkInfo{{IpAddresses: []*mesosv1.NetworkInfo_IPAddress{{
				IpAddress: proto.String(c.self().Addr.Addr().String()),
			}}}}
		}
		changed := copyStatus(s.update.GetStatus())
		changed.ContainerStatus = full
		s.update = withStatus(s.update, changed)
	}
	c.book(s)
}

// book enters an update into the books. The end of a task frees its share of the
// container before anybody is told.
func (c *Core) book(s *status) {
	if c.repeated(s) { // while the hooks and the containerizer were asked
		return
	}
	c.counts.validUpdates++
	st := s.update.GetStatus()
	terminal := updates.Terminal(st.GetState())
	if terminal {
		c.counts.ended(st.GetState())
	}
	if s.run == nil {
		c.store(s)
		return
	}
	s.run.replace(withNewStatus(s.run.task(st.GetTaskId().GetValue()), st))
	if !terminal || s.run.state == ended || s.run.destroyed || s.run.launching {
		c.store(s)
		return
	}
	r := s.run
	c.emit(UpdateContainer{
		Container: r.container, Requests: r.allocated(true), Limits: r.limits(true),
		Ticket: c.ask(func(e Event) {
			if err := e.(Updated).Err; err != nil {
				c.updateFailed(r, err)
			}
			c.store(s)
		}),
	})
}

// store writes an update down, then acknowledges it to the executor and sends it to
// the master if none of the task is on its way.
func (c *Core) store(s *status) {
	send, _ := c.updates.Update(c.now, s.update)
	var then []Effect
	if r := s.run; !s.own && r.stream != 0 {
		then = append(then, Send{Stream: r.stream, Event: acknowledgedEvent(s.update.GetStatus().GetTaskId(), s.update.GetUuid())})
	}
	if send != nil {
		if e := c.forward(send); e != nil {
			then = append(then, e)
		}
	}
	if s.run != nil && s.run.checkpoint() {
		c.write(SaveUpdate{At: c.at(s.run), Task: s.update.GetStatus().GetTaskId(), Record: &wire.StatusUpdateRecord{
			Type: wire.StatusUpdateRecord_UPDATE.Enum(), Update: s.update,
		}}, then...)
	} else {
		c.emit(then...)
	}
	c.done(s)
}

func (c *Core) acknowledge(s *status) {
	c.send(s.run, acknowledgedEvent(s.update.GetStatus().GetTaskId(), s.update.GetUuid()))
}

func acknowledgedEvent(task *mesosv1.TaskID, uuid []byte) *executor.Event {
	return &executor.Event{Type: executor.Event_ACKNOWLEDGED.Enum(), Acknowledged: &executor.Event_Acknowledged{
		TaskId: task, Uuid: uuid,
	}}
}

// withStatus is an update with another status.
func withStatus(u *wire.StatusUpdate, s *mesosv1.TaskStatus) *wire.StatusUpdate {
	return &wire.StatusUpdate{
		FrameworkId: u.FrameworkId, ExecutorId: u.ExecutorId, SlaveId: u.SlaveId, Status: s,
		Timestamp: u.Timestamp, Uuid: u.Uuid, LatestState: u.LatestState,
	}
}

// withNewStatus is a task with one status more. Of consecutive ones of the same state
// only the last is kept; data is not kept at all.
func withNewStatus(t *mesosv1.Task, s *mesosv1.TaskStatus) *mesosv1.Task {
	t = copyTask(t)
	t.State = s.GetState().Enum()
	kept := copyStatus(s)
	kept.Data = nil
	n := len(t.Statuses)
	if n > 0 && t.Statuses[n-1].GetState() == s.GetState() {
		n--
	}
	t.Statuses = append(slices.Clip(t.Statuses[:n]), kept)
	return t
}

// forward is an update as it goes to the master, with the state that the task has by
// now. It is nil if nobody would receive it.
func (c *Core) forward(u *wire.StatusUpdate) Effect {
	if c.phase != running {
		return nil
	}
	sent := withStatus(u, u.Status)
	sent.LatestState = u.GetStatus().GetState().Enum()
	if f := c.byID[u.GetFrameworkId().GetValue()]; f != nil {
		id := u.GetStatus().GetTaskId().GetValue()
		if r := f.holder(id); r != nil {
			if t := r.task(id); t != nil {
				sent.LatestState = t.State
				t = copyTask(t)
				t.StatusUpdateState, t.StatusUpdateUuid = u.GetStatus().GetState().Enum(), u.GetUuid()
				r.replace(t)
			}
		}
	}
	return c.toMaster(&wire.StatusUpdateMessage{Update: sent, Pid: proto.String(c.self().String())})
}

// acknowledged takes the acknowledgement of a framework.
func (c *Core) acknowledged(m *wire.StatusUpdateAcknowledgementMessage) {
	framework, id := m.GetFrameworkId().GetValue(), m.GetTaskId().GetValue()
	ack, err := c.updates.Acknowledge(c.now, updates.Task{Framework: framework, Task: id}, m.GetUuid())
	if err != nil {
		c.log(Warning, "an acknowledgement is left out: %v", err)
		return
	}
	f := c.byID[framework]
	var r *run
	if f != nil {
		r = f.holder(id)
	}
	if r != nil && r.checkpoint() {
		c.write(SaveUpdate{At: c.at(r), Task: m.GetTaskId(), Record: &wire.StatusUpdateRecord{
			Type: wire.StatusUpdateRecord_ACK.Enum(), Uuid: m.GetUuid(),
		}})
	}
	if ack.Send != nil {
		c.emit(c.forward(ack.Send))
	}
	if ack.Closed && r != nil {
		r.complete(id)
		c.remove(r)
	}
}
