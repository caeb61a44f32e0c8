package shipped_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/clustertest"
)

// withGroups returns a root group of the test's own, and the flags of an agent that uses
// it.
func withGroups(t *testing.T) (root string, flags []string) {
	t.Helper()
	root = cgroupstest.Root(t)
	return root, []string{"--isolation=cgroups/cpu,cgroups/mem,cgroups/pids", "--cgroups_root=" + root}
}

// hog needs more memory than any task here gets, and no more than 200 MB.
const hog = "head -c 200000000 /dev/zero | tail"

func TestATaskThatEatsMemoryIsEnded(t *testing.T) {
	t.Parallel()
	_, flags := withGroups(t)
	c := up(t, nil, flags)
	status, output := c.Run("--name=hog", "--command="+hog, "--resources=cpus:0.5;mem:64")
	assert.NotZero(t, status)
	assert.Contains(t, output, "TASK_FAILED")
	assert.Contains(t, output, "source: SOURCE_AGENT")
	assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION_MEMORY")
	assert.Contains(t, output, "message: 'Memory limit exceeded: Requested: 96MB Maximum Used: 96MB", "64 of the task, 32 of its executor")
	assert.Contains(t, output, "total_rss ")
	clustertest.Eventually(t, func() string {
		for _, p := range c.Containers() {
			return "this process goes: " + p.Line
		}
		return ""
	})
}
