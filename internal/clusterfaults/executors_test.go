package clusterfaults_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/v1client"
)

// floodVariable makes the test's own binary an executor that sends so many updates
// without waiting for anybody.
const floodVariable = "CLUSTERFAULTS_FLOOD"

// flood is that executor.
func flood(many int) error {
	f := &mesosv1.FrameworkID{Value: proto.String(os.Getenv("MESOS_FRAMEWORK_ID"))}
	e := &mesosv1.ExecutorID{Value: proto.String(os.Getenv("MESOS_EXECUTOR_ID"))}
	client, err := v1client.NewExecutor(v1client.ExecutorConfig{
		Config:      v1client.Config{Endpoint: "http://" + os.Getenv("MESOS_AGENT_ENDPOINT") + executorPath},
		FrameworkID: f, ExecutorID: e,
		Owed: func() *executor.Call_Subscribe { return &executor.Call_Subscribe{} },
	})
	if err != nil {
		return err
	}
	ctx := context.Background()
	return client.Run(ctx, func(event *executor.Event) error {
		if event.GetType() != executor.Event_LAUNCH {
			return nil
		}
		for i := range many {
			state := mesosv1.TaskState_TASK_RUNNING
			if i == many-1 {
				state = mesosv1.TaskState_TASK_FINISHED
			}
			err = errors.Join(err, client.Call(ctx, &executor.Call{Type: executor.Call_UPDATE.Enum(), Update: &executor.Call_Update{Status: &mesosv1.TaskStatus{
				TaskId: event.GetLaunch().GetTask().GetTaskId(), ExecutorId: e, State: state.Enum(),
				Source: mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(), Message: proto.String(strconv.Itoa(i)),
				Uuid: binary.BigEndian.AppendUint64(make([]byte, 8), uint64(i)), Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9),
			}}}))
		}
		return err
	})
}

// custom makes a task one for an executor of its own.
func custom(info *mesosv1.TaskInfo, command string, variables ...string) *mesosv1.TaskInfo {
	c := &mesosv1.CommandInfo{Value: proto.String(command), Environment: &mesosv1.Environment{}}
	for i := 0; i < len(variables); i += 2 {
		c.Environment.Variables = append(c.Environment.Variables,
			&mesosv1.Environment_Variable{Name: proto.String(variables[i]), Value: proto.String(variables[i+1])})
	}
	info.Command = nil
	info.Executor = &mesosv1.ExecutorInfo{
		Type: mesosv1.ExecutorInfo_CUSTOM.Enum(), ExecutorId: &mesosv1.ExecutorID{Value: proto.String("of-" + info.GetTaskId().GetValue())}, Command: c,
	}
	return info
}

// ends waits for the end of a task.
func (f *framework) ends(t *testing.T, id string) *mesosv1.TaskStatus {
	t.Helper()
	eventually(t, func() string {
		if f.end(id) == nil {
			return id + " ends; the scheduler was told " + f.told(id)
		}
		return ""
	})
	return f.end(id)
}

// nobodyLeft waits until no task has a process, and the books say so.
func nobodyLeft(t *testing.T, c *cluster.Cluster, dir string) {
	t.Helper()
	eventually(t, func() string {
		if left := containers(t, c, dir); len(left) > 0 {
			return fmt.Sprintf("no process is left: %v", left)
		}
		return unsettled(t, c)
	})
}

func TestExecutors(t *testing.T) {
	t.Parallel()
	c, dir := up(t, nil, []string{"--executor_registration_timeout=500ms", "--executor_shutdown_grace_period=300ms"})
	f := join(t, c)
	nothing := func(point, string) {}
	for _, e := range []struct {
		name   string
		task   *mesosv1.TaskInfo
		state  mesosv1.TaskState
		reason mesosv1.TaskStatus_Reason
	}{
		{"that never registers is ended", custom(shell("mute", ""), "trap '' TERM; sleep 1000 & sleep 1000"),
			mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_REGISTRATION_TIMEOUT},
		{"that ends at once fails its task", custom(shell("hasty", ""), "exit 3"),
			mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED},
		{"that cannot be run fails its task", custom(shell("absent", ""), "/nonexistent/executor"),
			mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED},
		{"that is killed by its own task fails it", shell("parricide", "kill -9 $PPID; sleep 1000"),
			mesosv1.TaskState_TASK_FAILED, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED},
		{"whose task leaves children leaves none", shell("children", "sleep 1000 & (sleep 1000 &) ; (trap '' TERM HUP; sleep 1000) & exit 0"),
			mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED},
		{"whose task leaves a session of its own leaves none", shell("session", "setsid sleep 1000 & sleep 0.1; exit 0"),
			mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskStatus_REASON_COMMAND_EXECUTOR_FAILED},
	} {
		t.Run(e.name, func(t *testing.T) {
			f.launch(e.task, nothing)
			end := f.ends(t, e.task.GetTaskId().GetValue())
			assert.Equal(t, e.state, end.GetState(), end.GetMessage())
			assert.Equal(t, e.reason, end.GetReason(), end.GetMessage())
			nobodyLeft(t, c, dir)
			assert.Empty(t, f.wrongs())
		})
	}
	t.Run("that floods the agent with updates has them all told, in order, and others go on", func(t *testing.T) {
		self, err := os.Executable()
		require.NoError(t, err)
		const many = 500
		other := join(t, c)
		f.mu.Lock()
		f.floods = true
		f.mu.Unlock()
		f.launch(custom(shell("flood", ""), self, floodVariable, strconv.Itoa(many)), nothing)
		other.launch(shell("calm", "exit 0"), nothing)
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, other.ends(t, "calm").GetState())
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, f.ends(t, "flood").GetState())
		f.mu.Lock()
		defer f.mu.Unlock()
		var said []string
		for _, u := range f.tasks["flood"].updates {
			said = append(said, u.status.GetMessage())
		}
		require.Len(t, said, many)
		for i, text := range said {
			assert.Equal(t, strconv.Itoa(i), text)
		}
	})
}
