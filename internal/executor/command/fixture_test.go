package command

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
)

// buffer may be written and read by several goroutines.
type buffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *buffer) Write(text []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(text)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// subject is an executor that runs, with its agent.
type subject struct {
	*agenttest.Agent
	t           *testing.T
	folder      string
	diagnostics *buffer
	ended       chan error
}

func begin(t *testing.T, agent *agenttest.Agent, environ ...string) *subject {
	t.Helper()
	s := &subject{Agent: agent, t: t, folder: t.TempDir(), diagnostics: &buffer{}, ended: make(chan error, 1)}
	open := func(name string) *os.File {
		file, err := os.OpenFile(filepath.Join(s.folder, name), os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
		require.NoError(t, err)
		return file
	}
	out, errors := open("stdout"), open("stderr")
	null, err := os.Open(os.DevNull)
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		s.ended <- Run(ctx, Options{Environ: agent.Environ(environ...), In: null, Out: out, Err: errors, Diagnostics: s.diagnostics})
		for _, file := range []*os.File{out, errors, null} {
			_ = file.Close()
		}
		close(s.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range s.ended { // until it is closed
		}
	})
	return s
}

// end waits for the executor.
func (s *subject) end() error {
	s.t.Helper()
	select {
	case err := <-s.ended:
		return err
	case <-time.After(20 * time.Second):
		require.FailNow(s.t, "the executor does not end")
		return nil
	}
}

func (s *subject) output(name string) string {
	text, err := os.ReadFile(filepath.Join(s.folder, name))
	require.NoError(s.t, err)
	return string(text)
}

func (s *subject) launch(task *mesosv1.TaskInfo) {
	s.t.Helper()
	s.Send(&executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: task}})
}

func (s *subject) kill(task string, grace *mesosv1.KillPolicy) {
	s.t.Helper()
	s.Send(&executor.Event{Type: executor.Event_KILL.Enum(), Kill: &executor.Event_Kill{TaskId: taskID(task), KillPolicy: grace}})
}

func taskID(id string) *mesosv1.TaskID { return &mesosv1.TaskID{Value: &id} }

func policy(grace time.Duration) *mesosv1.KillPolicy {
	return &mesosv1.KillPolicy{GracePeriod: &mesosv1.DurationInfo{Nanoseconds: new(int64(grace))}}
}

// shell is a task that runs a command in a shell.
func shell(command string) *mesosv1.TaskInfo {
	return &mesosv1.TaskInfo{
		Name: new("task"), TaskId: taskID("task-1"), AgentId: &mesosv1.AgentID{Value: new("agent-1")},
		Command: &mesosv1.CommandInfo{Value: &command},
	}
}

const (
	starting = mesosv1.TaskState_TASK_STARTING
	running  = mesosv1.TaskState_TASK_RUNNING
	killing  = mesosv1.TaskState_TASK_KILLING
	finished = mesosv1.TaskState_TASK_FINISHED
	failed   = mesosv1.TaskState_TASK_FAILED
	killed   = mesosv1.TaskState_TASK_KILLED
)
