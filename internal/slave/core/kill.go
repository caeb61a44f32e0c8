package core

import (
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/wire"
)

// killTask ends a task, wherever it is.
func (c *Core) killTask(m *wire.KillTaskMessage) {
	f := c.byID[m.GetFrameworkId().GetValue()]
	if f == nil || f.terminating {
		c.log(Warning, "the kill of task %s is left out: framework %s is not here, or is being ended",
			m.GetTaskId().GetValue(), m.GetFrameworkId().GetValue())
		return
	}
	c.kill(f, m.GetTaskId(), m.GetKillPolicy())
}

func (c *Core) kill(f *framework, task *mesosv1.TaskID, policy *mesosv1.KillPolicy) {
	id := task.GetValue()
	if l := f.waiting(id); l != nil {
		c.killPending(f, l)
		return
	}
	r := f.holder(id)
	if r == nil {
		c.tell(f, nil, &mesosv1.TaskStatus{
			TaskId: task, State: droppedState(f.info).Enum(),
			Reason: mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED.Enum(), Message: proto.String("Cannot find executor"),
		})
		return
	}
	switch {
	case r.state == stopping, r.state == ended:
		c.log(Warning, "the kill of task %s of framework %s is left out: executor %s is ending", id, f.id, r.id)
	case slices.ContainsFunc(r.queue, func(q *queued) bool { return q.has(id) }):
		c.killQueued(r, r.unqueue(id))
	case indexOf(r.live, id) >= 0:
		c.send(r, &executor.Event{Type: executor.Event_KILL.Enum(), Kill: &executor.Event_Kill{TaskId: task, KillPolicy: policy}})
	default: // it is over, and its last update on its way
	}
}

// killPending takes a task, with its group, out before it gets to an executor.
func (c *Core) killPending(f *framework, l *launch) {
	f.pending = slices.DeleteFunc(f.pending, func(o *launch) bool { return o == l })
	for _, t := range l.tasks {
		c.tell(f, nil, killedDuringLaunch(t.GetTaskId(), l.executor.GetExecutorId(), "Task killed before delivery to executor"))
	}
	c.neverLaunched(l)
	c.advance(f)
}

// killQueued takes a task, with its group, from those that wait for their executor.
func (c *Core) killQueued(r *run, q *queued) {
	r.live = append(r.live, q.booked...) // until the update is through
	for _, t := range q.tasks {
		c.tell(r.framework, r, killedDuringLaunch(t.GetTaskId(), r.info.GetExecutorId(), "Task killed while it was queued"))
	}
	if !r.spoken && len(r.queue) == 0 {
		c.shutdownRun(r)
	}
}

func killedDuringLaunch(task *mesosv1.TaskID, executor *mesosv1.ExecutorID, text string) *mesosv1.TaskStatus {
	return &mesosv1.TaskStatus{
		TaskId: task, ExecutorId: executor, State: mesosv1.TaskState_TASK_KILLED.Enum(),
		Reason: mesosv1.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH.Enum(), Message: proto.String(text),
	}
}

// shutdownExecutor ends an executor at the wish of its framework.
func (c *Core) shutdownExecutor(framework, id string) {
	r := c.byID[framework].run(id)
	if r == nil {
		c.log(Warning, "executor %s of framework %s is to be shut down, and is not here", id, framework)
		return
	}
	c.shutdownRun(r)
}

// shutdownRun asks an executor to end, and ends it if it does not.
func (c *Core) shutdownRun(r *run) {
	if r.state != registering && r.state != registered {
		return
	}
	r.state = stopping
	c.send(r, &executor.Event{Type: executor.Event_SHUTDOWN.Enum()})
	r.deadline.stop()
	if !r.begun {
		c.end(r, nil)
		return
	}
	r.deadline = c.after(c.grace(r), func() {
		c.log(Info, "executor %s of framework %s did not end in time; destroys its container", r.id, r.framework.id)
		c.destroy(r)
	})
}

// shutdownFramework ends all that a framework has here. Nobody is told of its tasks.
func (c *Core) shutdownFramework(id string) {
	f := c.byID[id]
	if f == nil || f.terminating {
		return // it goes to all agents
	}
	c.log(Info, "ends framework %s", id)
	f.terminating = true
	f.pending = nil
	for _, r := range slices.Clone(f.runs) {
		if r.state == ended {
			c.forgetTasks(r)
			c.remove(r)
			continue
		}
		c.shutdownRun(r)
	}
	c.dismiss(f)
}

// forgetTasks has nobody wait for the tasks of a run any more.
func (c *Core) forgetTasks(r *run) {
	for _, t := range r.tasks() {
		r.remember(t)
	}
	r.queue, r.live, r.terminal = nil, nil, nil
}

// shutdown ends the agent with all that runs on it.
func (c *Core) shutdown(why string) {
	c.log(Warning, "master %v wants this agent to end: %s", c.registered.master, why)
	c.phase = terminating
	c.updates.Pause()
	c.registered.retry.stop()
	c.registered.ping.stop()
	for _, f := range slices.Clone(c.frameworks) {
		c.shutdownFramework(f.id)
	}
	c.endIfEmpty()
}

// drainAgent ends all tasks, and lets no others in until the agent starts anew.
func (c *Core) drainAgent(config *mesosv1.DrainConfig) {
	c.drain, c.drained = config, c.now
	c.log(Info, "drains: ends all tasks")
	var policy *mesosv1.KillPolicy
	if grace := config.GetMaxGracePeriod(); grace != nil {
		policy = &mesosv1.KillPolicy{GracePeriod: grace}
	}
	for _, f := range slices.Clone(c.frameworks) {
		for _, l := range slices.Clone(f.pending) {
			if slices.Contains(f.pending, l) {
				c.killPending(f, l)
			}
		}
		for _, r := range slices.Clone(f.runs) {
			for _, t := range r.tasks() {
				c.kill(f, t.GetTaskId(), shorter(t.GetKillPolicy(), policy))
			}
		}
	}
}

// shorter is the policy that gives the task less time.
func shorter(own, most *mesosv1.KillPolicy) *mesosv1.KillPolicy {
	if own.GetGracePeriod() != nil && own.GetGracePeriod().GetNanoseconds() < most.GetGracePeriod().GetNanoseconds() {
		return own
	}
	return most
}

// draining changes what executors say of tasks that end because the agent drains.
func (c *Core) draining(f *framework, s *mesosv1.TaskStatus) {
	state := s.GetState()
	if c.drain == nil || state != mesosv1.TaskState_TASK_KILLING && state != mesosv1.TaskState_TASK_KILLED {
		return
	}
	s.Reason = mesosv1.TaskStatus_REASON_AGENT_DRAINING.Enum()
	if state == mesosv1.TaskState_TASK_KILLED && c.drain.GetMarkGone() && partitionAware(f.info) {
		s.State = mesosv1.TaskState_TASK_GONE_BY_OPERATOR.Enum()
	}
}
