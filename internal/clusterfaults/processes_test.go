package clusterfaults_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
)

// processes are those that work in a folder, or were given it, but for those named.
func processes(t *testing.T, dir string, but ...*cluster.Daemon) []clustertest.Process {
	t.Helper()
	found, err := clustertest.Processes(dir, but...)
	require.NoError(t, err)
	return found
}

// containers are the processes of a cluster that are none of its daemons.
func containers(t *testing.T, c *cluster.Cluster, dir string) []clustertest.Process {
	return processes(t, dir, c.Master, c.Slave)
}
