package checks

import (
	"context"
	"errors"
	"sync"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Reports takes what is found. The functions are called from the goroutines of Run, one call at a time each, and hold
// up only the check that they are of.
type Reports struct {
	Check  func(*mesosv1.CheckStatusInfo)
	Health func(Health)
}

// Set is the check and the health check of one task, each of which it may lack.
type Set struct {
	mu     sync.Mutex // held by Run
	check  *checker
	health *healthChecker
}

// New makes the set of a task. The grace period of its health check begins. The error is about checks of unknown type;
// the set has the others.
func New(task *mesosv1.TaskInfo, probes Probes, reports Reports) (*Set, error) {
	s := &Set{}
	var checkErr, healthErr error
	if info := task.GetCheck(); info != nil {
		s.check, checkErr = newChecker(info, probes, reports.Check)
	}
	if info := task.GetHealthCheck(); info != nil {
		s.health, healthErr = newHealthChecker(info, probes, reports.Health)
	}
	return s, errors.Join(checkErr, healthErr)
}

// Run makes attempts until ctx ends, at once if there is nothing to check. It may be called again: the first attempts
// then come after an interval, and what was found before is remembered. A second call waits for the first to return.
func (s *Set) Run(ctx context.Context) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var both sync.WaitGroup
	if s.check != nil {
		both.Go(func() { s.check.pace.run(ctx, s.check.attempt) })
	}
	if s.health != nil {
		both.Go(func() { s.health.pace.run(ctx, s.health.attempt) })
	}
	both.Wait()
}

// pace says when attempts are made.
type pace struct {
	first, interval time.Duration
	begun           bool
}

func (p *pace) run(ctx context.Context, attempt func(context.Context)) {
	wait := p.interval
	if !p.begun {
		p.begun, wait = true, p.first
	}
	for {
		timer := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			timer.Stop()
			return
		case <-timer.C:
		}
		attempt(ctx)
		wait = p.interval
	}
}

// seconds is a duration of a message, which the master has found to be valid.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }
