package command

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
)

func TestParseArgs(t *testing.T) {
	options, err := ParseArgs([]string{"--launcher_dir=/x", `--task_environment={"A": "1"}`})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"A": "1"}, options.Task)
	options, err = ParseArgs([]string{`--task_environment={"variables": [{"name": "B", "value": "2"}]}`})
	require.NoError(t, err)
	assert.Equal(t, map[string]string{"B": "2"}, options.Task)
	_, err = ParseArgs([]string{"--task_environment=[]"})
	require.ErrorContains(t, err, "--task_environment: want a JSON object")
	_, err = ParseArgs([]string{"help"})
	require.ErrorContains(t, err, `unknown argument "help": want --launcher_dir=PATH, --task_environment=JSON or --task_command=JSON`)
	options, err = ParseArgs([]string{`--task_command={"shell": false, "value": "/bin/echo", "arguments": ["echo", "it"]}`})
	require.NoError(t, err)
	assert.Equal(t, "/bin/echo", options.Command.GetValue())
	assert.False(t, options.Command.GetShell())
	assert.Equal(t, []string{"echo", "it"}, options.Command.GetArguments())
	for _, wrong := range []string{"no JSON", "{}"} {
		_, err = ParseArgs([]string{"--task_command=" + wrong})
		require.ErrorContains(t, err, "--task_command: want a CommandInfo with a value, as JSON")
	}
}

func TestParseStat(t *testing.T) {
	rest := " S 10 11 12 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1000"
	e, ok := parseStat(13, []byte("13 (a) b (c)) "+strings.TrimSpace(rest)))
	require.True(t, ok)
	assert.Equal(t, entry{pid: 13, parent: 10, group: 11, session: 12, started: "98765"}, e)
	for _, bad := range []string{"", "13", "13 (a", "13 (a) S 10 11 12", "13 (a)" + strings.Replace(rest, "11", "x", 1)} {
		_, ok := parseStat(13, []byte(bad))
		assert.False(t, ok, bad)
	}
	own, ok := lookUp(os.Getpid())
	require.True(t, ok)
	assert.Equal(t, os.Getppid(), own.parent)
	_, ok = lookUp(1 << 30)
	assert.False(t, ok)
}

func TestSurvivors(t *testing.T) {
	child := exec.CommandContext(t.Context(), "sleep", "100")
	require.NoError(t, child.Start())
	e, ok := lookUp(child.Process.Pid)
	require.True(t, ok)
	other := e
	other.started = "1"
	killSurvivors([]entry{other})
	assert.False(t, gone(e.pid), "another process of this pid is not meant")
	killSurvivors([]entry{e})
	_ = child.Wait()
	assert.Equal(t, syscall.SIGKILL, child.ProcessState.Sys().(syscall.WaitStatus).Signal())
}

func TestCommandProbe(t *testing.T) {
	probe := func(command string) (int, error) {
		info := &mesosv1.CommandInfo{Value: &command, Environment: &mesosv1.Environment{Variables: []*mesosv1.Environment_Variable{{Name: new("B"), Value: new("3")}}}}
		ctx, cancel := context.WithTimeoutCause(t.Context(), 200*time.Millisecond, errors.New("too long"))
		defer cancel()
		if !strings.Contains(command, "sleep") {
			ctx = t.Context()
		}
		return commandProbe(info, []string{"A=1", "B=2", "PATH=/usr/bin:/bin"}, os.Stderr)(ctx)
	}
	code, err := probe(`exit $A$B`)
	require.NoError(t, err)
	assert.Equal(t, 13, code)
	_, err = probe(`kill -9 $$`)
	require.ErrorContains(t, err, "signal: killed")
	began := time.Now()
	_, err = probe(`sleep 100 & sleep 100`)
	require.EqualError(t, err, "too long")
	assert.Less(t, time.Since(began), 10*time.Second)

	info := &mesosv1.CommandInfo{Shell: new(false)}
	_, err = commandProbe(info, nil, os.Stderr)(t.Context())
	require.ErrorContains(t, err, "the command has no value")
	info.Value = new("no-such-program")
	_, err = commandProbe(info, nil, os.Stderr)(t.Context())
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestChecksOfATask(t *testing.T) {
	t.Run("a check tells what it finds", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		task := shell("sleep 100")
		task.Check = &mesosv1.CheckInfo{Type: mesosv1.CheckInfo_COMMAND.Enum(), DelaySeconds: new(0.0), IntervalSeconds: new(0.001),
			Command: &mesosv1.CheckInfo_Command{Command: &mesosv1.CommandInfo{Value: new("exit 4")}}}
		s.launch(task)
		statuses := s.States(starting, running, running)
		for _, status := range statuses[:2] {
			require.NotNil(t, status.GetCheckStatus().GetCommand())
			assert.Nil(t, status.GetCheckStatus().GetCommand().ExitCode)
		}
		assert.EqualValues(t, 4, statuses[2].GetCheckStatus().GetCommand().GetExitCode())
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED, statuses[2].GetReason())
		assert.NotEqual(t, statuses[1].GetUuid(), statuses[2].GetUuid())
		s.kill("task-1", nil)
		assert.EqualValues(t, 4, s.States(killed)[0].GetCheckStatus().GetCommand().GetExitCode())
		require.NoError(t, s.end())
	})
	t.Run("bad health kills", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		task := shell("sleep 100")
		task.HealthCheck = &mesosv1.HealthCheck{Type: mesosv1.HealthCheck_COMMAND.Enum(), DelaySeconds: new(0.0), IntervalSeconds: new(0.001),
			GracePeriodSeconds: new(0.0), ConsecutiveFailures: new(uint32(2)), Command: &mesosv1.CommandInfo{Value: new("false")}}
		s.launch(task)
		statuses := s.States(starting, running, running, running, killed)
		assert.Nil(t, statuses[1].Healthy)
		for _, status := range statuses[2:] {
			require.NotNil(t, status.Healthy)
			assert.False(t, status.GetHealthy())
		}
		assert.Equal(t, mesosv1.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED, statuses[3].GetReason())
		require.NoError(t, s.end())
		assert.Contains(t, s.diagnostics.String(), "health check failed, 2 in a row: exit status 1")
	})
	t.Run("a check of no known type is said", func(t *testing.T) {
		s := begin(t, agenttest.New(t))
		s.Subscribe()
		task := shell("true")
		task.HealthCheck = &mesosv1.HealthCheck{}
		s.launch(task)
		s.States(starting, running, finished)
		require.NoError(t, s.end())
		assert.Contains(t, s.diagnostics.String(), "health check of unknown type")
	})
}

func TestSearch(t *testing.T) {
	path, err := search("sh", []string{"PATH=/nowhere:/bin"})
	require.NoError(t, err)
	assert.Equal(t, "/bin/sh", path)
	path, err = search("sh", nil)
	require.NoError(t, err)
	assert.NotEmpty(t, path)
	_, err = search("etc", []string{"PATH=/:/etc"})
	require.ErrorIs(t, err, os.ErrNotExist, "a folder is no program")
}
