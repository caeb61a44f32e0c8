package lifecycle

import (
	"context"
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
	return r.run(ctx, s, do, nil)
}

// run is Run with a function for the step that comes back late: it is called with
// its error, in its goroutine, after the events that say so.
func (r *Runner) run(ctx context.Context, s Step, do func(context.Context) error, late func(error)) error {
	s.Limit = r.limit(s.Limit)
	if ctx.Err() != nil {
		return newStepError(s, fmt.Errorf("not begun: %w", context.Cause(ctx)))
	}
	began := r.Bus.publish(StepBegan{Header: s.header(), Step: s.Name, Limit: s.Limit})
	own := newStepContext(ctx, s.Limit)
	defer own.end()

	a := &attempt{done: make(chan *StepError, 1)}
	a.late = func(err *StepError) {
		r.Bus.Publish(StepReturnedLate{Header: s.header(), Step: s.Name, Duration: r.Bus.since(began), Err: err.message()})
		if late != nil {
			late(err.orNil())
		}
	}
	go a.run(own, s, do)
	failed := r.wait(own, a, s, began)

	if failed != nil {
		// No errors.As here: it would call methods of a module's error unguarded.
		if p, ok := failed.Err.(*PanicError); ok {
			r.Bus.Publish(StepPanicked{Header: s.header(), Step: s.Name, Value: p.Value, Stack: p.Stack})
		}
	}
	r.Bus.Publish(StepEnded{Header: s.header(), Step: s.Name, Duration: r.Bus.since(began), Err: failed.message()})
	if a.left != nil {
		close(a.left)
	}
	return failed.orNil()
}

// wait returns how the attempt ended, or gives it up.
func (r *Runner) wait(ctx context.Context, a *attempt, s Step, began time.Time) *StepError {
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
	cause := context.Cause(ctx)
	r.Bus.Publish(StepAbandoned{Header: s.header(), Step: s.Name, Limit: s.Limit, Cause: textOf(cause)})
	return newStepError(s, &AbandonedError{Step: s, After: r.Bus.since(began), Cause: cause})
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
	settled atomic.Bool
	done    chan *StepError // capacity 1, gets the result unless given up
	left    chan struct{}   // set by giveUp; closed when the abandonment has been told
	late    func(*StepError)
}

func (a *attempt) giveUp(left chan struct{}) bool {
	a.left = left
	if a.settled.CompareAndSwap(false, true) {
		return true
	}
	a.left = nil
	return false
}

func (a *attempt) run(ctx context.Context, s Step, do func(context.Context) error) {
	var failed *StepError
	returned := false
	defer func() {
		if v := recover(); v != nil {
			failed = newStepError(s, Recovered(v))
		} else if !returned {
			failed = newStepError(s, &PanicError{Value: goexit})
		}
		if a.settled.CompareAndSwap(false, true) {
			a.done <- failed
			return
		}
		<-a.left // so that "late" comes after "abandoned"
		a.late(failed)
	}()
	if err := do(ctx); err != nil {
		if cause := context.Cause(ctx); cause != ctx.Err() { // more to say than "deadline exceeded"
			err = fmt.Errorf("%w (%w)", err, cause)
		}
		failed = newStepError(s, err) // here, because Error of a module's error may hang
	}
	returned = true
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
