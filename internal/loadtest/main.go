// Command loadtest measures a cluster of real processes on this machine, over the public
// API: how many tasks a second go through one slave, how long one takes from ACCEPT to
// TASK_RUNNING when nothing else is done, and what a thousand subscribed schedulers cost
// the master. It prints a table; docs/benchmarks.md says how to read it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"text/tabwriter"

	"github.com/mesos-modules/mms/internal/cluster"
)

// options are how much is measured.
type options struct {
	bin                     string
	tasks, idle, schedulers int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.bin, "bin", "bin", "folder of the daemons")
	flag.IntVar(&o.tasks, "tasks", 3000, "tasks to run in all")
	flag.IntVar(&o.idle, "idle", 50, "tasks to run one after another")
	flag.IntVar(&o.schedulers, "schedulers", 1000, "schedulers to subscribe")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "loadtest:", err)
		os.Exit(1)
	}
}

// row is one line of the table.
type row struct{ what, measured, target, verdict string }

func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp("", "loadtest")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Where daemons keep what runs is in memory, as /run is.
	running, err := os.MkdirTemp("/dev/shm", "loadtest")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(running)) }()
	up, err := cluster.Up(ctx, cluster.Config{Bin: o.bin, Dir: dir, Run: running, Master: []string{"--allocation_interval=100ms", "--logging_level=WARNING"},
		Slave: []string{"--resources=cpus:64;mem:65536;disk:65536", "--logging_level=INFO"}})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, up.Down()) }()

	var rows []row
	for _, measure := range []func(context.Context, *cluster.Cluster, options) ([]row, error){idle, sustained, subscribers} {
		more, err := measure(ctx, up, o)
		if err != nil {
			return err
		}
		rows = append(rows, more...)
	}
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "WHAT\tMEASURED\tTO REACH\t")
	for _, r := range rows {
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\n", r.what, r.measured, r.target, r.verdict)
	}
	return table.Flush()
}

// verdict says whether a target is reached.
func verdict(reached bool) string {
	if reached {
		return "reached"
	}
	return "missed"
}
