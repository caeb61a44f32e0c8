package core

import (
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
)

// disconnect is done when the stream of a framework has broken: it gets no offers, and
// time to come back.
func (c *Core) disconnect(f *framework) {
	c.log(Info, "framework %s (%s) is disconnected and has %v to come back", f.id, f.info.GetName(),
		f.failoverTimeout())
	c.deactivate(f)
	f.stream = ""
	c.stop(f.heartbeat)
	f.failover = c.after(f.failoverTimeout(), func() { c.removeFramework(f) })
	c.watchFrameworkUpdated(f)
}

// deactivate ends offers for a framework and takes back those it has, silently.
func (c *Core) deactivate(f *framework) {
	if f.active {
		f.active = false
		c.allocatorDeactivateFramework(f)
	}
	c.takeBackOffers(f)
}

// takeBackOffers withdraws all that is offered to a framework. It is not told: either
// it is away, or a new instance of it has never seen the offers.
func (c *Core) takeBackOffers(f *framework) {
	for _, o := range f.offers.snapshot() {
		c.recoverOffer(o, nil)
	}
	for _, o := range f.inverse.snapshot() {
		c.withdrawInverse(o)
	}
}

// removeFramework ends a framework for good: its executors are shut down everywhere,
// its tasks become history without a word to it.
func (c *Core) removeFramework(f *framework) {
	c.log(Info, "framework %s (%s) is removed", f.id, f.info.GetName())
	c.stop(f.failover)
	c.stop(f.heartbeat)
	c.deactivate(f)
	if f.connected() {
		c.emit(CloseStream{f.stream})
		delete(c.streams, f.stream)
		f.stream = ""
	}
	for a := range c.agents.values() {
		c.toAgent(a.pid, &wire.ShutdownFrameworkMessage{FrameworkId: f.info.GetId()})
	}
	c.dropPending(f)
	for _, t := range f.tasks.snapshot() {
		c.setState(t, masterStatus(t, mesosv1.TaskState_TASK_KILLED, mesosv1.TaskStatus_REASON_FRAMEWORK_REMOVED,
			"Framework "+f.id+" removed", c.stamp()))
		c.removeTask(t, completed)
	}
	for _, key := range slices.Collect(f.unreachable.keys()) {
		t, _ := f.unreachable.get(key)
		f.forgetUnreachable(key)
		if t.GetState() == mesosv1.TaskState_TASK_UNREACHABLE {
			status := masterStatus(&task{info: t}, mesosv1.TaskState_TASK_KILLED,
				mesosv1.TaskStatus_REASON_FRAMEWORK_REMOVED, "Framework "+f.id+" removed", c.stamp())
			t = copyTask(t)
			t.State = status.State
			t.Statuses = append(t.Statuses[:len(t.Statuses):len(t.Statuses)], status)
		}
		f.done.put(t, c.config.MaxCompletedTasks)
	}
	for _, e := range f.executors.snapshot() {
		c.removeExecutor(e)
	}
	f.recovered = false
	f.unregistered = c.now
	for _, role := range f.roles {
		c.leaveRole(f, role)
	}
	c.frameworks.delete(f.id)
	c.completed.put(f.id, f)
	c.completed.trim(c.config.MaxCompletedFrameworks)
	c.allocatorRemoveFramework(f)
	c.watchFrameworkRemoved(f)
}

// tellAgents sends what is known of a framework to all agents.
func (c *Core) tellAgents(f *framework) {
	message := &wire.UpdateFrameworkMessage{
		FrameworkId:   f.info.GetId(),
		Pid:           proto.String(libprocess.PID{}.String()),
		FrameworkInfo: f.info,
	}
	for a := range c.agents.values() {
		c.toAgent(a.pid, message)
	}
}
