package command

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/executor/agenttest"
)

// BenchmarkTask is one task, /bin/true, through one executor process: from its start to its end. Besides the time of
// all it reports the mean milliseconds from the start to SUBSCRIBE, to TASK_RUNNING, and the CPU time of the process.
func BenchmarkTask(b *testing.B) {
	program := filepath.Join(b.TempDir(), "mesos-executor")
	text, err := exec.CommandContext(b.Context(), "go", "build", "-o", program, "../../../cmd/mesos-executor").CombinedOutput()
	require.NoError(b, err, "%s", text)
	agent := agenttest.New(b)
	task := shell("")
	task.Command.Shell, task.Command.Value = new(false), new("/bin/true")
	var subscribed, run, cpu time.Duration
	for b.Loop() {
		began := time.Now()
		child := exec.CommandContext(b.Context(), program)
		child.Env, child.Stderr = agent.Environ(), os.Stderr
		require.NoError(b, child.Start())
		agent.Subscribe()
		subscribed += time.Since(began)
		agent.Send(&executor.Event{Type: executor.Event_LAUNCH.Enum(), Launch: &executor.Event_Launch{Task: task}})
		agent.States(starting, running)
		run += time.Since(began)
		agent.States(finished)
		require.NoError(b, child.Wait())
		cpu += child.ProcessState.UserTime() + child.ProcessState.SystemTime()
	}
	for unit, total := range map[string]time.Duration{"ms/subscribe": subscribed, "ms/running": run, "cpu-ms/task": cpu} {
		b.ReportMetric(float64(total.Microseconds())/1000/float64(b.N), unit)
	}
}
