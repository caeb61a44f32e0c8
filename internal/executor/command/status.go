package command

import (
	"context"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

// report sends a status of the task. It says of health and checks what the last one said, unless more changes that.
func (e *runner) report(state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) []byte {
	status := &mesosv1.TaskStatus{TaskId: e.task.GetTaskId(), State: state.Enum()}
	if e.last != nil {
		status.Healthy, status.CheckStatus = e.last.Healthy, e.last.CheckStatus
	} else if check := e.task.GetCheck(); check != nil {
		status.CheckStatus = checks.Empty(check)
	}
	if more != nil {
		more(status)
	}
	e.last = status
	return e.session.Update(status)
}

// repeat sends the last status again, changed in one respect.
func (e *runner) repeat(reason mesosv1.TaskStatus_Reason, change func(*mesosv1.TaskStatus)) {
	status := proto.CloneOf(e.last)
	status.Reason, status.Message = reason.Enum(), nil
	change(status)
	e.last = status
	e.session.Update(status)
}

// reportEnd sends the last status there is and gives the agent a time to acknowledge it.
func (e *runner) reportEnd(state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) {
	e.terminal = e.report(state, more)
	e.deadline = e.after(patience, func() { e.finish(errUnacknowledged) })
}

// startChecks begins the task's check and health check; the function it returns ends them.
func (e *runner) startChecks(environ []string) context.CancelFunc {
	probes := checks.Probes{Command: func(info *mesosv1.CommandInfo) checks.Probe { return commandProbe(info, environ, e.options.Err) }}
	set, err := checks.New(e.task, probes, checks.Reports{
		Check:  func(status *mesosv1.CheckStatusInfo) { e.post(func() { e.checked(status) }) },
		Health: func(health checks.Health) { e.post(func() { e.health(health) }) },
	})
	if err != nil {
		e.warn("%v", err)
	}
	ctx, cancel := context.WithCancel(e.ctx)
	go set.Run(ctx)
	return cancel
}

func (e *runner) checked(status *mesosv1.CheckStatusInfo) {
	if e.terminal != nil || e.killed {
		return
	}
	e.repeat(mesosv1.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED, func(s *mesosv1.TaskStatus) { s.CheckStatus = status })
}

func (e *runner) health(health checks.Health) {
	if e.terminal != nil || e.killed {
		return
	}
	if health.Err != nil {
		e.warn("health check failed, %d in a row: %v", health.Failures, health.Err)
	}
	e.repeat(mesosv1.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED, func(s *mesosv1.TaskStatus) { s.Healthy = new(health.Healthy) })
	if health.Kill {
		e.unhealthy = true
		e.kill(e.taskGrace(), true)
	}
}
