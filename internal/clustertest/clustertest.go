// Package clustertest is what tests need that try modules inside running daemons: real
// programs, built once, a cluster that is gone with everything it has started when its
// test ends, and tasks on it.
package clustertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/internal/cluster"
)

// Patience bounds waiting for what must happen; nothing takes it when all is well.
const Patience = 60 * time.Second

// Main builds the programs of the repository, whose root is given as the test sees it,
// and runs the tests. It is called by TestMain and does not return. The folder with the
// programs is in bin while the tests run.
func Main(m *testing.M, repository string, bin *string) {
	dir, err := os.MkdirTemp("", "clustertest")
	if err == nil {
		*bin = filepath.Join(dir, "bin")
		err = cluster.Build(context.Background(), repository, *bin)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir) // a folder for temporary files
		os.Exit(code)
	}))
}

// Config says how a cluster is started.
type Config struct {
	Bin           string // the folder that Main has filled
	Dir           string // for all that the daemons keep; empty: a folder of the test's
	Master, Slave []string
}

// Cluster is a running cluster of a test's.
type Cluster struct {
	*cluster.Cluster
	Bin, Dir string

	t *testing.T
}

// Up starts a cluster with an agent of 2 cpus. It is gone with all its tasks when the
// test ends.
func Up(t *testing.T, config Config) *Cluster {
	t.Helper()
	if config.Dir == "" {
		config.Dir = t.TempDir()
	}
	up, err := cluster.Up(context.WithoutCancel(t.Context()), cluster.Config{
		Bin: config.Bin, Dir: config.Dir,
		Master: append([]string{"--allocation_interval=50ms"}, config.Master...),
		Slave:  append([]string{"--resources=cpus:2;mem:1024;disk:1024;ports:[31000-31100]"}, config.Slave...),
	})
	require.NoError(t, err)
	c := &Cluster{Cluster: up, Bin: config.Bin, Dir: config.Dir, t: t}
	t.Cleanup(c.down)
	return c
}

func (c *Cluster) down() {
	assert.NoError(c.t, c.Down())
	left, err := Processes(c.Dir)
	assert.NoError(c.t, err)
	for _, p := range left {
		p.Kill()
	}
	if c.t.Failed() {
		c.t.Logf("master:\n%s\nslave:\n%s", tail(c.Master.Log()), tail(c.Slave.Log()))
	}
}

// tail is the end of a log.
func tail(log string) string { return log[max(0, len(log)-12000):] }

// Containers are the processes of the cluster that are none of its daemons.
func (c *Cluster) Containers() []Process {
	c.t.Helper()
	all, err := Processes(c.Dir, c.Master, c.Slave)
	require.NoError(c.t, err)
	return all
}

// Run runs mesos-execute on the cluster and returns its exit status and everything it
// has printed.
func (c *Cluster) Run(args ...string) (status int, output string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), Patience)
	defer cancel()
	all := append([]string{"--master=" + c.Master.Address}, args...)
	var out bytes.Buffer
	command := exec.CommandContext(ctx, filepath.Join(c.Bin, "mesos-execute"), all...)
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	var exit *exec.ExitError
	if !errors.As(err, &exit) {
		require.NoError(c.t, err, out.String())
	}
	require.NoError(c.t, ctx.Err(), out.String())
	return command.ProcessState.ExitCode(), out.String()
}

// Eventually waits until look finds nothing to say, and else fails with what it says.
func Eventually(t *testing.T, look func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Patience)
	defer cancel()
	ticker := time.NewTicker(20 * time.Millisecond)
	defer ticker.Stop()
	for {
		missing := look()
		if missing == "" {
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			require.FailNow(t, "it does not happen", "after %v: %s", Patience, missing)
		}
	}
}
