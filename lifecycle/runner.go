package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"
)

const (
	// DefaultLimit is the limit of a step that has none, on a runner that has none.
	DefaultLimit = 30 * time.Second
	// DefaultGrace is how long a step may take to come back after its context has
	// ended before it is given up.
	DefaultGrace = 250 * time.Millisecond
)

// Step says what is done to whom. Module or Library or both are set.
type Step struct {
	Phase   Phase
	Module  string
	Library string
	Name    string        // open, check, create, bind, drain, close, …
	Limit   time.Duration // 0: the runner's

	// Direct is for what runs no foreign code, heeds its context and cannot hang:
	// it gets no goroutine of its own, and cannot be abandoned.
	Direct bool
}

// String names the step for errors: "module org_a of library liba.so: create".
func (s Step) String() string {
	switch {
	case s.Module == "" && s.Library == "":
		return s.Name
	case s.Module == "":
		return fmt.Sprintf("library %s: %s", s.Library, s.Name)
	case s.Library == "":
		return fmt.Sprintf("module %s: %s", s.Module, s.Name)
	}
	return fmt.Sprintf("module %s of library %s: %s", s.Module, s.Library, s.Name)
}

func (s Step) header() Header { return Header{Phase: s.Phase, Module: s.Module, Library: s.Library} }

// Runner runs steps under guard. The zero value is good; do not change the
// fields after first use.
type Runner struct {
	Bus   *Bus          // nil: no events
	Limit time.Duration // of steps that have none; 0: DefaultLimit
	Grace time.Duration // 0: DefaultGrace
}

// Run runs one step and waits for it. Its error is nil or a *[StepError].
//
// The step gets a context that ends with ctx and at its limit. If it does not
// come back within the runner's grace after that, it is abandoned: Run returns (an
// error that is [ErrAbandoned]) and leaves the goroutine behind. A panic and
// [runtime.Goexit] are errors (*[PanicError]). If ctx has ended before, the step
// is not begun and there are no events. A step that succeeds within the grace has succeeded.
//
// Waiting ends when ctx ends: clean-up must run on a context that is alive
// ([context.WithoutCancel]); [Stack] sees to that.
func (r *Runner) Run(ctx context.Context, s Step, do func(context.Context) error) error {
	return r.run(ctx, nil, s, do, nil)
}

// run is Run with the context of a stack, whose end also ends the step, and with a
// function for the step that comes back late: it is called with its error, in its
// goroutine, after the events that say so. Both may be nil.
func (r *Runner) run(ctx, stack context.Context, s Step, do func(context.Context) error, late func(error)) error {
	s.Limit = r.limit(s.Limit)
	for _, c := range [...]context.Context{ctx, stack} {
		if c != nil && c.Err() != nil {
			return newStepError(s, fmt.Errorf("not begun: %w", context.Cause(c)))
		}
	}
	began := r.Bus.issue(func(seq uint64, at time.Time) Event {
		return StepBegan{Header: s.header().at(seq, stamp(at)), Step: s.Name, Limit: s.Limit}
	})
	own := newStepContext(ctx, stack, s.Limit)
	defer own.end()

	var failed *StepError
	var left chan struct{} // closed when the abandonment has been told
	if s.Direct {
		failed = guarded(own, &s, do)
	} else {
		a := &attempt{runner: r, step: s, began: began, late: late, done: make(chan *StepError, 1)}
		go a.run(own, do)
		failed = r.wait(own, a)
		left = a.left
	}

	if failed != nil {
		// No errors.As here: it would call methods of a module's error unguarded.
		if p, ok := failed.Err.(*PanicError); ok {
			r.Bus.Publish(StepPanicked{Header: s.header(), Step: s.Name, Value: p.Value, Stack: p.Stack})
		}
	}
	r.Bus.issue(func(seq uint64, at time.Time) Event {
		return StepEnded{Header: s.header().at(seq, stamp(at)), Step: s.Name, Duration: max(0, at.Sub(began)), Err: failed.message()}
	})
	if left != nil {
		close(left)
	}
	return failed.orNil()
}

// wait returns how the attempt ended, or gives it up.
func (r *Runner) wait(ctx context.Context, a *attempt) *StepError {
	runtime.Gosched() // most steps are over after that, and need no timer
	select {
	case failed := <-a.done:
		return failed
	default:
	}
	select {
	case failed := <-a.done:
		return failed
	case <-ctx.Done():
	}
	grace := time.NewTimer(r.grace())
	defer grace.Stop()
	select {
	case failed := <-a.done:
		return failed
	case <-grace.C:
	}
	left := make(chan struct{})
	if !a.giveUp(left) {
		return <-a.done // it came back just now
	}
	s, cause := a.step, context.Cause(ctx)
	r.Bus.Publish(StepAbandoned{Header: s.header(), Step: s.Name, Limit: s.Limit, Cause: textOf(cause)})
	return newStepError(s, &AbandonedError{Step: s, After: r.Bus.since(a.began), Cause: cause})
}

func (r *Runner) limit(own time.Duration) time.Duration {
	switch {
	case own > 0:
		return own
	case r.Limit > 0:
		return r.Limit
	}
	return DefaultLimit
}

func (r *Runner) grace() time.Duration {
	if r.Grace > 0 {
		return r.Grace
	}
	return DefaultGrace
}

// attempt is one run of a step in its goroutine. Either the step comes back first,
// and its result goes to the waiting runner, or it is given up first, and
// its result is late: settled decides.
type attempt struct {
	runner *Runner
	step   Step
	began  time.Time
	late   func(error) // may be nil

	settled atomic.Bool
	done    chan *StepError // capacity 1, gets the result unless given up
	left    chan struct{}   // set by giveUp; closed when the abandonment has been told
}

func (a *attempt) giveUp(left chan struct{}) bool {
	a.left = left
	if a.settled.CompareAndSwap(false, true) {
		return true
	}
	a.left = nil
	return false
}

func (a *attempt) run(ctx context.Context, do func(context.Context) error) {
	var failed *StepError
	returned := false
	defer func() {
		if !returned {
			failed = newStepError(a.step, &PanicError{Value: goexit})
		}
		a.ended(failed)
	}()
	failed = guarded(ctx, &a.step, do)
	returned = true
}

// ended hands the result to the waiting runner, or tells that it is late.
func (a *attempt) ended(failed *StepError) {
	if a.settled.CompareAndSwap(false, true) {
		a.done <- failed
		return
	}
	<-a.left // so that "late" comes after "abandoned"
	bus := a.runner.Bus
	bus.Publish(StepReturnedLate{Header: a.step.header(), Step: a.step.Name, Duration: bus.since(a.began), Err: failed.message()})
	if a.late != nil {
		a.late(failed.orNil())
	}
}

// guarded runs do and makes an error of a panic.
func guarded(ctx context.Context, s *Step, do func(context.Context) error) (failed *StepError) {
	defer func() {
		if v := recover(); v != nil {
			failed = newStepError(*s, Recovered(v))
		}
	}()
	err := do(ctx)
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != ctx.Err() && !errors.Is(err, cause) { // more to say than "deadline exceeded", and not said yet
		err = fmt.Errorf("%w (%w)", err, cause)
	}
	return newStepError(*s, err) // here, because Error of a module's error may hang
}

func (e *StepError) message() string {
	if e == nil {
		return ""
	}
	return e.text
}

// orNil avoids the typed nil.
func (e *StepError) orNil() error {
	if e == nil {
		return nil
	}
	return e
}
