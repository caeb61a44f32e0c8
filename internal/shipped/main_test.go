package shipped_test

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// programs is the folder that TestMain fills with all programs.
var programs string

func TestMain(m *testing.M) { clustertest.Main(m, "../..", &programs) }

// up starts a cluster with further flags for its daemons. It is gone with all its tasks
// when the test ends.
func up(t *testing.T, master, slave []string) *clustertest.Cluster {
	t.Helper()
	return clustertest.Up(t, clustertest.Config{Bin: programs, Master: master, Slave: slave})
}

// A task has these resources where a test does not care.
const small = "--resources=cpus:0.1;mem:32"

func TestDefaults(t *testing.T) {
	t.Parallel()
	c := up(t, nil, nil)
	status, output := c.Run("--name=hello", "--command=echo hello; exit 7", small)
	assert.Equal(t, 7, status)
	assert.Contains(t, output, "hello\n")
	clustertest.Eventually(t, func() string {
		for _, p := range c.Containers() {
			return "this process goes: " + p.Line
		}
		return ""
	})
}
