package standard

import (
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/v1client"
)

func TestAGroupRunsToItsEnd(t *testing.T) {
	s := begin(t, nil)
	s.Subscribe()
	s.launch(simple("a"), simple("b"))
	statuses := s.States(starting, starting, running, running)
	containers := map[string]*mesosv1.ContainerID{}
	for i, id := range []string{"a", "b", "a", "b"} {
		assert.Equal(t, id, statuses[i].GetTaskId().GetValue())
		assert.Equal(t, "task-1", statuses[i].GetExecutorId().GetValue())
		container := statuses[i].GetContainerStatus().GetContainerId()
		assert.Equal(t, "container-1", container.GetParent().GetValue())
		assert.Len(t, container.GetValue(), 36)
		containers[id] = container
	}
	assert.NotEqual(t, containers["a"].GetValue(), containers["b"].GetValue())
	target, err := os.Readlink(filepath.Join(s.sandbox, "tasks", "a"))
	require.NoError(t, err)
	assert.Equal(t, "../containers/"+containers["a"].GetValue(), target)

	s.exit(containers["a"], 0)
	last := s.States(finished)[0]
	assert.Equal(t, "Command exited with status 0", last.GetMessage())
	assert.Equal(t, containers["a"].GetValue(), last.GetContainerStatus().GetContainerId().GetValue())
	s.exit(containers["b"], 0) // one that finishes takes nobody along
	s.States(finished)
	require.NoError(t, s.over())
	assert.Empty(t, s.diagnostics.String())
}

func TestWhatTheAgentIsAsked(t *testing.T) {
	s := begin(t, nil)
	s.Subscribe()
	a := simple("a")
	a.Command.Environment = &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("MINE"), Value: proto.String("1")}}}
	a.Limits = map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(2)}}
	a.Resources = []*mesosv1.Resource{{
		Name: proto.String("disk"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(1)},
		AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: proto.String("analytics")},
		Disk:           &mesosv1.Resource_DiskInfo{Volume: &mesosv1.Volume{Mode: mesosv1.Volume_RW.Enum(), ContainerPath: proto.String("data")}},
	}}
	s.launch(a)
	call := s.call(agentv1.Call_LAUNCH_CONTAINER).GetLaunchContainer()
	var names []string
	for _, v := range call.GetCommand().GetEnvironment().GetVariables() {
		names = append(names, v.GetName()+"="+v.GetValue())
	}
	assert.Equal(t, []string{"MESOS_CONTAINER_IP=127.0.0.1", "MESOS_ALLOCATION_ROLE=analytics", "MINE=1"}, names)
	assert.Len(t, call.GetResources(), 1)
	assert.Len(t, call.GetLimits(), 1)
	require.Len(t, call.GetContainer().GetVolumes(), 1)
	volume := call.GetContainer().GetVolumes()[0]
	assert.Equal(t, "data", volume.GetContainerPath())
	assert.Equal(t, mesosv1.Volume_Source_SandboxPath_PARENT, volume.GetSource().GetSandboxPath().GetType())
	s.States(starting, running)
	s.exit(call.GetContainerId(), 0)
	s.States(finished)
	require.NoError(t, s.over())
}

func TestHowATaskEnds(t *testing.T) {
	signaled := int32(syscall.SIGSEGV)
	for _, c := range []struct {
		name    string
		result  *agentv1.Response_WaitContainer
		state   mesosv1.TaskState
		message string
	}{
		{"with a status", &agentv1.Response_WaitContainer{ExitStatus: proto.Int32(7 << 8)}, failed, "Command exited with status 7"},
		{"by a signal", &agentv1.Response_WaitContainer{ExitStatus: &signaled}, failed, "Command terminated with signal Segmentation fault"},
		{"as the agent says", &agentv1.Response_WaitContainer{ExitStatus: proto.Int32(0), State: failed.Enum(),
			Reason: mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION_MEMORY.Enum(), Message: proto.String("too much")}, failed, "too much"},
		{"nobody knows how", &agentv1.Response_WaitContainer{}, failed, ""},
		{"nobody knows it", nil, failed, "Unable to retrieve wait status: the container is not known"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := begin(t, nil)
			s.Subscribe()
			containers := s.started(simple("a"), simple("b"))
			s.end(containers["a"], c.result)
			last := s.States(c.state)[0]
			assert.Equal(t, c.message, last.GetMessage())
			assert.Equal(t, c.result.GetReason(), last.GetReason())
			// and takes the other one of its group along
			kill := s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer()
			assert.Equal(t, containers["b"].GetValue(), kill.GetContainerId().GetValue())
			assert.EqualValues(t, syscall.SIGTERM, kill.GetSignal())
			s.exit(containers["b"], int32(syscall.SIGTERM))
			assert.Equal(t, "Command terminated with signal Terminated", s.States(killed)[0].GetMessage())
			require.NoError(t, s.over())
		})
	}
}

func TestAContainerThatIsRefused(t *testing.T) {
	s := begin(t, nil)
	s.Subscribe()
	s.refuse["b"] = "no such image"
	s.launch(simple("a"), simple("b"))
	statuses := s.States(starting, starting, running, failed)
	assert.Equal(t, "b", statuses[3].GetTaskId().GetValue())
	assert.Equal(t, "no such image", statuses[3].GetMessage())
	kill := s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer()
	s.exit(kill.GetContainerId(), int32(syscall.SIGTERM))
	s.States(killed)
	require.NoError(t, s.over())
}

func TestSeveralGroups(t *testing.T) {
	s := begin(t, nil)
	s.Subscribe()
	one := s.started(simple("a"))
	two := s.started(simple("b"))
	s.exit(one["a"], 1<<8)
	s.States(failed) // nobody else is of its group
	s.exit(two["b"], 0)
	s.States(finished)
	require.NoError(t, s.over())
}

func TestKill(t *testing.T) {
	states := []mesosv1.FrameworkInfo_Capability_Type{mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE}
	t.Run("SIGTERM, then SIGKILL; a second kill changes nothing", func(t *testing.T) {
		s := begin(t, states)
		s.Subscribe()
		containers := s.started(simple("a"))
		s.kill("a", policy(10*time.Millisecond))
		s.kill("a", policy(time.Hour))
		s.States(killing)
		assert.EqualValues(t, syscall.SIGTERM, s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer().GetSignal())
		assert.EqualValues(t, syscall.SIGKILL, s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer().GetSignal())
		s.exit(containers["a"], int32(syscall.SIGKILL))
		assert.Equal(t, "Command terminated with signal Killed", s.States(killed)[0].GetMessage())
		require.NoError(t, s.over())
	})
	t.Run("a killed task is KILLED whatever its status, also if nobody knows its container", func(t *testing.T) {
		s := begin(t, nil)
		s.Subscribe()
		containers := s.started(simple("a"), simple("b"))
		s.kill("a", nil)
		s.call(agentv1.Call_KILL_CONTAINER)
		s.exit(containers["a"], 0)
		s.States(killed)
		s.call(agentv1.Call_KILL_CONTAINER)
		s.forget(containers["b"])
		s.States(killed)
		require.NoError(t, s.over())
	})
	t.Run("a task that is not here", func(t *testing.T) {
		s := begin(t, nil)
		s.Subscribe()
		containers := s.started(simple("a"))
		s.kill("b", nil)
		s.exit(containers["a"], 0)
		s.States(finished)
		require.NoError(t, s.over())
		assert.Contains(t, s.diagnostics.String(), `asked to kill task "b", which is not here`)
	})
	t.Run("when its time is over", func(t *testing.T) {
		s := begin(t, states)
		s.Subscribe()
		a := simple("a")
		a.MaxCompletionTime = &mesosv1.DurationInfo{Nanoseconds: proto.Int64(int64(10 * time.Millisecond))}
		containers := s.started(a)
		s.call(agentv1.Call_KILL_CONTAINER)
		s.exit(containers["a"], int32(syscall.SIGTERM))
		assert.Equal(t, mesosv1.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED, s.States(failed)[0].GetReason())
		require.NoError(t, s.over())
	})
}

func TestShutdown(t *testing.T) {
	shutdown := &executor.Event{Type: executor.Event_SHUTDOWN.Enum()}
	t.Run("without tasks it ends at once", func(t *testing.T) {
		s := begin(t, nil)
		s.Subscribe()
		s.Send(shutdown)
		require.NoError(t, s.over())
	})
	t.Run("all tasks are killed, and no others launched", func(t *testing.T) {
		s := begin(t, nil)
		s.Subscribe()
		containers := s.started(simple("a"), simple("b"))
		s.Send(shutdown)
		s.launch(simple("c"))
		for range 2 {
			kill := s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer()
			s.exit(kill.GetContainerId(), int32(syscall.SIGTERM))
		}
		s.States(killed, killed)
		require.NoError(t, s.over())
		assert.Len(t, containers, 2)
		assert.Contains(t, s.diagnostics.String(), "shutting down, so a task group is not launched")
	})
	t.Run("a single task is not for this executor", func(t *testing.T) {
		s := begin(t, nil)
		s.Subscribe()
		s.Send(&executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: simple("a")}})
		require.NoError(t, s.over())
		assert.Contains(t, s.diagnostics.String(), "this executor runs task groups")
	})
}

func TestTheAgentRestarts(t *testing.T) {
	s := begin(t, nil, "MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=1mins")
	s.Subscribe()
	s.Silent(true)
	containers := s.started(simple("a"))
	s.goDown(true)
	s.Answer(executor.Call_SUBSCRIBE, http.StatusServiceUnavailable)
	s.Disconnect()
	again := s.Subscribe()
	assert.Len(t, again.GetUnacknowledgedTasks(), 1)
	assert.Len(t, again.GetUnacknowledgedUpdates(), 2)
	s.goDown(false)
	s.Silent(false)
	s.exit(containers["a"], 0) // it waits for the container again
	s.States(finished)
	require.NoError(t, s.over())
}

func TestTheAgentIsGone(t *testing.T) {
	s := begin(t, nil)
	s.Subscribe()
	s.started(simple("a"))
	s.Disconnect()
	require.ErrorIs(t, s.over(), v1client.ErrAgentLost)
}

func TestChecks(t *testing.T) {
	t.Run("a command runs beside the task, in its environment", func(t *testing.T) {
		s := begin(t, nil)
		s.session = func(command *mesosv1.CommandInfo) (string, int32) { return "output", 3 << 8 }
		s.Subscribe()
		a := simple("a")
		a.Command.Environment = &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: proto.String("MINE"), Value: proto.String("1")}}}
		a.Check = &mesosv1.CheckInfo{Type: mesosv1.CheckInfo_COMMAND.Enum(), DelaySeconds: proto.Float64(0), IntervalSeconds: proto.Float64(0.001),
			Command: &mesosv1.CheckInfo_Command{Command: &mesosv1.CommandInfo{Value: proto.String("check")}}}
		s.launch(a)
		statuses := s.States(starting, running, running)
		assert.Equal(t, mesosv1.CheckInfo_COMMAND, statuses[0].GetCheckStatus().GetType())
		assert.Nil(t, statuses[1].GetCheckStatus().GetCommand().ExitCode)
		assert.EqualValues(t, 3, statuses[2].GetCheckStatus().GetCommand().GetExitCode())
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED, statuses[2].GetReason())
		session := s.call(agentv1.Call_LAUNCH_NESTED_CONTAINER_SESSION).GetLaunchNestedContainerSession()
		container := statuses[2].GetContainerStatus().GetContainerId()
		assert.Equal(t, container.GetValue(), session.GetContainerId().GetParent().GetValue())
		assert.Equal(t, "container-1", session.GetContainerId().GetParent().GetParent().GetValue())
		assert.Equal(t, "MINE", session.GetCommand().GetEnvironment().GetVariables()[0].GetName())
		removed := s.call(agentv1.Call_REMOVE_CONTAINER).GetRemoveContainer()
		assert.Equal(t, session.GetContainerId().GetValue(), removed.GetContainerId().GetValue())
		s.exit(container, 0)
		assert.EqualValues(t, 3, s.States(finished)[0].GetCheckStatus().GetCommand().GetExitCode())
		require.NoError(t, s.over())
	})
	t.Run("bad health kills", func(t *testing.T) {
		s := begin(t, nil)
		s.session = func(*mesosv1.CommandInfo) (string, int32) { return "", 1 << 8 }
		s.Subscribe()
		a := simple("a")
		a.HealthCheck = &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_COMMAND.Enum(), DelaySeconds: proto.Float64(0),
			IntervalSeconds: proto.Float64(0.001), GracePeriodSeconds: proto.Float64(0), ConsecutiveFailures: proto.Uint32(2),
			Command: &mesosv1.CommandInfo{Value: proto.String("check")}}
		s.launch(a)
		statuses := s.States(starting, running, running, running)
		assert.Nil(t, statuses[1].Healthy)
		assert.False(t, statuses[2].GetHealthy())
		assert.NotNil(t, statuses[2].Healthy)
		kill := s.call(agentv1.Call_KILL_CONTAINER).GetKillContainer()
		s.exit(kill.GetContainerId(), int32(syscall.SIGTERM))
		last := s.States(killed)[0]
		assert.NotNil(t, last.Healthy)
		assert.False(t, last.GetHealthy())
		require.NoError(t, s.over())
		assert.Contains(t, s.diagnostics.String(), "health check of task a failed, 2 in a row: exit status 1")
	})
}

func TestAnEnvironmentThatIsNone(t *testing.T) {
	require.ErrorContains(t, Run(t.Context(), Options{}), "no MESOS_FRAMEWORK_ID")
}
