package core

import (
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/updates"
	"github.com/mesos-modules/mms/internal/wire"
)

// terminated is told of the end of a container.
func (c *Core) terminated(e Terminated) {
	r := c.containers[e.Container.GetValue()]
	if r == nil || r.state == ended {
		return
	}
	if e.Err != nil {
		c.log(Error, "container %s of executor %s of framework %s: its end could not be learnt, so it counts as ended: %v",
			r.container.GetValue(), r.id, r.framework.id, e.Err)
	}
	c.end(r, e.Termination)
}

// end is what follows when a container is no more: its tasks are over, and the master
// hears of it.
func (c *Core) end(r *run, t *slave.ContainerTermination) {
	f := r.framework
	c.log(Info, "executor %s of framework %s has ended", r.id, f.id)
	r.state = ended
	r.launching = false
	r.deadline.stop()
	c.closeStream(r)
	delete(c.containers, r.container.GetValue())
	c.counts.executorsTerminated++
	for _, q := range r.queue {
		r.live = append(r.live, q.booked...)
	}
	r.queue = nil
	if f.terminating {
		c.forgetTasks(r)
	} else {
		for _, task := range append([]*mesosv1.Task(nil), r.live...) {
			c.tell(f, r, c.ending(r, t, task))
		}
	}
	if !r.command {
		status := int32(-1)
		if t != nil && t.Status != nil {
			status = t.GetStatus()
		}
		c.exited(f.info.GetId(), r.info.GetExecutorId(), status)
	}
	c.remove(r)
	c.recoveryStep()
}

// ending is the last status of a task whose executor is no more. What the container's
// end says wins over what the agent noted, and that over the rule.
func (c *Core) ending(r *run, t *slave.ContainerTermination, task *mesosv1.Task) *mesosv1.TaskStatus {
	why := cause{mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, "Executor terminated"}
	if r.cause != nil {
		why = *r.cause
	}
	if t != nil && t.State != nil && updates.Terminal(t.GetState()) {
		why.state = t.GetState()
	}
	if t != nil && t.Reason != nil {
		why.reason = t.GetReason()
	}
	if t.GetMessage() != "" {
		why.message = t.GetMessage()
	}
	s := &mesosv1.TaskStatus{
		TaskId: task.GetTaskId(), ExecutorId: r.info.GetExecutorId(),
		State: why.state.Enum(), Reason: why.reason.Enum(), Message: proto.String(why.message),
	}
	if limited := t.GetLimitedResources(); len(limited) > 0 {
		s.Limitation = &mesosv1.TaskResourceLimitation{Resources: limited}
	}
	return s
}

// correct does what the QoS controller wants.
func (c *Core) correct(corrections []*slave.QoSCorrection) {
	for _, q := range corrections {
		kill := q.GetKill()
		r := c.byID[kill.GetFrameworkId().GetValue()].run(kill.GetExecutorId().GetValue())
		switch {
		case q.GetType() != slave.QoSCorrection_KILL:
			c.log(Warning, "the QoS controller wants a correction of unknown type %v", q.GetType())
		case r == nil || kill.GetContainerId() != nil && kill.GetContainerId().GetValue() != r.container.GetValue():
			c.log(Warning, "the QoS controller wants executor %s of framework %s ended, which is not here",
				kill.GetExecutorId().GetValue(), kill.GetFrameworkId().GetValue())
		case r.state == registering || r.state == registered:
			c.counts.executorsPreempted++
			c.log(Info, "ends executor %s of framework %s for the QoS controller", r.id, r.framework.id)
			c.note(r, cause{goneState(r.framework.info), mesosv1.TaskStatus_REASON_CONTAINER_PREEMPTED,
				"Container preempted by QoS correction"})
			r.state = stopping
			c.destroy(r)
		}
	}
}

// oversubscribable tells the master what can be lent: what the estimator says, which is
// what is left, and what is lent already. What did not change is told once.
func (c *Core) oversubscribable(left []*mesosv1.Resource) {
	sum, err := resources.New(left)
	if err != nil {
		c.log(Warning, "what the resource estimator says is dropped: %v", err)
		return
	}
	if wrong := sum.NonRevocable(); !wrong.Empty() {
		c.log(Warning, "the resource estimator lends out %v, which is not revocable: that is left out", wrong)
	}
	sum = sum.Revocable()
	for _, f := range c.frameworks {
		for _, r := range f.runs {
			if used, err := resources.New(r.allocated(true)); err == nil && r.state != ended {
				sum = sum.Add(used.Revocable().Unallocate())
			}
		}
	}
	before, _ := resources.New(c.oversubscribed) // it came from here
	if sum.Equal(before) {
		return
	}
	c.oversubscribed = append([]*mesosv1.Resource{}, sum.Messages()...)
	if c.phase == running {
		c.emit(c.toMaster(c.updateSlave()))
	}
}

// checkpointFailed has the thing fail that could not be written down; the agent lives.
func (c *Core) checkpointFailed(e CheckpointFailed) {
	c.log(Error, "a checkpoint could not be written: %v", e.Err)
	switch k := e.Checkpoint.(type) {
	case SaveAgent:
		c.saved = false // tried again before the next task is written down
	case SaveFramework:
		if f := c.byID[k.Info.GetId().GetValue()]; f != nil {
			f.saved = nil
		}
		c.runUnwritten(k.For, e.Err)
	case SaveExecutor:
		c.runUnwritten(k.Container, e.Err)
	case SaveTask:
		if r := c.containers[k.At.Container.GetValue()]; r != nil {
			c.taskUnwritten(r, k.Task, e.Err)
		}
	case SaveUpdate:
		// The executor keeps what is not acknowledged, for the next agent; the master
		// hears of it now.
		if k.Record.GetUpdate() != nil {
			c.sendHead(k.Record.GetUpdate())
		}
	}
}

// runUnwritten fails an executor whose launch waited for a checkpoint.
func (c *Core) runUnwritten(container *mesosv1.ContainerID, err error) {
	if r := c.containers[container.GetValue()]; r != nil && r.launching {
		c.launched(r, err)
	}
}

// taskUnwritten fails a task, with its group, or the executor that was to be launched
// for it.
func (c *Core) taskUnwritten(r *run, task *mesosv1.Task, err error) {
	if r.launching && r.first.has(task.GetTaskId().GetValue()) {
		c.launched(r, err)
		return
	}
	q := r.unqueue(task.GetTaskId().GetValue())
	if q == nil {
		return
	}
	r.live = append(r.live, q.booked...)
	for _, t := range q.booked {
		c.tell(r.framework, r, &mesosv1.TaskStatus{
			TaskId: t.GetTaskId(), ExecutorId: r.info.GetExecutorId(), State: mesosv1.TaskState_TASK_FAILED.Enum(),
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED.Enum(), Message: proto.String("Failed to write down the task: " + err.Error()),
		})
	}
	if !r.spoken && len(r.queue) == 0 {
		c.shutdownRun(r)
	}
}

// sendHead sends an update if it is the oldest of its task.
func (c *Core) sendHead(u *wire.StatusUpdate) {
	if c.updates.IsHead(u) {
		c.emit(c.forward(u))
	}
}
