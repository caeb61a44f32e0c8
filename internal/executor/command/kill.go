package command

import (
	"maps"
	"slices"
	"syscall"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
)

func (e *runner) killTask(kill *executorv1.Event_Kill) {
	if e.task == nil || kill.GetTaskId().GetValue() != e.task.GetTaskId().GetValue() {
		e.warn("asked to kill task %q, which is not here", kill.GetTaskId().GetValue())
		return
	}
	grace := e.taskGrace()
	if period := kill.GetKillPolicy().GetGracePeriod(); period != nil {
		grace = time.Duration(period.GetNanoseconds())
	}
	e.kill(grace, true)
}

// taskGrace is what the task's own kill policy grants.
func (e *runner) taskGrace() time.Duration {
	if period := e.task.GetKillPolicy().GetGracePeriod(); period != nil {
		return time.Duration(period.GetNanoseconds())
	}
	return defaultGrace
}

// shutdown ends the task, if there is one, in time to tell the agent before it loses patience.
func (e *runner) shutdown() {
	if e.task == nil {
		e.finish(nil)
		return
	}
	e.kill(max(0, e.env.Grace-margin), true)
}

// expire is called when the task has had its max_completion_time.
func (e *runner) expire() {
	if e.terminal != nil || e.killed {
		return
	}
	e.expired = true
	e.kill(0, false)
}

// kill sends SIGTERM, and SIGKILL after the grace period. Of a later kill only a shorter grace period counts, measured
// from the first.
func (e *runner) kill(grace time.Duration, announce bool) {
	if e.process == nil || e.terminal != nil {
		return
	}
	if e.killed {
		if grace < e.grace {
			e.grace = grace
			e.escalation.Reset(max(0, time.Until(e.killedAt.Add(grace))))
		}
		return
	}
	e.killed, e.killedAt, e.grace = true, time.Now(), max(0, grace)
	e.checks()
	if announce && e.killingState {
		e.reports.Report(mesosv1.TaskState_TASK_KILLING, func(s *mesosv1.TaskStatus) {
			if e.unhealthy {
				s.Healthy = new(false)
			}
		})
	}
	e.signal(syscall.SIGTERM)
	e.escalation = e.after(e.grace, func() { e.signal(syscall.SIGKILL) })
}

func (e *runner) signal(signal syscall.Signal) {
	select {
	case <-e.process.ended: // its pid may be another's by now
	default:
		e.signalled = append(e.signalled, signalTree(e.process.pid, signal)...)
	}
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
