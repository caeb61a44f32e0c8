package core

import (
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// stream is an open stream of a scheduler or operator.
type stream struct {
	framework *framework // nil: of an operator, or the subscription is not decided yet
	watcher   *watcher
}

// send sends an event to a framework. If it is not connected the event is dropped,
// and false is returned.
func (c *Core) send(f *framework, event *scheduler.Event) bool {
	if !f.connected() {
		return false
	}
	c.countEvent(f, event.GetType())
	c.emit(Send{f.stream, event})
	return true
}

func (c *Core) countEvent(f *framework, t scheduler.Event_Type) {
	f.counts.add("events", 1)
	f.counts.add("events/"+strings.ToLower(t.String()), 1)
}

// fail ends a stream that is nobody's yet, or not any more, with an error.
func (c *Core) fail(id StreamID, text string) {
	c.emit(Send{id, errorEvent(text)})
	c.emit(CloseStream{id})
	delete(c.streams, id)
}

func errorEvent(text string) *scheduler.Event {
	return &scheduler.Event{
		Type:  scheduler.Event_ERROR.Enum(),
		Error: &scheduler.Event_Error{Message: proto.String(text)},
	}
}

// beat sends a heartbeat now and from then on.
func (c *Core) beat(f *framework) {
	c.send(f, &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()})
	f.heartbeat = c.after(c.config.HeartbeatInterval, func() { c.beat(f) })
}

// streamGone is told that a client has left.
func (c *Core) streamGone(id StreamID) {
	s := c.streams[id]
	if s == nil {
		return
	}
	delete(c.streams, id)
	switch {
	case s.watcher != nil:
		c.forgetWatcher(id)
	case s.framework != nil && s.framework.stream == id:
		c.disconnect(s.framework)
	}
}
