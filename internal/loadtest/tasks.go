package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/mesos-modules/mms/internal/cluster"
)

// idle runs tasks one after another.
func idle(ctx context.Context, up *cluster.Cluster, o options) ([]row, error) {
	f, err := subscribe(ctx, up.Master.Address)
	if err != nil {
		return nil, err
	}
	defer f.close()
	if err := f.work(ctx, o.idle, 1); err != nil {
		return nil, err
	}
	slices.Sort(f.untilRunning)
	n := len(f.untilRunning)
	median := f.untilRunning[n/2]
	return []row{{"ACCEPT to TASK_RUNNING, idle",
		fmt.Sprintf("median %v (least %v, most %v) of %d", round(median), round(f.untilRunning[0]), round(f.untilRunning[n-1]), n),
		"median under 60 ms", verdict(median < 60*time.Millisecond)}}, nil
}

// atOnce is how many tasks are under way when the slave has all it can do.
const atOnce = 32

// sustained runs many tasks.
func sustained(ctx context.Context, up *cluster.Cluster, o options) ([]row, error) {
	f, err := subscribe(ctx, up.Master.Address)
	if err != nil {
		return nil, err
	}
	defer f.close()
	begun := time.Now()
	if err := f.work(ctx, o.tasks, atOnce); err != nil {
		return nil, err
	}
	took := time.Since(begun)
	rate := float64(o.tasks) / took.Seconds()
	return []row{{"tasks through one slave, command executor, true",
		fmt.Sprintf("%.0f a second (%d in %v, %d at once)", rate, o.tasks, took.Round(10*time.Millisecond), atOnce),
		"100 a second", verdict(rate >= 100)}}, nil
}

func round(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }
