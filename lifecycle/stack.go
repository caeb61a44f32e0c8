package lifecycle

import (
	"container/list"
	"context"
	"errors"
	"sync"
	"sync/atomic"
)

// Stack holds what has been started and how to undo it. Undoing goes in exact
// reverse order, each entry exactly once, whoever asks, however often, from
// however many goroutines; what panics, fails or hangs is passed, and all errors
// are returned, joined. Undo steps run under the guard of the runner, each with
// its own limit, on a context that is alive even if the caller's is not.
type Stack struct {
	runner *Runner

	mu      sync.Mutex
	entries *list.List // of *Undo, oldest first
	pushed  uint64     // number of the newest entry ever
	closed  bool
	starts  map[uint64]context.CancelCauseFunc // under way
	started uint64                             // number of the newest start ever
	under   sync.WaitGroup                     // starts under way
}

// Mark is a height of a stack; the zero Mark is its bottom.
type Mark struct{ above uint64 }

// Undo is one entry of a stack: how to undo one thing.
type Undo struct {
	stack   *Stack
	number  uint64
	element *list.Element
	do      func(context.Context) error // guarded
	taken   atomic.Bool                 // by the one caller who does it
	done    chan struct{}
}

// NewStack returns an empty stack whose steps r runs.
func NewStack(r *Runner) *Stack {
	return &Stack{runner: r, entries: list.New(), starts: map[uint64]context.CancelCauseFunc{}}
}

// Start runs a step that makes something, under the guard of the stack's runner,
// and records how to undo it: as the step undoing, with the function undo, which gets what
// was made. With undo == nil there is nothing to undo, and the *Undo is nil.
//
// On a stack that is being closed it returns [ErrClosed] and runs nothing; a
// start that is under way when the stack closes has its context cancelled, and
// Close waits for it. If the step was abandoned and comes back late with something
// made, that is undone at once, in the goroutine of the step.
//
// When do returns an error, what else it returned is dropped.
func Start[T any](ctx context.Context, s *Stack, step Step, do func(context.Context) (T, error), undoing Step, undo func(context.Context, T) error) (T, *Undo, error) {
	var none T
	ctx, leave, err := s.enter(ctx)
	if err != nil {
		return none, nil, newStepError(step, err)
	}
	defer leave()
	made := new(T) // written by the step; read here only if it was not abandoned
	take := func(ctx context.Context) error { return undo(ctx, *made) }
	err = s.runner.run(ctx, step, func(ctx context.Context) (err error) {
		*made, err = do(ctx)
		return err
	}, func(failed error) {
		if failed == nil && undo != nil {
			_ = s.runner.Run(context.WithoutCancel(ctx), undoing, take) // events tell how it went
		}
	})
	if err != nil {
		return none, nil, err
	}
	if undo == nil {
		return *made, nil, nil
	}
	return *made, s.push(s.guarded(undoing, take)), nil
}

// Push records how to undo something that was started without [Start]. On a stack
// that is closed the step is run at once, and its error is returned with [ErrClosed].
func (s *Stack) Push(undoing Step, undo func(context.Context) error) (*Undo, error) {
	_, leave, err := s.enter(context.Background())
	if err != nil {
		return nil, errors.Join(newStepError(undoing, err), s.runner.Run(context.Background(), undoing, undo))
	}
	defer leave()
	return s.push(s.guarded(undoing, undo)), nil
}

// Nest pushes a stack onto s and returns it: for things that come and go while
// the rest stands. When the unwinding of s reaches it, it is closed. On a closed
// stack it is closed from the beginning.
func (s *Stack) Nest() *Stack {
	inner := NewStack(s.runner)
	_, leave, err := s.enter(context.Background())
	if err != nil {
		inner.closed = true
		return inner
	}
	defer leave()
	s.push(inner.Close)
	return inner
}

// Mark returns the present height, for Unwind.
func (s *Stack) Mark() Mark {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Mark{above: s.pushed}
}

// Len returns the number of entries yet to be undone.
func (s *Stack) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.Len()
}

// Unwind undoes what was started after the mark, newest first, and returns the
// errors of the steps that it ran. Of ctx only the values count. It returns when
// all of them are done or abandoned, also those another goroutine is undoing.
func (s *Stack) Unwind(ctx context.Context, to Mark) error {
	var all []error
	for {
		u := s.newest(to)
		if u == nil {
			return errors.Join(all...)
		}
		if err := u.Run(ctx); err != nil {
			all = append(all, err)
		}
	}
}

// Close ends the stack: no further start, those under way are cancelled and waited
// for, everything is undone. Errors are those of the steps this call ran.
func (s *Stack) Close(ctx context.Context) error {
	s.mu.Lock()
	s.closed = true
	for _, cancel := range s.starts {
		cancel(ErrClosed)
	}
	s.mu.Unlock()
	s.under.Wait()
	return s.Unwind(ctx, Mark{})
}

// Run undoes this one now, out of turn, and takes it off the stack. Only the first
// call does so and returns the error; others wait until it is done and return nil.
// Of ctx only the values count.
func (u *Undo) Run(ctx context.Context) error {
	if !u.taken.CompareAndSwap(false, true) {
		<-u.done
		return nil
	}
	defer close(u.done)
	defer u.stack.drop(u) // only after: what lies below must not be undone before
	return u.do(context.WithoutCancel(ctx))
}

func (s *Stack) guarded(undoing Step, undo func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error { return s.runner.Run(ctx, undoing, undo) }
}

// enter registers a start, unless the stack is closed.
func (s *Stack) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, nil, ErrClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	s.started++
	number := s.started
	s.starts[number] = cancel
	s.under.Add(1)
	return ctx, func() {
		cancel(nil)
		s.mu.Lock()
		delete(s.starts, number)
		s.mu.Unlock()
		s.under.Done()
	}, nil
}

func (s *Stack) push(do func(context.Context) error) *Undo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushed++
	u := &Undo{stack: s, number: s.pushed, do: do, done: make(chan struct{})}
	u.element = s.entries.PushBack(u)
	return u
}

// newest returns the newest entry above the mark, or nil. It stays on the stack.
func (s *Stack) newest(to Mark) *Undo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.entries.Back(); e != nil {
		if u := e.Value.(*Undo); u.number > to.above {
			return u
		}
	}
	return nil
}

func (s *Stack) drop(u *Undo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.entries.Remove(u.element)
}
