package shipped_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
	"github.com/mesos-modules/mms/modules/qoscontroller/load"
	"github.com/mesos-modules/mms/modules/resourceestimator/fixed"
)

// bestEffort is a task that runs on what is lent out, until it is ended.
func bestEffort(name string) string {
	return fmt.Sprintf(`--task={"name": %[1]q, "task_id": {"value": %[1]q}, "agent_id": {"value": ""},
		"resources": [{"name": "cpus", "type": "SCALAR", "scalar": {"value": 3}, "revocable": {}}, {"name": "mem", "type": "SCALAR", "scalar": {"value": 32}}],
		"command": {"value": ": > runs; sleep 1000"}}`, name)
}

// An agent of 2 cpus lends 4 out, on which a task of 3 runs until the load is too high;
// one on resources of its own goes on.
func TestResourcesAreLentOutAndTakenBack(t *testing.T) {
	t.Parallel()
	averages := filepath.Join(t.TempDir(), "loadavg")
	say := func(text string) {
		require.NoError(t, os.WriteFile(averages+".new", []byte(text), 0o600))
		require.NoError(t, os.Rename(averages+".new", averages))
	}
	say("0.50 0.50 0.50 1/80 1")
	c := up(t, nil, []string{
		"--resource_estimator=" + fixed.Name, "--qos_controller=" + load.Name, "--oversubscribed_resources_interval=100ms",
		builtin(t, []string{fixed.Name, "resources=cpus:4"}, []string{load.Name, "load_threshold_5min=6", "load_threshold_15min=4", "load_file=" + averages}),
	})
	lent := func(want float64) func() string {
		return func() string {
			var metrics map[string]float64
			get(t, "http://"+c.Master.Address+"/metrics/snapshot", &metrics)
			if got := metrics["master/cpus_revocable_total"]; got != want {
				return fmt.Sprintf("the master knows of %v revocable cpus", got)
			}
			return ""
		}
	}
	clustertest.Eventually(t, lent(4))
	task := begin(t, c, bestEffort("best"))
	other := begin(t, c, "--name=own", "--command="+wait+"echo went on", small)
	sandbox := waiting(t, c)
	clustertest.Eventually(t, func() string {
		if found, _ := filepath.Glob(filepath.Join(c.Dir, "mesos-slave/slaves/*/frameworks/*/executors/best/runs/latest/runs")); len(found) != 1 {
			return "the task does not run"
		}
		return ""
	})
	clustertest.Eventually(t, lent(4)) // what is in use was lent out, too
	say("9.00 5.00 4.10 1/80 1")
	said := task.end()
	assert.Contains(t, said, "TASK_GONE", "mesos-execute is partition aware")
	assert.Contains(t, said, "reason: REASON_CONTAINER_PREEMPTED")
	assert.Contains(t, said, "Container preempted by QoS correction")
	goOn(t, sandbox)
	assert.Contains(t, other.end(), "went on\n")
	var metrics map[string]float64
	get(t, "http://"+c.Slave.Address+"/metrics/snapshot", &metrics)
	assert.Equal(t, 1.0, metrics["slave/executors_preempted"])
}
