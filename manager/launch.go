package manager

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// launched is what came of starting a library's process.
type launched struct {
	mortal      vehicle.Mortal
	description vehicle.Description
	stack       *lifecycle.Stack // closes the library until it is in the books; nil then
}

// launch starts the processes of all isolated libraries, several at the same time, and
// waits for all of them. Each opens its library, which is its trial as well. One that
// fails costs a finding and no other; when ctx ends none is left.
func (l *loading) launch(ctx context.Context) error {
	var wanted []*candidate
	for _, c := range l.files {
		if c.library == nil && c.isolated {
			wanted = append(wanted, c)
		}
	}
	errs := make([]error, len(wanted))
	places := make(chan struct{}, sideBySide())
	var all sync.WaitGroup
	for i, c := range wanted {
		select {
		case places <- struct{}{}:
		case <-ctx.Done():
		}
		if ctx.Err() != nil {
			break
		}
		all.Go(func() {
			errs[i] = l.m.launch(ctx, c)
			<-places
		})
	}
	all.Wait()
	if ctx.Err() != nil {
		return fmt.Errorf("start the processes of the libraries: %w", context.Cause(ctx))
	}
	for i, c := range wanted {
		if errs[i] != nil {
			l.drop(c, launchRefusal(errs[i], c.limits(l.m).Open))
		}
	}
	return nil
}

// launch starts one process as a guarded step. A process that is there after the step
// was given up is ended.
func (m *Manager) launch(ctx context.Context, c *candidate) error {
	limits, stack := c.limits(m), lifecycle.NewStack(m.runner)
	made, _, err := lifecycle.Start(ctx, stack,
		lifecycle.Step{Phase: lifecycle.Load, Library: c.path, Name: "launch", Limit: limits.Open},
		func(ctx context.Context) (launched, error) {
			allowed, err := m.confinement(c)
			if err != nil {
				return launched{}, err
			}
			mortal, d, err := m.cfg.Launcher.Launch(ctx, c.file, c.description, allowed)
			return launched{mortal: mortal, description: d}, err
		},
		lifecycle.Step{Phase: lifecycle.Teardown, Library: c.path, Name: "close", Limit: limits.Close},
		func(_ context.Context, made launched) error { return made.mortal.Close() })
	if err != nil {
		return err
	}
	c.launched, c.description = made, made.description
	c.launched.stack = stack
	return nil
}

// launchRefusal makes a finding's words of why a process could not be started, or did not
// last.
func launchRefusal(err error, limit time.Duration) error {
	var refusal *vehicle.Refusal
	if errors.As(err, &refusal) {
		return refusal
	}
	refusal = &vehicle.Refusal{Rule: finding.LibraryOpens, Cause: err, Mend: "look at what the library runs while it is opened"}
	var gone *vehicle.GoneError
	said := ""
	if errors.As(err, &gone) && gone.Said != "" {
		said = "; it said: " + gone.Said
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		refusal.Problem = fmt.Sprintf("the library was not open after %v%s", limit, said)
		refusal.Mend += ", or raise --module_open_limit if it is only slow"
	case gone != nil:
		refusal.Problem = fmt.Sprintf("the process of the library ended while it was opened: %s%s", gone.Detail, said)
		if gone.End == vehicle.EndMemory {
			refusal.Mend += `, or raise "memory" of its "process"`
		}
	default:
		refusal.Problem = "the library could not be opened in a process of its own: " + reason(err).Error()
	}
	return refusal
}

// adopt puts a library whose process runs into the books, where the manifest has it.
func (l *loading) adopt(c *candidate) error {
	lib := &library{path: c.path, file: c.file, description: c.description, limits: c.limits(l.m), isolated: true, process: c.process}
	lib.open = c.launched.mortal
	closing := lifecycle.Step{Phase: lifecycle.Teardown, Library: lib.shown(), Name: "close", Limit: lib.limits.Close}
	c.launched.stack = nil
	undo, err := l.m.seq.Stack().Push(closing, func(context.Context) error { return l.m.closeLibrary(lib, l.m.openOf(lib)) })
	if err != nil {
		return err
	}
	l.m.enlist(lib, c.launched.mortal, undo)
	c.library = lib
	return nil
}

// giveUp ends the processes that have not come into the books, the last first.
func (l *loading) giveUp(ctx context.Context) error {
	var errs []error
	for _, c := range slices.Backward(l.files) {
		if c.launched.stack != nil {
			errs = append(errs, c.launched.stack.Close(ctx))
			c.launched.stack = nil
		}
	}
	return errors.Join(errs...)
}
