package clusterfaults_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
	"github.com/mesos-modules/mms/internal/clustertest"
)

// patience bounds waiting for what must happen; nothing takes it when all is well.
const patience = 60 * time.Second

// programs is the folder that TestMain fills.
var programs string

func TestMain(m *testing.M) {
	if many, err := strconv.Atoi(os.Getenv(floodVariable)); err == nil {
		if err := flood(many); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(0)
	}
	flag.Parse()
	clustertest.Main(m, "../..", &programs)
}

// up starts a cluster, which is gone with all its tasks when the test ends.
func up(t *testing.T, master, slave []string) (*cluster.Cluster, string) {
	t.Helper()
	dir := t.TempDir()
	return upIn(t, dir, master, slave), dir
}

// upIn is likewise, in a folder of the test's.
func upIn(t *testing.T, dir string, master, slave []string) *cluster.Cluster {
	t.Helper()
	c, err := cluster.Up(context.WithoutCancel(t.Context()), cluster.Config{
		Bin: programs, Dir: dir,
		Master: append([]string{"--allocation_interval=50ms"}, master...),
		Slave:  append([]string{"--resources=cpus:2;mem:1024;disk:1024;ports:[31000-31100]"}, slave...),
	})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, c.Down())
		for _, p := range processes(t, dir) {
			p.Kill()
		}
		if t.Failed() {
			t.Logf("master:\n%s\nslave:\n%s", tail(c.Master.Log()), tail(c.Slave.Log()))
		}
	})
	return c
}

// tail is the end of a log.
func tail(log string) string { return log[max(0, len(log)-8000):] }

// eventually waits until look finds nothing to say, and else fails with what it says.
func eventually(t *testing.T, look func() string) {
	t.Helper()
	clustertest.Eventually(t, look)
}
