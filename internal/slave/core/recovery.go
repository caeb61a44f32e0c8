package core

import (
	"slices"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/internal/slave/paths"
	"github.com/mesos-modules/mms/internal/slave/updates"
	"github.com/mesos-modules/mms/internal/wire"
)

// recover takes up what an agent before this one has left, and waits for its
// executors to come back.
func (c *Core) recover(e Recovered) {
	if c.phase != recovering {
		return
	}
	if e.Err != nil {
		c.counts.recoveryErrors++
		c.exit(true, "recovery failed: %v", e.Err)
		return
	}
	c.phase, c.adopting = reconnecting, true
	if s := e.State; s != nil {
		c.counts.recoveryErrors += float64(s.Errors)
		if !c.adopt(s) {
			return
		}
	}
	c.adopting = false
	c.recoveryStep()
	if c.phase != reconnecting {
		return
	}
	c.log(Info, "waits up to %s for executors to come back", stout.FormatDuration(c.cfg.ExecutorReregistration))
	c.after(c.cfg.ExecutorReregistration, c.endReconnecting)
}

// adopt rebuilds the books from what is written down.
func (c *Core) adopt(s *State) bool {
	for _, path := range s.Garbage {
		c.emit(Collect{Path: path, Old: true})
	}
	if s.Agent == nil {
		return true
	}
	if err := c.compatible(s.Agent); err != nil {
		if s.Rebooted && len(s.Frameworks) == 0 {
			c.log(Warning, "begins anew with another id: %v", err)
			return true
		}
		if s.Rebooted {
			c.log(Warning, "the host was rebooted and the agent changed: begins anew with another id: %v", err)
			c.emit(Collect{Path: paths.Slave(c.cfg.WorkDir, s.Agent.GetId().GetValue()), Old: true},
				Collect{Path: paths.Slave(paths.Meta(c.cfg.WorkDir), s.Agent.GetId().GetValue()), Old: true})
			return true
		}
		c.exit(true, "this agent is not what it was: %v; give it back what it had, allow more with --reconfiguration_policy=additive, "+
			"or remove %s to begin anew with another id, which ends all tasks", err, paths.Slave(paths.Meta(c.cfg.WorkDir), paths.Latest))
		return false
	}
	c.info = withID(c.cfg.Info, s.Agent.GetId())
	c.saved = true
	for _, f := range s.Frameworks {
		c.adoptFramework(f, s.Rebooted)
	}
	for _, f := range slices.Clone(c.frameworks) {
		c.dismiss(f)
	}
	return true
}

func (c *Core) adoptFramework(s *FrameworkState, rebooted bool) {
	f := c.addFramework(s.Info)
	f.saved = s.Info
	var lost []*run
	for _, e := range s.Executors {
		r := c.adoptExecutor(f, e)
		switch {
		case e.Completed:
			r.state = ended
			f.done = append(f.done, r)
			c.emit(Attach{Framework: f.info, Executor: r.info, Container: r.container, Directory: r.directory})
			c.collect(r, true)
			continue
		case e.Alive && !rebooted:
			c.containers[r.container.GetValue()] = r
			c.emit(Attach{Framework: f.info, Executor: r.info, Container: r.container, Directory: r.directory},
				WatchContainer{Container: r.container})
		default:
			lost = append(lost, r)
		}
		f.runs = append(f.runs, r)
		f.byID[r.id] = r
	}
	for _, r := range lost {
		c.end(r, nil)
	}
	if c.cfg.Cleanup {
		f.terminating = true
		for _, r := range slices.Clone(f.runs) {
			r.state = max(r.state, stopping)
			c.destroy(r)
			if r.state == ended {
				c.forgetTasks(r)
				c.remove(r)
			}
		}
	}
}

func (c *Core) adoptExecutor(f *framework, s *ExecutorState) *run {
	r := &run{
		framework: f, id: s.Info.GetExecutorId().GetValue(), info: s.Info, container: s.Container, recovered: true, begun: true,
	}
	r.directory = paths.Run(c.cfg.WorkDir, c.agentID().GetValue(), f.id, r.id, r.container.GetValue())
	r.command = isCommandExecutor(s)
	for _, t := range s.Tasks {
		r.spoken = r.spoken || toldOf(t)
		c.adoptTask(r, t, s.Completed)
	}
	return r
}

// toldOf reports whether the executor has said anything of a task: then it was sent
// the task. One that was written down may never have got there.
func toldOf(t *TaskState) bool {
	return slices.ContainsFunc(t.Records, func(r *wire.StatusUpdateRecord) bool {
		return r.GetUpdate().GetStatus().GetSource() == mesosv1.TaskStatus_SOURCE_EXECUTOR && r.GetUpdate() != nil
	})
}

// isCommandExecutor recognises an executor that the agent made: its tasks know no
// executor, or one that has the task's name.
func isCommandExecutor(s *ExecutorState) bool {
	return len(s.Tasks) == 1 && s.Tasks[0].Task.GetExecutorId() == nil &&
		s.Tasks[0].Task.GetTaskId().GetValue() == s.Info.GetExecutorId().GetValue()
}

// adoptTask replays the updates of a task.
func (c *Core) adoptTask(r *run, s *TaskState, over bool) {
	t := s.Task
	acknowledged := false
	pending := map[string]mesosv1.TaskState{}
	for _, record := range s.Records {
		switch record.GetType() {
		case wire.StatusUpdateRecord_UPDATE:
			u := record.GetUpdate()
			if updates.Terminal(t.GetState()) {
				continue
			}
			t = withNewStatus(t, u.GetStatus())
			t.StatusUpdateState, t.StatusUpdateUuid = u.GetStatus().GetState().Enum(), u.GetUuid()
			pending[string(u.GetUuid())] = u.GetStatus().GetState()
		case wire.StatusUpdateRecord_ACK:
			if state, ok := pending[string(record.GetUuid())]; ok && updates.Terminal(state) {
				acknowledged = true
			}
		}
	}
	if over || acknowledged {
		r.remember(t)
		return
	}
	if updates.Terminal(t.GetState()) {
		r.terminal = append(r.terminal, t)
	} else {
		r.live = append(r.live, t)
	}
	if err := c.updates.Recover(updates.Task{Framework: r.framework.id, Task: t.GetTaskId().GetValue()}, s.Records); err != nil {
		c.counts.recoveryErrors++
		c.log(Error, "what is written down of the updates of a task makes no sense, and is used as far as it does: %v", err)
	}
}

// endReconnecting gives up executors that have not come back.
func (c *Core) endReconnecting() {
	if c.phase != reconnecting {
		return
	}
	for _, f := range slices.Clone(c.frameworks) {
		for _, r := range slices.Clone(f.runs) {
			if !r.recovered || r.state != registering {
				continue
			}
			limit := stout.FormatDuration(c.cfg.ExecutorReregistration)
			c.log(Warning, "executor %s of framework %s did not come back within %s; ends it", r.id, f.id, limit)
			c.note(r, cause{goneState(f.info), mesosv1.TaskStatus_REASON_EXECUTOR_REREGISTRATION_TIMEOUT,
				"Executor did not reregister within " + limit})
			r.state = stopping
			c.destroy(r)
		}
	}
	c.finishRecovery()
}

// recoveryStep ends the waiting when there is nobody left to wait for: all executors
// have come back or ended, or, where all is cleaned up, ended.
func (c *Core) recoveryStep() {
	if c.phase != reconnecting || c.adopting {
		return
	}
	for _, f := range c.frameworks {
		for _, r := range f.runs {
			if r.state == registering || r.state != ended && c.cfg.Cleanup {
				return
			}
		}
	}
	c.finishRecovery()
}

func (c *Core) finishRecovery() {
	if c.phase != reconnecting {
		return
	}
	c.recovered = c.now
	if c.cfg.Cleanup {
		c.phase = terminating
		c.log(Info, "recovery is done; cleans up")
		c.endIfEmpty()
		return
	}
	c.phase = disconnected
	c.log(Info, "recovery is done")
	if c.registered.known {
		c.enroll()
	}
}
