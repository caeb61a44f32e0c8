package executor

import (
	"context"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEveryUpdateIsToldOnce(t *testing.T) {
	agent := agenttest.New(t)
	env, err := Read(agent.Environ("MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=1mins"))
	require.NoError(t, err)
	var warnings []string
	s, err := NewSession(env, func(format string, _ ...any) { warnings = append(warnings, format) })
	require.NoError(t, err)
	away := make(chan struct{}, 1)
	s.Disconnected = func() { away <- struct{}{} }
	acknowledged := make(chan struct{}, 10)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		done <- s.Run(ctx, func(event *executorv1.Event) error {
			if event.GetType() == executorv1.Event_ACKNOWLEDGED {
				acknowledged <- struct{}{}
			}
			return nil
		})
	}()
	t.Cleanup(func() {
		cancel()
		require.ErrorIs(t, <-done, context.Canceled)
	})
	task := &mesosv1.TaskID{Value: new("task-1")}
	update := func(state mesosv1.TaskState) { s.Update(&mesosv1.TaskStatus{TaskId: task, State: state.Enum()}) }

	update(mesosv1.TaskState_TASK_STARTING) // before there is an agent
	agent.Silent(true)
	first := agent.Subscribe()
	if len(first.GetUnacknowledgedUpdates()) == 0 { // or it was sent behind the subscription
		agent.States(mesosv1.TaskState_TASK_STARTING)
	}
	update(mesosv1.TaskState_TASK_RUNNING)
	agent.States(mesosv1.TaskState_TASK_RUNNING)
	agent.Deny(http.StatusServiceUnavailable)
	agent.Disconnect()
	<-away
	update(mesosv1.TaskState_TASK_KILLING)
	s.Launched(&mesosv1.TaskInfo{TaskId: task, Name: new("n"), AgentId: &mesosv1.AgentID{Value: new("a")}})
	agent.Deny(0)
	again := agent.Subscribe()
	assert.Len(t, again.GetUnacknowledgedTasks(), 1)
	require.Len(t, again.GetUnacknowledgedUpdates(), 3)
	update(mesosv1.TaskState_TASK_KILLED)
	agent.States(mesosv1.TaskState_TASK_KILLED) // and none that the subscription carried
	assert.Equal(t, 4, s.Owing())
	agent.Silent(false)
	for _, u := range again.GetUnacknowledgedUpdates() {
		agent.Acknowledge(u.GetStatus())
	}
	for range 5 {
		<-acknowledged
	}
	assert.Zero(t, s.Owing())

	agent.Answer(executorv1.Call_UPDATE, http.StatusBadRequest)
	update(mesosv1.TaskState_TASK_FAILED) // refused: it is said, and those after it go on
	update(mesosv1.TaskState_TASK_FINISHED)
	agent.States(mesosv1.TaskState_TASK_FINISHED)
	assert.Equal(t, []string{"the agent refused %v of task %s: %v"}, warnings)
}
