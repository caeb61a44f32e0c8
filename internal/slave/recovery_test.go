package slave

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

// until passes statuses over and returns the first of a state, all acknowledged.
func (m *master) until(state mesosv1.TaskState) *mesosv1.TaskStatus {
	m.t.Helper()
	for {
		if s := m.status(); s.GetState() == state {
			return s
		}
	}
}

// waits is a command that ends when the file go is in its sandbox.
const waits = "while [ ! -e go ]; do sleep 0.02; done"

func (f *folders) sandbox(task string) string {
	return filepath.Join(f.work, "slaves/A/frameworks/F/executors", task, "runs/latest")
}

func (f *folders) letGo(t testing.TB, task string) {
	require.NoError(t, os.WriteFile(filepath.Join(f.sandbox(task), "go"), nil, 0o644))
}

func TestTasksOutliveTheAgent(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()
	m.run(shell("T", waits))
	m.until(mesosv1.TaskState_TASK_RUNNING)
	a.stop()

	f.start(t, m, nil)
	again, _ := next[*wire.ReregisterSlaveMessage](m)
	require.Len(t, again.GetTasks(), 1)
	assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, again.GetTasks()[0].GetState())
	assert.Equal(t, "A", again.GetSlave().GetId().GetValue())
	m.send(&wire.SlaveReregisteredMessage{SlaveId: agentID})

	f.letGo(t, "T")
	assert.Equal(t, "Command exited with status 0", m.until(mesosv1.TaskState_TASK_FINISHED).GetMessage())
}

func TestTasksThatEndWhileThereIsNoAgent(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()
	m.run(shell("T", waits))
	m.until(mesosv1.TaskState_TASK_RUNNING)
	pid, err := os.ReadFile(filepath.Join(f.work, "meta/slaves/A/frameworks/F/executors/T/runs/latest/pids/forked.pid"))
	require.NoError(t, err)
	a.stop()
	number, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(number, syscall.SIGKILL))

	f.start(t, m, nil)
	again, _ := next[*wire.ReregisterSlaveMessage](m)
	require.Len(t, again.GetTasks(), 1)
	m.send(&wire.SlaveReregisteredMessage{SlaveId: agentID})
	s := m.until(mesosv1.TaskState_TASK_FAILED)
	assert.Equal(t, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, s.GetReason())
}

func TestAKill(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	f.start(t, m, nil)
	m.admit()
	m.run(shell("T", waits))
	m.until(mesosv1.TaskState_TASK_RUNNING)
	m.send(&wire.KillTaskMessage{FrameworkId: frameworkID, TaskId: &mesosv1.TaskID{Value: proto.String("T")}})
	m.until(mesosv1.TaskState_TASK_KILLED)
}

func TestTheEndOfAFramework(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()
	m.run(shell("T", waits))
	m.until(mesosv1.TaskState_TASK_RUNNING)
	m.send(&wire.ShutdownFrameworkMessage{FrameworkId: frameworkID})
	require.Eventually(t, func() bool {
		v, err := a.View(t.Context())
		return err == nil && len(v.Frameworks) == 0 && len(a.cfg.Containers.Containers()) == 0
	}, limit, 10*time.Millisecond)
}

func TestALaunchThatFails(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	f.start(t, m, nil)
	m.admit()
	require.NoError(t, os.MkdirAll(filepath.Join(f.work, "slaves/A"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(f.work, "slaves/A/frameworks"), nil, 0o644)) // where a folder should be
	m.run(shell("T", "true"))
	s := m.until(mesosv1.TaskState_TASK_FAILED)
	assert.Equal(t, mesosv1.TaskStatus_REASON_CONTAINER_LAUNCH_FAILED, s.GetReason())
	assert.Contains(t, s.GetMessage(), "Failed to launch container: make the sandbox")
}

func TestExecutorsWithTokens(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	f.start(t, m, func(c *Config) { c.Core.AuthenticateHTTPExecutors = true })
	m.admit()
	m.run(shell("T", "true"))
	m.until(mesosv1.TaskState_TASK_FINISHED)
}

func TestAnExecutorThatIsKilled(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	f.start(t, m, nil)
	m.admit()
	m.run(shell("T", waits))
	m.until(mesosv1.TaskState_TASK_RUNNING)
	pid, err := os.ReadFile(filepath.Join(f.work, "meta/slaves/A/frameworks/F/executors/T/runs/latest/pids/forked.pid"))
	require.NoError(t, err)
	number, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	require.NoError(t, err)
	require.NoError(t, syscall.Kill(number, syscall.SIGKILL))
	s := m.until(mesosv1.TaskState_TASK_FAILED)
	assert.Equal(t, mesosv1.TaskStatus_REASON_EXECUTOR_TERMINATED, s.GetReason())
	assert.Equal(t, mesosv1.TaskStatus_SOURCE_AGENT, s.GetSource())
}

func TestAFrameworkThatEndsWhileItsTaskIsLaunched(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, func(c *Config) { c.Core.ExecutorShutdownGrace = 0 })
	m.admit()
	for i := range 20 {
		m.run(shell("T"+strconv.Itoa(i), waits))
	}
	m.send(&wire.ShutdownFrameworkMessage{FrameworkId: frameworkID})
	require.Eventually(t, func() bool {
		v, err := a.View(t.Context())
		return err == nil && len(v.Completed) == 1 && len(v.Frameworks) == 0 && len(a.cfg.Containers.Containers()) == 0
	}, limit, 10*time.Millisecond)
}
