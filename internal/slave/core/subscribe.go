package core

import (
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/wire"
)

// executorCall answers a call of an executor.
func (c *Core) executorCall(e ExecutorCall) {
	kind := e.Call.GetType()
	refuse := func(status int, text string) { c.emit(Answer{Request: e.Request, Status: status, Text: text}) }
	switch {
	case c.phase == recovering, c.phase == reconnecting && kind != executor.Call_SUBSCRIBE && kind != executor.Call_HEARTBEAT:
		refuse(http.StatusServiceUnavailable, "Agent has not finished recovery")
		return
	case kind == executor.Call_HEARTBEAT:
		refuse(http.StatusAccepted, "")
		return
	}
	f := c.byID[e.Call.GetFrameworkId().GetValue()]
	if f == nil {
		refuse(http.StatusBadRequest, "Framework cannot be found")
		return
	}
	r := f.run(e.Call.GetExecutorId().GetValue())
	if r == nil {
		refuse(http.StatusBadRequest, "Executor cannot be found")
		return
	}
	if c.cfg.AuthenticateHTTPExecutors && !proves(e.Claims, claims(r)) {
		refuse(http.StatusForbidden, "The token is not that of the executor")
		return
	}
	if kind == executor.Call_SUBSCRIBE {
		c.subscribe(e, r)
		return
	}
	if r.state == registering {
		refuse(http.StatusForbidden, "Executor is not subscribed")
		return
	}
	switch kind {
	case executor.Call_UPDATE:
		refuse(http.StatusAccepted, "")
		c.updated(r, e.Call.GetUpdate().GetStatus())
	case executor.Call_MESSAGE:
		refuse(http.StatusAccepted, "")
		c.toFramework(r, e.Call.GetMessage().GetData())
	default:
		refuse(http.StatusNotImplemented, "")
	}
}

// subscribe takes an executor in, for the first time or again.
func (c *Core) subscribe(e ExecutorCall, r *run) {
	if r.framework.terminating || r.state == stopping || r.state == ended {
		c.log(Warning, "executor %s of framework %s subscribes and is to end", r.id, r.framework.id)
		c.openStream(e, r)
		c.send(r, &executor.Event{Type: executor.Event_SHUTDOWN.Enum()})
		if r.state == ended {
			c.closeStream(r)
		}
		return
	}
	c.openStream(e, r)
	r.deadline.stop()
	r.state = registered
	if r.checkpoint() {
		c.write(SaveMarker{At: c.at(r)})
	}
	call := e.Call.GetSubscribe()
	for _, u := range call.GetUnacknowledgedUpdates() {
		c.updated(r, u.GetStatus())
	}
	r.spoken = r.spoken || len(call.GetUnacknowledgedTasks()) > 0
	c.dropUnknown(r, call.GetUnacknowledgedTasks())
	c.send(r, &executor.Event{Type: executor.Event_SUBSCRIBED.Enum(), Subscribed: &executor.Event_Subscribed{
		ExecutorInfo: r.info, FrameworkInfo: r.framework.info, AgentInfo: c.info, ContainerId: r.container,
	}})
	c.log(Info, "executor %s of framework %s has subscribed", r.id, r.framework.id)
	if !r.spoken && len(r.queue) == 0 {
		c.log(Info, "executor %s of framework %s has no task any more; ends it", r.id, r.framework.id)
		c.shutdownRun(r)
		c.recoveryStep()
		return
	}
	c.emit(c.feed(r, r.queue...))
	c.recoveryStep()
}

// dropUnknown ends tasks that were sent to an executor which never saw them.
func (c *Core) dropUnknown(r *run, seen []*mesosv1.TaskInfo) {
	for _, t := range slices.Clone(r.live) {
		id := t.GetTaskId().GetValue()
		if t.GetState() != mesosv1.TaskState_TASK_STAGING ||
			slices.ContainsFunc(seen, func(s *mesosv1.TaskInfo) bool { return s.GetTaskId().GetValue() == id }) {
			continue
		}
		c.tell(r.framework, r, &mesosv1.TaskStatus{
			TaskId: t.GetTaskId(), ExecutorId: r.info.GetExecutorId(), State: droppedState(r.framework.info).Enum(),
			Reason: mesosv1.TaskStatus_REASON_AGENT_RESTARTED.Enum(), Message: proto.String("Task launched during agent restart"),
		})
	}
}

// feed makes the container ready for tasks that wait, and then sends them.
func (c *Core) feed(r *run, waiting ...*queued) Effect {
	waiting = slices.Clone(waiting)
	ticket := c.ask(func(e Event) {
		if err := e.(Updated).Err; err != nil {
			c.updateFailed(r, err)
			return
		}
		for _, q := range waiting {
			c.deliver(r, q)
		}
	})
	return UpdateContainer{Ticket: ticket, Container: r.container, Requests: r.allocated(true), Limits: r.limits(true)}
}

// deliver sends a task or a group, unless it was killed meanwhile or the executor has
// gone: then it waits for the next subscription, or ends with its executor.
func (c *Core) deliver(r *run, q *queued) {
	at := slices.Index(r.queue, q)
	if at < 0 || r.state != registered || r.stream == 0 {
		return
	}
	r.queue = slices.Delete(r.queue, at, at+1)
	r.live = append(r.live, q.booked...)
	r.spoken = true
	if q.group {
		c.send(r, &executor.Event{Type: executor.Event_LAUNCH_GROUP.Enum(), LaunchGroup: &executor.Event_LaunchGroup{
			TaskGroup: &mesosv1.TaskGroupInfo{Tasks: q.tasks},
		}})
		return
	}
	c.send(r, &executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: q.tasks[0]}})
}

// updateFailed ends an executor whose container cannot be given what it needs.
func (c *Core) updateFailed(r *run, err error) {
	if r.state == ended || r.destroyed {
		return // its end is on its way, and why an update failed
	}
	c.log(Error, "container %s of executor %s of framework %s cannot be updated; ends it: %v",
		r.container.GetValue(), r.id, r.framework.id, err)
	c.note(r, cause{goneState(r.framework.info), mesosv1.TaskStatus_REASON_CONTAINER_UPDATE_FAILED,
		"Failed to update resources for container: " + err.Error()})
	r.state = stopping
	c.destroy(r)
}

func (c *Core) openStream(e ExecutorCall, r *run) {
	c.closeStream(r)
	r.stream = e.Stream
	c.streams[e.Stream] = r
	c.emit(OpenStream{Request: e.Request, Stream: e.Stream})
	c.beat(r)
}

// heartbeat is the time between two heartbeats of an executor's stream.
const heartbeat = 30 * time.Minute

// beat has the stream of an executor show that it is alive.
func (c *Core) beat(r *run) {
	r.heartbeat.stop()
	r.heartbeat = c.after(heartbeat, func() {
		c.send(r, &executor.Event{Type: executor.Event_HEARTBEAT.Enum()})
		c.beat(r)
	})
}

func (c *Core) closeStream(r *run) {
	if r.stream != 0 {
		c.emit(CloseStream{Stream: r.stream})
		delete(c.streams, r.stream)
		r.heartbeat.stop()
		r.stream = 0
	}
}

// streamGone forgets a stream. The executor may come again; its container tells when
// it has ended.
func (c *Core) streamGone(id StreamID) {
	if r, ok := c.streams[id]; ok {
		delete(c.streams, id)
		r.heartbeat.stop()
		r.stream = 0
		c.log(Info, "executor %s of framework %s has closed its stream", r.id, r.framework.id)
	}
}

// send sends an event to an executor that is there.
func (c *Core) send(r *run, e *executor.Event) {
	if r.stream != 0 {
		c.emit(Send{Stream: r.stream, Event: e})
	}
}

// toFramework passes data of an executor on.
func (c *Core) toFramework(r *run, data []byte) {
	if c.phase != running {
		c.counts.invalidMessages++
		c.log(Warning, "data of executor %s for framework %s is dropped: the agent is not registered", r.id, r.framework.id)
		return
	}
	c.counts.validMessages++
	c.emit(c.toMaster(&wire.ExecutorToFrameworkMessage{
		SlaveId: c.agentID(), FrameworkId: r.framework.info.GetId(), ExecutorId: r.info.GetExecutorId(), Data: data,
	}))
}

func messageEvent(data []byte) *executor.Event {
	return &executor.Event{Type: executor.Event_MESSAGE.Enum(), Message: &executor.Event_Message{Data: data}}
}

// proves says whether claims hold the wanted ones, each once. There may be more, as in
// tokens that expire.
func proves(claims, wanted *mesosv1.Labels) bool {
	for _, w := range wanted.GetLabels() {
		found := 0
		for _, c := range claims.GetLabels() {
			switch {
			case c.GetKey() != w.GetKey():
			case c.GetValue() != w.GetValue():
				return false
			default:
				found++
			}
		}
		if found != 1 {
			return false
		}
	}
	return true
}
