package manager

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// How a process is started again where the manifest does not say.
const (
	DefaultRestarts = 5
	DefaultWithin   = time.Minute
	DefaultBackoff  = 100 * time.Millisecond
	DefaultLongest  = 10 * time.Second
)

// LostError says that a module that the daemon cannot be without is lost for good: the
// process of its library, or of the library of a module that it requires, ended and
// could not be started again.
type LostError struct {
	Module   string
	Library  string // of the process
	Attempts int    // to start it again
	Cause    error  // what the last of them failed with, or why the process ended
}

func (e *LostError) Error() string {
	return fmt.Sprintf("module %s is lost for good, and the daemon cannot be without it: library %s was not started again (%s): %v",
		e.Module, e.Library, attempts(e.Attempts), e.Cause)
}

func (e *LostError) Unwrap() error { return e.Cause }

func attempts(n int) string {
	if n == 1 {
		return "1 attempt"
	}
	return fmt.Sprintf("%d attempts", n)
}

// Failed gives one error, a *[LostError], when a module is lost for good that the
// manifest does not call optional and for which no other takes over. The daemon then
// stops, in order. The channel is never closed, and gives nothing in the ordinary course
// of things.
func (m *Manager) Failed() <-chan error { return m.failed }

// supervised is one library whose process is watched, and started again when it ends.
type supervised struct {
	m       *Manager
	lib     *library
	restart manifest.Restart // without gaps
	group   *group
	tries   []time.Time // attempts within the time of the limit
}

// supervise watches every process from now on until teardown, which begins by waiting
// for what is under way. Each has a goroutine of its own.
func (m *Manager) supervise() {
	libs := m.mortals()
	if len(libs) == 0 {
		return
	}
	ctx, cancel := context.WithCancel(m.seq.Lifetime())
	groups := m.makeGroups(libs)
	var under sync.WaitGroup
	for _, lib := range libs {
		s := &supervised{m: m, lib: lib, restart: restartOr(lib.process.Restart), group: groups[lib]}
		under.Go(func() { s.run(ctx) })
	}
	m.seq.Stack().Finally(func() {
		cancel()
		under.Wait()
	})
}

// restartOr fills what the manifest leaves open.
func restartOr(r manifest.Restart) manifest.Restart {
	return manifest.Restart{
		Limit:   cmp.Or(r.Limit, DefaultRestarts),
		Within:  cmp.Or(r.Within, DefaultWithin),
		Backoff: cmp.Or(r.Backoff, DefaultBackoff),
		Longest: cmp.Or(r.Longest, DefaultLongest),
	}
}

// mortals returns the libraries that have a process, in load order.
func (m *Manager) mortals() []*library {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(m.libraries), func(lib *library) bool {
		_, mortal := lib.open.(vehicle.Mortal)
		return !mortal
	})
}

// allAlive says which processes have ended although supervision has not begun: then a
// phase has failed.
func (m *Manager) allAlive() error {
	var errs []error
	for _, lib := range m.mortals() {
		if cause := goneFrom(lib.open); cause != nil {
			errs = append(errs, cause)
		}
	}
	return errors.Join(errs...)
}

// goneFrom returns why the process of an open library has ended; nil if it has not,
// or the library has none.
func goneFrom(open vehicle.Library) *vehicle.GoneError {
	mortal, ok := open.(vehicle.Mortal)
	if !ok {
		return nil
	}
	select {
	case <-mortal.Gone():
		return mortal.Cause()
	default:
		return nil
	}
}

// goneWith is why a module's process ended, with its name.
func (mod *module) goneWith(cause *vehicle.GoneError) *vehicle.GoneError {
	named := *cause
	named.Module = mod.name
	return &named
}

// run watches the process, and the one after it, until ctx ends or the library is
// given up.
func (s *supervised) run(ctx context.Context) {
	for {
		mortal := s.mortal()
		select {
		case <-mortal.Gone():
		case <-ctx.Done():
			return
		}
		if !s.recover(ctx, mortal) {
			return
		}
	}
}

func (s *supervised) mortal() vehicle.Mortal {
	s.m.mu.RLock()
	defer s.m.mu.RUnlock()
	return s.lib.open.(vehicle.Mortal)
}

// recover starts a process again that is gone; false if that is over for good.
func (s *supervised) recover(ctx context.Context, dead vehicle.Mortal) bool {
	since := s.m.bus.Now()
	s.lose(ctx, dead)
	var last error = dead.Cause()
	for attempt := 1; ; attempt++ {
		wait, more := s.next()
		if attempt > 1 {
			s.m.bus.Publish(lifecycle.RestartFailed{Header: s.header(), Attempt: attempt - 1, Wait: wait, Err: last.Error()})
		}
		if !more {
			return s.giveUp(ctx, dead, since, attempt-1, last)
		}
		if !sleep(ctx, wait) {
			return false
		}
		s.tries = append(s.tries, time.Now())
		if last = s.attempt(ctx, dead, since, attempt); last == nil {
			return true
		}
		if ctx.Err() != nil {
			return false
		}
	}
}

func (s *supervised) header() lifecycle.Header { return lifecycle.Header{Library: s.lib.shown()} }

// next returns how long to wait before the next attempt, and whether there may be one.
// The wait doubles with each attempt within the time of the limit.
func (s *supervised) next() (wait time.Duration, more bool) {
	begin := time.Now().Add(-s.restart.Within)
	s.tries = slices.DeleteFunc(s.tries, func(t time.Time) bool { return !t.After(begin) })
	if len(s.tries) >= s.restart.Limit {
		return 0, false
	}
	wait = s.restart.Backoff
	for range s.tries {
		wait = min(2*wait, s.restart.Longest)
	}
	return min(wait, s.restart.Longest), true
}

// sleep waits; false if ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}

// lose tells that the process is gone, and closes what is gone with it and what
// requires that.
func (s *supervised) lose(ctx context.Context, dead vehicle.Mortal) {
	cause := dead.Cause()
	s.m.bus.Publish(lifecycle.ProcessLost{Header: s.header(), PID: cause.PID, End: cause.End.String(), Cause: cause.Detail, Said: cause.Said})
	s.m.mu.Lock()
	s.lib.down = cause
	s.lib.lives.lost(s.m.bus.Now(), cause)
	s.m.mu.Unlock()
	defer s.group.take()()
	s.m.empty(ctx, s.m.leave(s.lib, cause))
}

// attempt starts a process, and makes and binds what was in the one before and what
// requires that. If any of it fails, all of it is undone.
func (s *supervised) attempt(ctx context.Context, dead vehicle.Mortal, since time.Time, number int) error {
	process := lifecycle.NewStack(s.m.runner)
	fresh, err := s.launch(ctx, process, dead)
	if err != nil {
		return err
	}
	defer s.group.take()()
	s.arrive(fresh)
	done, err := s.m.refill(ctx, s.group, s.lib)
	if gone := goneFrom(fresh); err == nil && gone != nil {
		err = gone
	}
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		s.m.empty(ctx, s.m.leave(s.lib, s.depart(dead)))
		return errors.Join(err, process.Close(ctx))
	}
	s.arrived(ctx, dead, fresh, since, number)
	s.m.restarted(done)
	s.m.stoodIn(done)
	return nil
}

// launch starts a process as a guarded step; it is closed by the stack.
func (s *supervised) launch(ctx context.Context, process *lifecycle.Stack, dead vehicle.Mortal) (vehicle.Mortal, error) {
	fresh, _, err := lifecycle.Start(ctx, process,
		lifecycle.Step{Phase: lifecycle.Instantiate, Library: s.lib.shown(), Name: "restart", Limit: s.lib.limits.Open},
		dead.Again,
		lifecycle.Step{Phase: lifecycle.Teardown, Library: s.lib.shown(), Name: "stop", Limit: s.lib.limits.Close},
		func(_ context.Context, fresh vehicle.Mortal) error { return fresh.Close() })
	return fresh, err
}

// arrive puts a process in the place of the one that is gone.
func (s *supervised) arrive(fresh vehicle.Mortal) {
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.lib.open, s.lib.down = fresh, nil
}

// depart takes it back, and returns why the library has no process.
func (s *supervised) depart(dead vehicle.Mortal) *vehicle.GoneError {
	cause := goneFrom(s.lib.open)
	if cause == nil {
		cause = dead.Cause()
	}
	s.m.mu.Lock()
	defer s.m.mu.Unlock()
	s.lib.open, s.lib.down = dead, cause
	return cause
}

// arrived tells that the process is there to stay, and gives back the one before.
func (s *supervised) arrived(ctx context.Context, dead, fresh vehicle.Mortal, since time.Time, number int) {
	s.m.mu.Lock()
	s.lib.lives.restarted(s.m.bus.Now())
	s.m.mu.Unlock()
	// The error of giving back what is gone says nothing new, and the step tells it.
	_ = s.m.runner.Run(context.WithoutCancel(ctx),
		lifecycle.Step{Phase: lifecycle.Instantiate, Library: s.lib.shown(), Name: "release", Limit: s.lib.limits.Close},
		func(context.Context) error { return dead.Close() })
	s.m.bus.Publish(lifecycle.ProcessRestarted{Header: s.header(), PID: fresh.PID(), Attempt: number, Duration: s.m.bus.Now().Sub(since)})
}
