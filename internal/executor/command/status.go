package command

import (
	"context"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

// reportEnd sends the last status there is and gives the agent a time to acknowledge it.
func (e *runner) reportEnd(state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) {
	e.terminal = e.reports.Report(state, more)
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
	e.reports.Checked(status)
}

func (e *runner) health(health checks.Health) {
	if e.terminal != nil || e.killed {
		return
	}
	if health.Err != nil {
		e.warn("health check failed, %d in a row: %v", health.Failures, health.Err)
	}
	e.reports.Health(health.Healthy)
	if health.Kill {
		e.unhealthy = true
		e.kill(e.taskGrace(), true)
	}
}
