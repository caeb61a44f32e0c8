package thirdparty_test

import (
	"bufio"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// asked are the calls that read; of each the answer has to have the same name.
var asked = []string{
	"master GET_HEALTH", "master GET_FLAGS", "master GET_VERSION", "master GET_METRICS", "master GET_LOGGING_LEVEL",
	"master GET_STATE", "master GET_AGENTS", "master GET_FRAMEWORKS", "master GET_EXECUTORS", "master GET_TASKS",
	"master GET_ROLES", "master GET_WEIGHTS", "master GET_MASTER", "master GET_MAINTENANCE_STATUS",
	"master GET_MAINTENANCE_SCHEDULE", "master GET_QUOTA",
	"agent GET_HEALTH", "agent GET_FLAGS", "agent GET_VERSION", "agent GET_METRICS", "agent GET_LOGGING_LEVEL",
	"agent GET_STATE", "agent GET_CONTAINERS", "agent GET_FRAMEWORKS", "agent GET_EXECUTORS", "agent GET_TASKS", "agent GET_AGENT",
}

// operator is the command that talks to both daemons; it ends with the test.
func operator(t *testing.T, c *cluster.Cluster, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	return exec.CommandContext(ctx, filepath.Join(programs.clients, "operator"),
		append([]string{"-master=" + c.Master.Address, "-agent=" + c.Slave.Address}, args...)...)
}

// answers checks that the library understands every answer. In JSON it refuses names
// that are younger than itself, and every agent of Mesos 1.5 and later has one: there
// the answers that list capabilities of agents must fail for this name and no other.
func answers(t *testing.T, c *cluster.Cluster) {
	t.Helper()
	for _, codec := range []string{"protobuf", "json"} {
		out, err := operator(t, c, "-codec="+codec).CombinedOutput()
		require.NoError(t, err, "%s", out)
		lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
		require.Len(t, lines, len(asked))
		for i, call := range asked {
			_, name, _ := strings.Cut(call, " ")
			if codec == "json" && (call == "master GET_STATE" || call == "master GET_AGENTS") {
				assert.Contains(t, lines[i], call+` ffjson error: (*errors.errorString)unrecognized enum AgentInfo_Capability_Type value "RESOURCE_PROVIDER"`)
				continue
			}
			assert.Equal(t, call+" "+name, lines[i], codec)
		}
	}
}

func TestOperator(t *testing.T) {
	c := up(t)
	answers(t, c)

	watch := operator(t, c, "-watch=task-1")
	pipe, err := watch.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, watch.Start())
	events := bufio.NewScanner(pipe)
	require.True(t, events.Scan())
	assert.Equal(t, "SUBSCRIBED 1", events.Text())

	// Whoever opens a fifo waits for the other side.
	running, goOn := filepath.Join(t.TempDir(), "running"), filepath.Join(t.TempDir(), "go-on")
	require.NoError(t, syscall.Mkfifo(running, 0o600))
	require.NoError(t, syscall.Mkfifo(goOn, 0o600))
	ran := make(chan []string, 1)
	go func() {
		ran <- scheduler(t, c, "-tasks=1", "-command=echo > '"+running+"'; read x < '"+goOn+"'")
	}()
	_, err = os.ReadFile(running)
	require.NoError(t, err)
	answers(t, c)
	require.NoError(t, os.WriteFile(goOn, []byte("\n"), 0o600))
	assert.Contains(t, <-ran, "UPDATE task-1 TASK_FINISHED Command exited with status 0")
	answers(t, c)

	var heard []string
	for events.Scan() {
		if line := events.Text(); strings.Contains(line, "task-1") {
			heard = append(heard, line)
		}
	}
	require.NoError(t, watch.Wait())
	assert.Equal(t, []string{"TASK_ADDED task-1", "TASK_UPDATED task-1 TASK_STARTING",
		"TASK_UPDATED task-1 TASK_RUNNING", "TASK_UPDATED task-1 TASK_FINISHED"}, heard)
}

func TestGroup(t *testing.T) {
	c := up(t)
	for _, codec := range []string{"protobuf", "json"} {
		t.Run("runs to its end over "+codec, func(t *testing.T) {
			assert.Equal(t, []string{
				"SUBSCRIBED true 15",
				"UPDATE task-1 TASK_STARTING ", "UPDATE task-1 TASK_RUNNING ", "UPDATE task-1 TASK_FINISHED Command exited with status 0",
				"UPDATE task-2 TASK_STARTING ", "UPDATE task-2 TASK_RUNNING ", "UPDATE task-2 TASK_FINISHED Command exited with status 0",
			}, scheduler(t, c, "-codec="+codec, "-group", "-tasks=2", "-command=exit 0"))
		})
		t.Run("is killed over "+codec, func(t *testing.T) {
			assert.Equal(t, []string{
				"SUBSCRIBED true 15",
				"UPDATE task-1 TASK_STARTING ", "UPDATE task-1 TASK_RUNNING ", "UPDATE task-1 TASK_KILLED Command terminated with signal Terminated",
				"UPDATE task-2 TASK_STARTING ", "UPDATE task-2 TASK_RUNNING ", "UPDATE task-2 TASK_KILLED Command terminated with signal Terminated",
			}, scheduler(t, c, "-codec="+codec, "-group", "-kill", "-tasks=2", "-command=exec sleep 1000"))
		})
	}
}
