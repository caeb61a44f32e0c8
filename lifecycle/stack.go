package lifecycle

import (
	"context"
	"errors"
	"sync"
)

// Stack holds what has been started and how to undo it. Undoing goes in exact
// reverse order, each entry exactly once, whoever asks, however often, from
// however many goroutines; what panics, fails or hangs is passed, and all errors
// are returned, joined. Undo steps run under the guard of the runner, each with
// its own limit, on a context that is alive even if the caller's is not.
type Stack struct {
	runner *Runner
	place  *Undo // of a nested one, on the stack that it lies on; nil if that was closed

	mu     sync.Mutex
	top    *Undo // the newest; each knows its neighbours
	count  int
	pushed uint64 // number of the newest entry ever
	closed bool
	under  sync.WaitGroup // starts under way

	open context.Context // ended, with ErrClosed, when the stack closes: cancels starts under way
	end  context.CancelCauseFunc
}

// Mark is a height of a stack; the zero Mark is its bottom.
type Mark struct{ above uint64 }

// Undo is one entry of a stack: how to undo one thing.
type Undo struct {
	stack  *Stack
	number uint64
	step   Step // of a guarded entry
	do     func(context.Context) error
	nested bool // do needs no guard

	// Guarded by the stack's mu.
	below, above *Undo
	taken        bool          // by the one caller who does it
	gone         bool          // it is done
	done         chan struct{} // closed when it is done; nil if nobody waits
}

// NewStack returns an empty stack whose steps r runs.
func NewStack(r *Runner) *Stack {
	s := &Stack{runner: r}
	s.open, s.end = context.WithCancelCause(context.Background())
	return s
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
	if !s.enter() {
		return none, nil, newStepError(step, ErrClosed)
	}
	defer s.under.Done()
	made := new(T) // written by the step; read here only if it was not abandoned
	take := func(ctx context.Context) error { return undo(ctx, *made) }
	err := s.runner.run(ctx, s.open, step, func(ctx context.Context) (err error) {
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
	return *made, s.push(&Undo{step: undoing, do: take}), nil
}

// Push records how to undo something that was started without [Start]. On a stack
// that is closed the step is run at once, and its error is returned with [ErrClosed].
func (s *Stack) Push(undoing Step, undo func(context.Context) error) (*Undo, error) {
	if !s.enter() {
		return nil, errors.Join(newStepError(undoing, ErrClosed), s.runner.Run(context.Background(), undoing, undo))
	}
	defer s.under.Done()
	return s.push(&Undo{step: undoing, do: undo}), nil
}

// Nest pushes a stack onto s and returns it: for things that come and go while
// the rest stands. When the unwinding of s reaches it, it is closed. On a closed
// stack it is closed from the beginning.
func (s *Stack) Nest() *Stack {
	inner := NewStack(s.runner)
	if !s.enter() {
		inner.closed = true
		return inner
	}
	defer s.under.Done()
	inner.place = s.push(&Undo{do: inner.Close, nested: true})
	return inner
}

// Leave closes a nested stack out of turn, and takes it off the one that it lies on.
// Like [Undo.Run] it does so once, and others wait.
func (s *Stack) Leave(ctx context.Context) error {
	if s.place == nil {
		return s.Close(ctx)
	}
	return s.place.Run(ctx)
}

// Finally pushes a function that is called when the unwinding of s reaches it: for
// the books of whoever has started something, which say what stands. It is no step
// and has no events; it must not panic, and returns in bounded time. On a closed stack it is called at once.
func (s *Stack) Finally(f func()) {
	if !s.enter() {
		f()
		return
	}
	defer s.under.Done()
	s.push(&Undo{do: func(context.Context) error { f(); return nil }, nested: true})
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
	return s.count
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
	s.mu.Unlock()
	s.end(ErrClosed)
	s.under.Wait()
	return s.Unwind(ctx, Mark{})
}

// Run undoes this one now, out of turn, and takes it off the stack. Only the first
// call does so and returns the error; others wait until it is done and return nil.
// Of ctx only the values count.
func (u *Undo) Run(ctx context.Context) error {
	if wait := u.take(); wait != nil {
		<-wait
		return nil
	}
	defer u.stack.drop(u) // only after: what lies below must not be undone before
	ctx = context.WithoutCancel(ctx)
	if u.nested {
		return u.do(ctx)
	}
	return u.stack.runner.Run(ctx, u.step, u.do)
}

// take returns nil to the one caller who is to do it, and to others what to wait for.
func (u *Undo) take() (wait <-chan struct{}) {
	u.stack.mu.Lock()
	defer u.stack.mu.Unlock()
	if !u.taken {
		u.taken = true
		return nil
	}
	if u.done == nil {
		u.done = make(chan struct{})
		if u.gone {
			close(u.done)
		}
	}
	return u.done
}

// enter registers a start, which ends by under.Done, unless the stack is closed.
func (s *Stack) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.under.Add(1)
	return true
}

func (s *Stack) push(u *Undo) *Undo {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pushed++
	s.count++
	u.stack, u.number, u.below = s, s.pushed, s.top
	if s.top != nil {
		s.top.above = u
	}
	s.top = u
	return u
}

// newest returns the newest entry above the mark, or nil. It stays on the stack.
func (s *Stack) newest(to Mark) *Undo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.top != nil && s.top.number > to.above {
		return s.top
	}
	return nil
}

// drop takes an entry off that is done.
func (s *Stack) drop(u *Undo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u.above == nil {
		s.top = u.below
	} else {
		u.above.below = u.below
	}
	if u.below != nil {
		u.below.above = u.above
	}
	u.below, u.above = nil, nil
	s.count--
	u.gone = true
	if u.done != nil {
		close(u.done)
	}
}
