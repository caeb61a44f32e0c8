package core

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/resources"
)

// watcher is an operator who is told of everything.
type watcher struct {
	id        StreamID
	heartbeat *timer
}

// watch opens a stream for an operator. Over the cap, the oldest one is closed.
func (c *Core) watch(request RequestID, id StreamID) {
	c.emit(OpenOperatorStream{request, id})
	w := &watcher{id: id}
	c.streams[id] = &stream{watcher: w}
	c.watched.put(id, w)
	c.beatWatcher(w)
	for c.watched.len() > max(c.config.MaxOperatorStreams, 1) {
		oldest, _ := c.watched.first()
		c.log(Info, "the stream of an operator is closed: there are more than %d", c.config.MaxOperatorStreams)
		c.emit(CloseStream{oldest})
		c.forgetWatcher(oldest)
		delete(c.streams, oldest)
	}
}

func (c *Core) beatWatcher(w *watcher) {
	w.heartbeat = c.after(c.config.HeartbeatInterval, func() {
		c.emit(Send{w.id, &master.Event{Type: master.Event_HEARTBEAT.Enum()}})
		c.beatWatcher(w)
	})
}

func (c *Core) forgetWatcher(id StreamID) {
	if w, ok := c.watched.get(id); ok {
		c.stop(w.heartbeat)
		c.watched.delete(id)
	}
}

// publish sends an event to all operators who watch. It is made only if there are any.
func (c *Core) publish(event func() *master.Event) {
	if c.watched.len() == 0 {
		return
	}
	e := event()
	for id := range c.watched.keys() {
		c.emit(Send{id, e})
	}
}

func (c *Core) watchTaskAdded(t *task) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_TASK_ADDED.Enum(), TaskAdded: &master.Event_TaskAdded{Task: t.info}}
	})
}

// watchTaskUpdated tells of a status if it is news: another state, or the result of a
// check.
func (c *Core) watchTaskUpdated(t *task, status *mesosv1.TaskStatus, news bool) {
	switch status.GetReason() {
	case mesosv1.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED, mesosv1.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED:
		news = true
	default:
	}
	if !news {
		return
	}
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_TASK_UPDATED.Enum(), TaskUpdated: &master.Event_TaskUpdated{
			FrameworkId: t.info.GetFrameworkId(), Status: withoutData(status), State: t.info.GetState().Enum(),
		}}
	})
}

func (c *Core) watchFrameworkAdded(f *framework) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_FRAMEWORK_ADDED.Enum(),
			FrameworkAdded: &master.Event_FrameworkAdded{Framework: f.operatorView()}}
	})
}

func (c *Core) watchFrameworkUpdated(f *framework) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_FRAMEWORK_UPDATED.Enum(),
			FrameworkUpdated: &master.Event_FrameworkUpdated{Framework: f.operatorView()}}
	})
}

func (c *Core) watchFrameworkRemoved(f *framework) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_FRAMEWORK_REMOVED.Enum(),
			FrameworkRemoved: &master.Event_FrameworkRemoved{FrameworkInfo: f.info}}
	})
}

func (c *Core) watchAgentAdded(a *agent) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_AGENT_ADDED.Enum(),
			AgentAdded: &master.Event_AgentAdded{Agent: a.operatorView()}}
	})
}

func (c *Core) watchAgentRemoved(a *agent) {
	c.publish(func() *master.Event {
		return &master.Event{Type: master.Event_AGENT_REMOVED.Enum(),
			AgentRemoved: &master.Event_AgentRemoved{AgentId: a.info.GetId()}}
	})
}

func (f *framework) operatorView() *master.Response_GetFrameworks_Framework {
	v := &master.Response_GetFrameworks_Framework{
		FrameworkInfo: f.info, Active: proto.Bool(f.active), Connected: proto.Bool(f.connected()),
		Recovered: proto.Bool(f.recovered), RegisteredTime: timeOf(f.registered), ReregisteredTime: timeOf(f.reregistered),
		UnregisteredTime: timeOf(f.unregistered), AllocatedResources: endpoint(f.used), OfferedResources: endpoint(f.offered),
		OfferConstraints: f.constraints,
	}
	for o := range f.offers.values() {
		v.Offers = append(v.Offers, o.info)
	}
	for o := range f.inverse.values() {
		v.InverseOffers = append(v.InverseOffers, o.info)
	}
	return v
}

func (a *agent) operatorView() *master.Response_GetAgents_Agent {
	return &master.Response_GetAgents_Agent{
		AgentInfo: a.info, Active: proto.Bool(a.active), Deactivated: proto.Bool(a.deactivated),
		Version: proto.String(a.version), Pid: proto.String(a.pid.String()), RegisteredTime: timeOf(a.registered),
		ReregisteredTime: timeOf(a.reregistered), TotalResources: endpoint(a.total), AllocatedResources: endpoint(a.used),
		OfferedResources: endpoint(a.offered), Capabilities: a.capabilities,
	}
}

// endpoint are resources as operators see them.
func endpoint(r resources.Resources) []*mesosv1.Resource {
	messages, err := r.MessagesIn(resources.Endpoint)
	if err != nil {
		return r.Messages()
	}
	return messages
}

// timeOf is nil for what has not happened.
func timeOf(t time.Time) *mesosv1.TimeInfo {
	if t.IsZero() {
		return nil
	}
	return timeInfo(t)
}
