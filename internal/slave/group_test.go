package slave

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/v1client"
	"github.com/mesos-modules/mms/internal/wire"
)

// runGroup has tasks run together by the default executor.
func (m *master) runGroup(tasks ...*mesosv1.TaskInfo) {
	all, err := resources.Parse("cpus:0.1;mem:32;disk:32", "*")
	require.NoError(m.t, err)
	executor := &mesosv1.ExecutorInfo{
		Type: mesosv1.ExecutorInfo_DEFAULT.Enum(), ExecutorId: &mesosv1.ExecutorID{Value: proto.String("default")},
		FrameworkId: frameworkID, Resources: all.Allocate("*").Messages(),
	}
	for _, t := range tasks {
		t.Executor = executor
	}
	m.send(&wire.RunTaskGroupMessage{Framework: framework(), Executor: executor, TaskGroup: &mesosv1.TaskGroupInfo{Tasks: tasks}, LaunchExecutor: proto.Bool(true)})
}

// ends waits for the terminal states of as many tasks, by their ids.
func (m *master) ends(count int) map[string]*mesosv1.TaskStatus {
	m.t.Helper()
	found := map[string]*mesosv1.TaskStatus{}
	for len(found) < count {
		switch s := m.status(); s.GetState() {
		case mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING, mesosv1.TaskState_TASK_KILLING:
		default:
			found[s.GetTaskId().GetValue()] = s
		}
	}
	return found
}

// operator makes calls to the agent's API.
func (a *agent) operator(t testing.TB) *v1client.Client {
	c, err := v1client.New(v1client.Config{Endpoint: "http://" + a.server.Listener.Addr().String() + "/slave(1)/api/v1", Encoding: v1client.JSON})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

// beside is the id of a container nested in that of a running task.
func beside(s *mesosv1.TaskStatus, name string) *mesosv1.ContainerID {
	return &mesosv1.ContainerID{Value: &name, Parent: s.GetContainerStatus().GetContainerId()}
}

func session(id *mesosv1.ContainerID, text string) *agentv1.Call {
	return &agentv1.Call{Type: agentv1.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(), LaunchNestedContainerSession: &agentv1.Call_LaunchNestedContainerSession{
		ContainerId: id, Command: &mesosv1.CommandInfo{Value: &text},
	}}
}

// run runs a command beside a task and returns what it writes.
func run(t *testing.T, c *v1client.Client, id *mesosv1.ContainerID, text string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	s, err := c.Attach(ctx, session(id, text), nil)
	require.NoError(t, err)
	defer s.Close()
	var out strings.Builder
	for {
		piece := &agentv1.ProcessIO{}
		if err := s.Next(piece); errors.Is(err, io.EOF) {
			return out.String()
		} else {
			require.NoError(t, err)
		}
		out.Write(piece.GetData().GetData())
	}
}

func TestATaskGroup(t *testing.T) {
	t.Run("runs to its end in nested containers", func(t *testing.T) {
		m, f := newMaster(t), newFolders(t)
		f.start(t, m, nil)
		m.admit()
		m.runGroup(shell("one", "echo from one"), shell("two", "pwd"))
		ends := m.ends(2)
		for name, s := range ends {
			assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, s.GetState(), name)
			assert.NotNil(t, s.GetContainerStatus().GetContainerId().GetParent(), "it was nested")
		}
		box := f.sandbox("default")
		text, err := os.ReadFile(filepath.Join(box, "tasks", "one", "stdout"))
		require.NoError(t, err)
		assert.Equal(t, "from one\n", string(text))
		text, err = os.ReadFile(filepath.Join(box, "tasks", "two", "stdout"))
		require.NoError(t, err)
		assert.True(t, strings.HasSuffix(string(text), "/containers/"+ends["two"].GetContainerStatus().GetContainerId().GetValue()+"\n"), string(text))
	})

	t.Run("is killed with the first of its tasks that fails", func(t *testing.T) {
		m, f := newMaster(t), newFolders(t)
		f.start(t, m, nil)
		m.admit()
		m.runGroup(shell("long", "sleep 1000"), shell("fails", "exit 3"))
		ends := m.ends(2)
		assert.Equal(t, mesosv1.TaskState_TASK_FAILED, ends["fails"].GetState())
		assert.Equal(t, "Command exited with status 3", ends["fails"].GetMessage())
		assert.Equal(t, mesosv1.TaskState_TASK_KILLED, ends["long"].GetState())
	})

	t.Run("goes on while the agent restarts, and what was run beside it does not", func(t *testing.T) {
		m, f := newMaster(t), newFolders(t)
		a := f.start(t, m, nil)
		m.admit()
		m.runGroup(shell("T", "until test -e go; do sleep 0.01; done; exit 0"))
		running := m.until(mesosv1.TaskState_TASK_RUNNING)
		c := a.operator(t)
		assert.Equal(t, "hello\n", run(t, c, beside(running, "before"), "echo hello"))

		left, err := c.Attach(t.Context(), session(beside(running, "left"), "echo $$; exec sleep 1000"), nil)
		require.NoError(t, err)
		first := &agentv1.ProcessIO{}
		require.NoError(t, left.Next(first))
		a.stop()
		left.Close()

		b := f.start(t, m, nil)
		next[*wire.ReregisterSlaveMessage](m)
		m.send(&wire.SlaveReregisteredMessage{SlaveId: agentID})
		pid := strings.TrimSpace(string(first.GetData().GetData()))
		require.Eventually(t, func() bool {
			_, err := os.Stat("/proc/" + pid)
			return err != nil
		}, limit, 1e6, "the session is ended")
		c = b.operator(t)
		assert.Equal(t, "again\n", run(t, c, beside(running, "after"), "echo again; touch go"), "in the task's own folder")
		assert.Equal(t, mesosv1.TaskState_TASK_FINISHED, m.ends(1)["T"].GetState())
	})

	t.Run("is killed task by task", func(t *testing.T) {
		m, f := newMaster(t), newFolders(t)
		f.start(t, m, nil)
		m.admit()
		m.runGroup(shell("T", "trap '' TERM; touch ready; while :; do sleep 0.1; done"))
		m.until(mesosv1.TaskState_TASK_RUNNING)
		require.Eventually(t, func() bool {
			_, err := os.Stat(filepath.Join(f.sandbox("default"), "tasks/T/ready"))
			return err == nil
		}, limit, 1e6)
		m.send(&wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: &mesosv1.TaskID{Value: proto.String("T")},
			KillPolicy: &mesosv1.KillPolicy{GracePeriod: &mesosv1.DurationInfo{Nanoseconds: proto.Int64(1e8)}}})
		s := m.ends(1)["T"]
		assert.Equal(t, mesosv1.TaskState_TASK_KILLED, s.GetState())
		assert.Equal(t, "Command terminated with signal Killed", s.GetMessage())
	})
}

func TestACommandBesideACommandTask(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()
	m.run(shell("T", "export SECRET=42; sleep 1000"))
	running := m.until(mesosv1.TaskState_TASK_RUNNING)
	c := a.operator(t)
	box, err := filepath.EvalSymlinks(f.sandbox("T"))
	require.NoError(t, err)
	assert.Equal(t, box+"\n", run(t, c, beside(running, "pwd"), "pwd"))
	assert.Equal(t, box+"\n", run(t, c, beside(running, "sandbox"), "echo $MESOS_SANDBOX"))
	run(t, c, beside(running, "fails"), "exit 9")
	answer := &agentv1.Response{}
	require.NoError(t, c.Call(t.Context(), &agentv1.Call{Type: agentv1.Call_WAIT_NESTED_CONTAINER.Enum(),
		WaitNestedContainer: &agentv1.Call_WaitNestedContainer{ContainerId: beside(running, "fails")}}, answer, nil))
	assert.Equal(t, 9, syscall.WaitStatus(answer.GetWaitNestedContainer().GetExitStatus()).ExitStatus())
}
