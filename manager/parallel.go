package manager

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/verify"
)

// sideBySide is how many processes are started, or make their modules, at the same
// time.
func sideBySide() int { return max(4, 2*runtime.GOMAXPROCS(0)) }

// making is one module whose shared instance is being made.
type making struct {
	mod      *module
	required bool
	behind   []*making        // those that have to be made before
	stack    *lifecycle.Stack // takes what is started for it
	made     chan struct{}    // closed when it is made, and only then
	err      error
}

// besideError is why a module is not made that nothing is wrong with. It is the cause of
// the context of its step.
type besideError struct{ module string }

func (e *besideError) Error() string { return fmt.Sprintf("given up because of module %s", e.module) }

// makeAll makes the shared instances of all modules that the plan needs. A process
// makes its modules one after another, in plan order, and so does the daemon:
// constructors of one library never meet. Processes make theirs at the same time, so
// far as the plan's order of one behind the other leaves them to. What is started lies
// on the phase's stack in plan order, whoever was first. The first failure ends the
// work; the errors come in plan order.
func (m *Manager) makeAll(ctx context.Context, plan *verify.Plan, required map[string]bool) error {
	all, lines := m.lineUp(plan, required)
	group, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	places := make(chan struct{}, sideBySide())
	var others sync.WaitGroup
	for _, line := range lines[1:] {
		others.Go(func() { m.makeLine(group, stop, line, places) })
	}
	m.makeLine(group, stop, lines[0], nil)
	others.Wait()
	var errs []error
	for _, x := range all {
		if x.err != nil && !x.beside(context.Cause(group)) {
			errs = append(errs, x.err)
		}
	}
	if len(errs) > 0 {
		return errors.Join(errs...)
	}
	return context.Cause(ctx)
}

// lineUp returns what is to be made in plan order, and the same in lines: the daemon's
// first, then one of each process, in the order of their first modules.
func (m *Manager) lineUp(plan *verify.Plan, required map[string]bool) (all []*making, lines [][]*making) {
	lines = make([][]*making, 1)
	lineOf := map[*library]int{}
	byName := make(map[string]*making, len(plan.Needed))
	for _, name := range plan.Needed {
		x := &making{mod: m.moduleOf(name), required: required[name], stack: m.seq.Stack().Nest(), made: make(chan struct{})}
		for _, other := range plan.Graph.Behind(name) {
			if before := byName[other]; before != nil { // else no instance of it is made
				x.behind = append(x.behind, before)
			}
		}
		line := 0
		if lib := x.mod.library; lib.isolated {
			if lineOf[lib] == 0 {
				lineOf[lib] = len(lines)
				lines = append(lines, nil)
			}
			line = lineOf[lib]
		}
		byName[name] = x
		all = append(all, x)
		lines[line] = append(lines[line], x)
	}
	return all, lines
}

// makeLine makes the modules of one process one after another, until one fails or ctx
// ends. A place is taken only by who need not wait for another module, so lines
// cannot wait for each other in a circle. places is nil for the daemon's.
func (m *Manager) makeLine(ctx context.Context, stop context.CancelCauseFunc, line []*making, places chan struct{}) {
	for _, x := range line {
		if !x.wait(ctx) {
			return
		}
		if places != nil {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return
			}
		}
		x.err = m.makeOne(ctx, x)
		if places != nil {
			<-places
		}
		if x.err != nil {
			stop(&besideError{x.mod.name})
			return
		}
		close(x.made)
	}
}

// makeOne is guarded: the daemon does not end because something of it panics in a
// goroutine of its own.
func (m *Manager) makeOne(ctx context.Context, x *making) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("module %s: %w", x.mod.name, lifecycle.Recovered(v))
		}
	}()
	if err := m.makeShared(ctx, x.stack, x.mod, x.required); err != nil {
		return err
	}
	m.reached(lifecycle.Instantiate, x.mod)
	return nil
}

// wait waits for those that have to be made before; false if ctx ends first.
func (x *making) wait(ctx context.Context) bool {
	for _, other := range x.behind {
		select {
		case <-other.made:
		case <-ctx.Done():
			return false
		}
	}
	return true
}

// beside says whether the module failed only because it was given up for another one.
// What went wrong beside that, or hung, is worth telling.
func (x *making) beside(cause error) bool {
	other, ok := cause.(*besideError) //nolint:errorlint // it is not wrapped
	if !ok || other.module == x.mod.name {
		return false
	}
	for err := x.err; err != nil; err = errors.Unwrap(err) { // an error of its own has the cause joined to it
		if err == cause { //nolint:errorlint // as above
			return true
		}
	}
	return errors.Is(x.err, context.Canceled)
}
