package command

import (
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
	"github.com/mesos-modules/mms/internal/v1client"
)

func TestATaskRunsToItsEnd(t *testing.T) {
	for _, c := range []struct {
		name, command string
		state         mesosv1.TaskState
		message       string
	}{
		{"well", "echo out; echo err >&2", finished, "Command exited with status 0"},
		{"with a status", "echo out; echo err >&2; exit 3", failed, "Command exited with status 3"},
		{"by a signal", "echo out; echo err >&2; kill -9 $$", failed, "Command terminated with signal Killed"},
		{"by another signal", "echo out; echo err >&2; kill -TERM $$", failed, "Command terminated with signal Terminated"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := begin(t, agenttest.New(t))
			s.Subscribe()
			s.launch(shell(c.command))
			statuses := s.States(starting, running, c.state)
			require.NoError(t, s.end(), "%s", s.diagnostics)
			s.NoMoreUpdates()
			assert.Equal(t, "out\n", s.output("stdout"))
			assert.Equal(t, "err\n", s.output("stderr"))
			assert.Empty(t, s.diagnostics.String())

			seen := map[string]bool{}
			for _, status := range statuses {
				assert.Equal(t, "task-1", status.GetTaskId().GetValue())
				assert.Equal(t, "task-1", status.GetExecutorId().GetValue())
				assert.Equal(t, mesosv1.TaskStatus_SOURCE_EXECUTOR, status.GetSource())
				assert.Len(t, status.GetUuid(), 16)
				assert.WithinDuration(t, time.Now(), time.UnixMicro(int64(status.GetTimestamp()*1e6)), time.Minute)
				assert.Nil(t, status.Healthy)
				assert.Nil(t, status.CheckStatus)
				seen[string(status.GetUuid())] = true
			}
			assert.Len(t, seen, len(statuses), "every uuid is new")
			assert.Equal(t, c.message, statuses[2].GetMessage())
		})
	}
}

func TestTheCommandsEnvironment(t *testing.T) {
	s := begin(t, agenttest.New(t), "OWN=executor", "BOTH=executor", "MESOS_EXECUTOR_AUTHENTICATION_TOKEN=secret")
	s.Subscribe()
	task := shell(`echo "$OWN $BOTH $MINE $MESOS_ALLOCATION_ROLE [$MESOS_EXECUTOR_AUTHENTICATION_TOKEN$SECRET] $MESOS_TASK $PATH"`)
	task.Command.Environment = &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{
		{Name: new("BOTH"), Value: new("task")}, {Name: new("MINE"), Value: new("a b=c")},
		{Name: new("SECRET"), Type: mesosv1.Environment_Variable_SECRET.Enum()},
	}}
	task.Resources = []*mesosv1.Resource{{Name: new("cpus"), Type: mesosv1.Value_SCALAR.Enum(),
		AllocationInfo: &mesosv1.Resource_AllocationInfo{Role: new("analytics")}}}
	s.launch(task)
	s.States(starting, running, finished)
	require.NoError(t, s.end())
	assert.Equal(t, "executor task a b=c analytics []  /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n", s.output("stdout"))
	assert.Equal(t, "Bearer secret", s.Authorizations()[0])
}

func TestWithoutAShell(t *testing.T) {
	task := func(value string, arguments ...string) *mesosv1.TaskInfo {
		task := shell(value)
		task.Command.Shell, task.Command.Arguments = new(false), arguments
		return task
	}
	t.Run("arguments go as they are, the program's name with them", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.launch(task("printf", "printf", "%s|", "a b", "$HOME"))
		s.States(starting, running, finished)
		require.NoError(t, s.end())
		assert.Equal(t, "a b|$HOME|", s.output("stdout"))
	})
	t.Run("a program that is nowhere fails the task", func(t *testing.T) {
		s := begin(t, agenttest.New(t), "PATH=/nowhere")
		s.Subscribe()
		s.launch(task("printf"))
		statuses := s.States(starting, failed)
		require.NoError(t, s.end())
		assert.Equal(t, "Failed to printf: file does not exist in PATH=/nowhere", statuses[1].GetMessage())
	})
	t.Run("a program that cannot be executed fails the task", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.launch(task("/etc/passwd"))
		statuses := s.States(starting, failed)
		require.NoError(t, s.end())
		assert.Contains(t, statuses[1].GetMessage(), "/etc/passwd: permission denied")
	})
}

func TestKill(t *testing.T) {
	const obedient = "sleep 100 & wait"
	const stubborn = "trap '' TERM; echo up; while :; do sleep 1; done"
	t.Run("SIGTERM ends the task, a state between if the framework knows it", func(t *testing.T) {
		agent := agenttest.New(t)
		agent.Capabilities(mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE)
		s := begin(t, agent)
		s.Subscribe()
		s.launch(shell(obedient))
		s.States(starting, running)
		s.kill("task-1", nil)
		statuses := s.States(killing, killed)
		require.NoError(t, s.end())
		assert.Equal(t, "Command terminated with signal Terminated", statuses[1].GetMessage())
	})
	t.Run("a killed task is KILLED whatever its status", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.launch(shell("trap 'exit 0' TERM; sleep 100 & wait"))
		s.States(starting, running)
		s.kill("task-1", nil)
		assert.Contains(t, []string{"Command exited with status 0", "Command terminated with signal Terminated"}, s.States(killed)[0].GetMessage())
		require.NoError(t, s.end())
	})
	t.Run("SIGKILL follows when the grace period is over, which a later kill may shorten", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.launch(shell(stubborn))
		s.States(starting, running)
		require.Eventually(t, func() bool { return s.output("stdout") == "up\n" }, 10*time.Second, 5*time.Millisecond)
		s.kill("task-1", policy(time.Hour))
		s.kill("task-1", policy(2*time.Hour))
		s.kill("task-1", policy(20*time.Millisecond))
		assert.Equal(t, "Command terminated with signal Killed", s.States(killed)[0].GetMessage())
		require.NoError(t, s.end())
	})
	t.Run("the task's own policy is the rule", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		task := shell(stubborn)
		task.KillPolicy = policy(time.Millisecond)
		s.launch(task)
		s.States(starting, running)
		s.kill("task-1", nil)
		s.States(killed)
		require.NoError(t, s.end())
	})
	t.Run("children in sessions of their own go too", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		task := shell("setsid sh -c 'trap \"\" TERM; echo $$; while :; do sleep 1; done' & wait; while :; do sleep 1; done")
		task.KillPolicy = policy(50 * time.Millisecond)
		s.launch(task)
		s.States(starting, running)
		require.Eventually(t, func() bool { return strings.HasSuffix(s.output("stdout"), "\n") }, 10*time.Second, 5*time.Millisecond)
		pid, err := strconv.Atoi(strings.TrimSpace(s.output("stdout")))
		require.NoError(t, err)
		s.kill("task-1", nil)
		s.States(killed)
		require.NoError(t, s.end())
		t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGKILL) })
		require.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, 5*time.Millisecond)
	})
	t.Run("a task that is not here is nobody's", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.kill("task-1", nil)
		s.launch(shell("true"))
		s.kill("task-2", nil)
		s.States(starting, running, finished)
		require.NoError(t, s.end())
		assert.Contains(t, s.diagnostics.String(), `asked to kill task "task-1", which is not here`)
	})
}

func TestShutdown(t *testing.T) {
	t.Run("without a task it ends at once", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.Send(&executor.Event{Type: executor.Event_SHUTDOWN.Enum()})
		require.NoError(t, s.end())
	})
	t.Run("a task is killed, with two seconds left of the agent's patience", func(t *testing.T) {
		s := begin(t, agenttest.New(t), "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=2secs")
		s.Subscribe()
		s.launch(shell("trap '' TERM; while :; do sleep 1; done"))
		s.States(starting, running)
		s.Send(&executor.Event{Type: executor.Event_SHUTDOWN.Enum()})
		s.States(killed)
		require.NoError(t, s.end())
	})
	t.Run("a task group is not for this executor", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.Send(&executor.Event{Type: executor.Event_LAUNCH_GROUP.Enum(), LaunchGroup: &executor.Event_LaunchGroup{TaskGroup: &mesosv1.TaskGroupInfo{}}})
		require.NoError(t, s.end())
		assert.Contains(t, s.diagnostics.String(), "a task group needs the default executor")
	})
}

func TestASecondTaskFails(t *testing.T) {
	s := begin(t, agenttest.New(t))
	s.Subscribe()
	s.launch(shell("sleep 100"))
	s.States(starting, running)
	second := shell("true")
	second.TaskId = taskID("task-2")
	s.launch(second)
	assert.Equal(t, "task-2", s.States(failed)[0].GetTaskId().GetValue())
	s.kill("task-1", nil)
	assert.Equal(t, "task-1", s.States(killed)[0].GetTaskId().GetValue())
	require.NoError(t, s.end())
}

func TestMaxCompletionTime(t *testing.T) {
	agent := agenttest.New(t)
	agent.Capabilities(mesosv1.FrameworkInfo_Capability_TASK_KILLING_STATE)
	s := begin(t, agent)
	s.Subscribe()
	task := shell("trap '' TERM; while :; do sleep 1; done")
	task.MaxCompletionTime = &mesosv1.DurationInfo{Nanoseconds: new(int64(100 * time.Millisecond))}
	s.launch(task)
	last := s.States(starting, running, failed)[2]
	require.NoError(t, s.end())
	assert.Equal(t, mesosv1.TaskStatus_REASON_MAX_COMPLETION_TIME_REACHED, last.GetReason())
}

func TestTheAgentGoesAway(t *testing.T) {
	t.Run("and comes back: it is told of task and updates it does not know", func(t *testing.T) {
		s := begin(t, agenttest.New(t), "MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=1mins")
		first := s.Subscribe()
		assert.Empty(t, first.GetUnacknowledgedTasks())
		s.Silent(true)
		s.launch(shell("sleep 100"))
		s.States(starting, running)
		s.Answer(executor.Call_SUBSCRIBE, http.StatusServiceUnavailable, http.StatusServiceUnavailable)
		s.Disconnect()
		again := s.Subscribe()
		require.Len(t, again.GetUnacknowledgedTasks(), 1)
		require.Len(t, again.GetUnacknowledgedUpdates(), 2)
		assert.Equal(t, starting, again.GetUnacknowledgedUpdates()[0].GetStatus().GetState())
		assert.Equal(t, running, again.GetUnacknowledgedUpdates()[1].GetStatus().GetState())

		s.Silent(false)                                               // acknowledges both
		s.Answer(executor.Call_UPDATE, http.StatusServiceUnavailable) // it is still recovering
		s.kill("task-1", nil)
		s.States(killed)
		require.NoError(t, s.end())
		s.NoMoreUpdates()
	})
	t.Run("and is not waited for without a checkpoint: the task ends", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		s.launch(shell("sleep 100"))
		s.States(starting, running)
		s.Disconnect()
		err := s.end()
		require.ErrorIs(t, err, v1client.ErrAgentLost)
		assert.ErrorContains(t, err, "Command terminated with signal Terminated, which the agent was not told")
	})
	t.Run("for longer than the recovery time: the task ends", func(t *testing.T) {
		s := begin(t, agenttest.New(t), "MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=100ms")
		s.Subscribe()
		s.launch(shell("sleep 100"))
		s.States(starting, running)
		codes := make([]int, 1000)
		for i := range codes {
			codes[i] = http.StatusServiceUnavailable
		}
		s.Answer(executor.Call_SUBSCRIBE, codes...)
		s.Disconnect()
		require.ErrorIs(t, s.end(), v1client.ErrAgentLost)
	})
	t.Run("or refuses the executor, which ends", func(t *testing.T) {
		agent := agenttest.New(t)
		agent.Answer(executor.Call_SUBSCRIBE, http.StatusBadRequest)
		s := begin(t, agent)
		var status *v1client.StatusError
		require.ErrorAs(t, s.end(), &status)
		assert.Equal(t, http.StatusBadRequest, status.Code)
	})
}

func TestTheLastUpdateIsWaitedFor(t *testing.T) {
	s := begin(t, agenttest.New(t), "MESOS_CHECKPOINT=1", "MESOS_RECOVERY_TIMEOUT=1mins")
	s.Subscribe()
	s.Silent(true)
	s.launch(shell("true"))
	s.States(starting, running, finished)
	s.Disconnect()
	owed := s.Subscribe()
	require.Len(t, owed.GetUnacknowledgedUpdates(), 3)
	select {
	case err := <-s.ended:
		require.Fail(t, "it did not wait", "%v", err)
	default:
	}
	s.Silent(false)
	require.NoError(t, s.end())
}

func TestAnEnvironmentThatIsNone(t *testing.T) {
	err := Run(t.Context(), Options{Environ: []string{"MESOS_FRAMEWORK_ID=f", "MESOS_SLAVE_PID=nonsense", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=5s"}})
	require.ErrorContains(t, err, "no MESOS_EXECUTOR_ID")
	require.ErrorContains(t, err, "want PROCESS@HOST:PORT")
	require.ErrorContains(t, err, "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=5s")
}

func TestTheTaskDiesWithItsExecutor(t *testing.T) {
	agent := agenttest.New(t)
	child := exec.CommandContext(t.Context(), os.Args[0])
	child.Env = append(agent.Environ(), childVariable+"=1")
	output, err := child.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, child.Start())
	agent.Subscribe()
	(&subject{Agent: agent, t: t}).launch(shell("echo $$; exec sleep 100"))
	agent.States(starting, running)
	line := make([]byte, 32)
	n, err := output.Read(line)
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(string(line[:n])))
	require.NoError(t, err)
	require.NoError(t, child.Process.Kill())
	_ = child.Wait()
	require.Eventually(t, func() bool { return gone(pid) }, 10*time.Second, 5*time.Millisecond)
}

// gone says whether a process has ended; one that nobody has waited for yet counts.
func gone(pid int) bool {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	return err != nil || strings.Contains(string(stat), ") Z ")
}
