package simulation

import (
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// container is an executor's container with the executor in it, which behaves as the
// command executor does: one task, three updates, and an end when the last of them is
// stored. It outlives agents.
type container struct {
	s      *slaveNode
	id     *mesosv1.ContainerID
	config *slave.ContainerConfig

	watched     int // the life of the agent that wants to hear of the end
	gone        bool
	termination *slave.ContainerTermination

	up, down *line
	stream   core.StreamID // 0: not subscribed
	trying   bool
	task     *mesosv1.TaskInfo
	updates  []*executor.Call_Update // not acknowledged, in order
	over     bool                    // the terminal update is made
	leaving  bool
}

// begin starts the executor.
func (c *container) begin() {
	c.s.w.after(c.s.w.between(5*time.Millisecond, 200*time.Millisecond), c.subscribe)
}

// subscribe tries until the agent takes it; an executor whose framework does not
// checkpoint would give up instead, and there are none here.
func (c *container) subscribe() {
	if c.gone || c.stream != 0 {
		return
	}
	if !c.s.up {
		c.again()
		return
	}
	c.s.stream++
	stream := c.s.stream
	c.up, c.down = &line{w: c.s.w}, &line{w: c.s.w}
	c.stream = stream
	c.s.streams[stream] = c
	call := &executor.Call{Type: executor.Call_SUBSCRIBE.Enum(), Subscribe: &executor.Call_Subscribe{UnacknowledgedUpdates: c.updates}}
	if c.task != nil && !c.over {
		call.Subscribe.UnacknowledgedTasks = []*mesosv1.TaskInfo{c.task}
	}
	c.call(call, func(status int) {
		if c.stream == stream { // refused, as while the agent recovers
			delete(c.s.streams, stream)
			c.lost()
		}
	})
}

func (c *container) again() {
	if c.trying || c.gone {
		return
	}
	c.trying = true
	c.s.w.after(c.s.w.between(100*time.Millisecond, time.Second), func() {
		c.trying = false
		c.subscribe()
	})
}

// lost says that the stream has broken.
func (c *container) lost() {
	if c.up != nil {
		c.up.cut, c.down.cut = true, true
	}
	if c.stream = 0; !c.gone {
		c.again()
	}
}

// call sends a call; refused hears of an answer that is neither 200 nor 202.
func (c *container) call(call *executor.Call, refused func(status int)) {
	call.FrameworkId, call.ExecutorId = c.config.GetExecutorInfo().GetFrameworkId(), c.config.GetExecutorInfo().GetExecutorId()
	stream, life := c.stream, c.s.life
	c.up.send(func() {
		if !c.s.up || c.s.life != life {
			return
		}
		c.s.request++
		request := c.s.request
		c.s.answers[request] = func(status int) {
			if status != 200 && status != 202 && refused != nil {
				refused(status)
			}
		}
		c.s.handle(core.ExecutorCall{Request: request, Stream: stream, Call: call})
	})
}

func (c *container) heard(stream core.StreamID, e *executor.Event) {
	if c.gone || c.stream != stream {
		return
	}
	switch e.GetType() {
	case executor.Event_SUBSCRIBED:
		for _, u := range c.updates {
			c.sendUpdate(u)
		}
	case executor.Event_LAUNCH:
		if c.task == nil {
			c.task = e.GetLaunch().GetTask()
			c.run()
		}
	case executor.Event_ACKNOWLEDGED:
		c.acknowledged(e.GetAcknowledged().GetUuid())
	case executor.Event_KILL:
		c.end(mesosv1.TaskState_TASK_KILLED)
	case executor.Event_SHUTDOWN:
		c.end(mesosv1.TaskState_TASK_KILLED)
		c.leave()
	}
}

func (c *container) closed(stream core.StreamID) {
	if c.stream == stream {
		c.lost()
	}
}

// run is the life of the task.
func (c *container) run() {
	c.update(mesosv1.TaskState_TASK_STARTING)
	w := c.s.w
	w.after(w.between(time.Millisecond, 100*time.Millisecond), func() {
		if c.over || c.gone {
			return
		}
		c.update(mesosv1.TaskState_TASK_RUNNING)
		w.after(w.between(10*time.Millisecond, 30*time.Second), func() {
			if w.oneIn(5) {
				c.end(mesosv1.TaskState_TASK_FAILED)
			} else {
				c.end(mesosv1.TaskState_TASK_FINISHED)
			}
		})
	})
}

func (c *container) end(state mesosv1.TaskState) {
	if c.over || c.gone || c.task == nil {
		return
	}
	c.over = true
	c.update(state)
}

func (c *container) update(state mesosv1.TaskState) {
	u := &executor.Call_Update{Status: &mesosv1.TaskStatus{
		TaskId: c.task.GetTaskId(), State: state.Enum(), Source: mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: c.s.w.uuid(),
		Timestamp: proto.Float64(float64(c.s.w.now.UnixNano()) / 1e9),
	}}
	c.updates = append(c.updates, u)
	if c.stream != 0 {
		c.sendUpdate(u)
	}
}

func (c *container) sendUpdate(u *executor.Call_Update) {
	c.call(&executor.Call{Type: executor.Call_UPDATE.Enum(), Update: u}, nil)
}

func (c *container) acknowledged(uuid []byte) {
	for i, u := range c.updates {
		if string(u.GetStatus().GetUuid()) == string(uuid) {
			c.updates = append(c.updates[:i:i], c.updates[i+1:]...)
			break
		}
	}
	if c.over && len(c.updates) == 0 {
		c.leave()
	}
}

// leave ends the executor in peace, a second later.
func (c *container) leave() {
	if !c.leaving {
		c.leaving = true
		c.s.w.after(time.Second, func() { c.ended(0) })
	}
}

// destroy kills what is in the container.
func (c *container) destroy() {
	c.s.w.after(c.s.w.between(time.Millisecond, 50*time.Millisecond), func() { c.ended(int32(syscall.SIGKILL)) })
}

// ended is the end. Status is raw, as wait gives it.
func (c *container) ended(status int32) {
	if c.gone {
		return
	}
	c.gone, c.termination = true, &slave.ContainerTermination{Status: &status}
	if c.stream != 0 && c.s.up {
		stream := c.stream
		delete(c.s.streams, stream)
		c.s.later(func() { c.s.handle(core.StreamGone{Stream: stream}) })
	}
	if c.up != nil {
		c.up.cut, c.down.cut = true, true
	}
	c.stream = 0
	if c.s.up && c.watched == c.s.life {
		c.s.later(func() { c.s.handle(core.Terminated{Container: c.id, Termination: c.termination}) })
	}
}
