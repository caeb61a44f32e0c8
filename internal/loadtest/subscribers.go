package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/cluster"
)

// listening is how long all schedulers stay and are sent offers and heartbeats.
const listening = 20 * time.Second

// subscribers subscribes many schedulers, lets offers and heartbeats flow, and looks at
// the master's memory, and at its goroutines when they have gone.
func subscribers(ctx context.Context, up *cluster.Cluster, o options) (rows []row, err error) {
	before, err := goroutines(ctx, up.Master.Address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var all []*framework
	done := make(chan error, o.schedulers)
	for range o.schedulers {
		f, err := subscribe(ctx, up.Master.Address)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
		go func() { done <- f.listen(ctx) }()
	}
	timer := time.NewTimer(listening)
	defer timer.Stop()
	select {
	case <-timer.C:
	case err := <-done:
		return nil, errors.Join(errors.New("a scheduler lost its stream"), err)
	}
	memory, err := resident(up.Master.PID())
	if err != nil {
		return nil, err
	}
	cancel()
	for range all {
		<-done
	}
	for _, f := range all {
		f.close()
	}
	after, err := settledGoroutines(context.WithoutCancel(ctx), up.Master.Address, before)
	if err != nil {
		return nil, err
	}
	return []row{
		{fmt.Sprintf("memory of the master with %d schedulers", o.schedulers), fmt.Sprintf("%.0f MB", memory/1e6), "under 300 MB", verdict(memory < 300e6)},
		{"goroutines left when they have gone", fmt.Sprint(max(after-before, 0)), "none", verdict(after <= before)},
	}, nil
}

// listen declines whatever is offered.
func (f *framework) listen(ctx context.Context) error {
	for {
		var e scheduler.Event
		if err := f.stream.Next(&e); err != nil {
			return err
		}
		for _, o := range e.GetOffers().GetOffers() {
			if err := f.accept(ctx, o, 0); err != nil {
				return err
			}
		}
	}
}

// settledGoroutines waits until the master has no more goroutines than before, or does
// not lose any for a while.
func settledGoroutines(ctx context.Context, master string, before int) (int, error) {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	last, same := 0, 0
	for {
		n, err := goroutines(ctx, master)
		if err != nil || n <= before || same > 50 {
			return n, err
		}
		if same++; n != last {
			last, same = n, 0
		}
		<-tick.C
	}
}

// goroutines reads what the master says of itself.
func goroutines(ctx context.Context, master string) (int, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+master+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	request.Close = true // else the connection would count
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // read to its end
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		if text, ok := strings.CutPrefix(lines.Text(), "go_goroutines "); ok {
			return strconv.Atoi(text)
		}
	}
	return 0, errors.New("the master does not say how many goroutines it has")
}

// resident is the memory of a process, in bytes.
func resident(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if text, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kb, err := strconv.ParseFloat(strings.Fields(text)[0], 64)
			return kb * 1024, err
		}
	}
	return 0, fmt.Errorf("process %d has no VmRSS", pid)
}
