package standard

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/executor"
	"github.com/mesos-modules/mms/internal/executor/checks"
	"github.com/mesos-modules/mms/internal/v1client"
)

// answerText is what an agent said that refused, or else the error.
func answerText(err error) string {
	var status *v1client.StatusError
	if errors.As(err, &status) && status.Text != "" {
		return status.Text
	}
	return err.Error()
}

// waited is told how a container has ended. A result of nil is a container that nobody knows.
func (e *runner) waited(t *task, result *agentv1.Response_WaitContainer, err error) {
	state := mesosv1.TaskState_TASK_FAILED
	if t.killing && !t.expired {
		state = mesosv1.TaskState_TASK_KILLED
	}
	switch {
	case err != nil:
		e.ended(t, state, func(s *mesosv1.TaskStatus) {
			s.Message = proto.String("Unable to retrieve wait status: " + answerText(err))
		})
		return
	case result == nil:
		e.ended(t, state, func(s *mesosv1.TaskStatus) {
			s.Message = proto.String("Unable to retrieve wait status: the container is not known")
		})
		return
	}
	status := syscall.WaitStatus(result.GetExitStatus())
	if !t.killing && result.ExitStatus != nil && status.Exited() && status.ExitStatus() == 0 {
		state = mesosv1.TaskState_TASK_FINISHED
	}
	if result.State != nil && !t.expired {
		state = result.GetState()
	}
	e.ended(t, state, func(s *mesosv1.TaskStatus) { t.describe(s, result) })
}

// describe says in a status how the container has ended; what the agent says of it goes first.
func (t *task) describe(s *mesosv1.TaskStatus, result *agentv1.Response_WaitContainer) {
	s.Reason, s.Message, s.Limitation = result.Reason, result.Message, result.Limitation
	if s.Message == nil && result.ExitStatus != nil {
		s.Message = proto.String(executor.Ending(syscall.WaitStatus(result.GetExitStatus())))
	}
	if t.expired {
		s.Reason = mesosv1.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED.Enum()
	}
	if t.unhealthy {
		s.Healthy = proto.Bool(false)
	}
}

// ended sends a task's last status and takes the task out of the books. If it failed or was killed, the rest of its
// group is killed.
func (e *runner) ended(t *task, state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) {
	t.stop()
	t.reports.Report(state, more)
	t.group.tasks = slices.DeleteFunc(t.group.tasks, func(o *task) bool { return o == t })
	if len(t.group.tasks) == 0 {
		e.groups = slices.DeleteFunc(e.groups, func(g *group) bool { return g == t.group })
	}
	if state != mesosv1.TaskState_TASK_FINISHED {
		for _, other := range t.group.tasks {
			e.kill(other, other.grace())
		}
	}
	e.settle()
}

// newChecks begins the task's check and health check.
func (e *runner) newChecks(t *task) {
	set, err := checks.New(t.info, checks.Probes{Command: func(info *mesosv1.CommandInfo) checks.Probe { return e.commandProbe(t, info) }},
		checks.Reports{
			Check: func(found *mesosv1.CheckStatusInfo) {
				e.post(func() {
					if !t.killing && e.find(t.info.GetTaskId()) == t {
						t.reports.Checked(found)
					}
				})
			},
			Health: func(health checks.Health) { e.post(func() { e.health(t, health) }) },
		})
	if err != nil {
		e.warn("task %s: %v", t.info.GetTaskId().GetValue(), err)
	}
	t.checks = set
	e.resumeChecks(t)
}

// resumeChecks has the checks go on, unless they do, or there is no reason to.
func (e *runner) resumeChecks(t *task) {
	if t.checks == nil || t.pause != nil || t.killing || !e.connected {
		return
	}
	ctx, cancel := context.WithCancel(e.ctx)
	t.pause = cancel
	go t.checks.Run(ctx)
}

func (e *runner) health(t *task, health checks.Health) {
	if t.killing || e.find(t.info.GetTaskId()) != t {
		return
	}
	if health.Err != nil {
		e.warn("health check of task %s failed, %d in a row: %v", t.info.GetTaskId().GetValue(), health.Failures, health.Err)
	}
	t.reports.Health(health.Healthy)
	if health.Kill {
		t.unhealthy = true
		e.kill(t, t.grace())
	}
}

// commandProbe runs a command beside the task, in a container below the task's, with the task's environment.
func (e *runner) commandProbe(t *task, info *mesosv1.CommandInfo) checks.Probe {
	command := proto.CloneOf(info)
	command.Environment = &mesosv1.Environment{Variables: slices.Concat(
		t.info.GetCommand().GetEnvironment().GetVariables(), info.GetEnvironment().GetVariables())}
	return func(ctx context.Context) (int, error) {
		id := &mesosv1.ContainerID{Value: proto.String("check-" + newID()), Parent: t.container}
		status, err := e.agent.run(ctx, id, command)
		switch {
		case err != nil:
			return 0, err
		case status.Exited():
			return status.ExitStatus(), nil
		default:
			return 0, fmt.Errorf("%s", executor.Ending(status))
		}
	}
}
