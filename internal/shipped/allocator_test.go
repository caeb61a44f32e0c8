package shipped_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// allocatorMeasures are what a master publishes of its allocator.
func allocatorMeasures(t *testing.T, c *clustertest.Cluster) string {
	t.Helper()
	response, err := http.Get("http://" + c.Master.Address + "/metrics/snapshot")
	require.NoError(t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

func TestHierarchicalAllocator(t *testing.T) {
	for _, sorter := range []string{"drf", "random"} {
		t.Run("tasks run under the sorter "+sorter, func(t *testing.T) {
			t.Parallel()
			c := up(t, []string{"--allocator=hierarchical", "--role_sorter=" + sorter, "--framework_sorter=" + sorter}, nil)
			for _, name := range []string{"one", "two"} {
				status, output := c.Run("--name="+name, "--command=echo "+name, small)
				assert.Zero(t, status, output)
				assert.Contains(t, output, name+"\n")
			}
			assert.Contains(t, allocatorMeasures(t, c), `"allocator/mesos/allocation_runs"`)
		})
	}
}
