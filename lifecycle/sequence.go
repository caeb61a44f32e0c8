package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Sequence takes the whole system through its phases: forward with Do, backward
// with Undo or Close. One thing happens at a time; a second caller waits, and only
// Close interrupts.
type Sequence struct {
	bus     *Bus
	machine *Machine
	stack   *Stack

	life   context.Context // ended by Close: cancels a phase under way
	end    context.CancelCauseFunc
	alive  context.Context // ended when the teardown begins
	down   context.CancelFunc
	turn   chan struct{}  // holds one token while a phase or an undo is under way
	done   Phase          // the last one that is done, zero if none
	marks  [Bind + 1]Mark // height of the stack before each phase
	tear   time.Time      // when the teardown began
	result error          // of the teardown so far
}

// NewSequence returns a sequence in state [New] whose steps r runs, with events on
// r's bus.
func NewSequence(r *Runner) *Sequence {
	q := &Sequence{bus: r.Bus, machine: NewMachine(r.Bus), stack: NewStack(r), turn: make(chan struct{}, 1)}
	q.life, q.end = context.WithCancelCause(context.Background())
	q.alive, q.down = context.WithCancel(context.Background())
	return q
}

// Lifetime ends when the teardown begins, before anything is undone. It is what
// the things that were started may hang their background work on.
func (q *Sequence) Lifetime() context.Context { return q.alive }

// State returns the present state of the whole.
func (q *Sequence) State() State { return q.machine.State() }

// Stack returns the stack on which the phases record what they start.
func (q *Sequence) Stack() *Stack { return q.stack }

// Do runs a phase: work, which records on [Sequence.Stack] what it starts. If work
// fails or panics, or ctx has ended when it returns, everything recorded meanwhile
// is undone, the state is the one before, and the errors are joined.
//
// The context of work ends with ctx and with Close. Errors: *[TransitionError] if
// it is not this phase's turn, [ErrClosed] after Close, else those of work and of
// undoing. Load may be repeated until verification.
func (q *Sequence) Do(ctx context.Context, p Phase, work func(context.Context) error) error {
	during, after, err := statesOf(p)
	if err != nil {
		return err
	}
	defer q.take()()
	if q.life.Err() != nil {
		return fmt.Errorf("%s: %w", p, context.Cause(q.life))
	}
	before := q.machine.State()
	if err := q.machine.To(during); err != nil {
		return fmt.Errorf("%s: %w", p, err)
	}
	mark := q.stack.Mark()
	began := q.bus.publish(PhaseBegan{Header{Phase: p}})
	err = q.attempt(ctx, work)
	if err != nil {
		err = fmt.Errorf("%s: %w", p, errors.Join(err, q.stack.Unwind(ctx, mark)))
		after = before
	} else {
		q.done, q.marks[p] = p, mark
	}
	q.bus.Publish(PhaseEnded{Header: Header{Phase: p}, Duration: q.bus.since(began), Err: textOf(err)})
	return errors.Join(err, q.machine.To(after))
}

// attempt runs work, guarded, on a context that ends with ctx and with q. It has
// a goroutine of its own for the sake of runtime.Goexit alone.
func (q *Sequence) attempt(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(q.life, func() { cancel(context.Cause(q.life)) })()
	done := make(chan error, 1)
	go func() {
		result := error(&PanicError{Value: goexit})
		defer func() {
			if v := recover(); v != nil {
				result = Recovered(v)
			}
			done <- result
		}()
		result = work(ctx)
	}()
	if err := <-done; err != nil {
		return err
	}
	return context.Cause(ctx)
}

// Undo undoes phase p and all that follow it; it is the mirror image of Do, and
// the beginning of the end: the state becomes TearingDown, and Down with the
// first phase undone. It does nothing for a phase that is not done, and nothing
// the second time. Of ctx only the values count. The errors are those of steps
// that this call ran.
func (q *Sequence) Undo(ctx context.Context, p Phase) error {
	if _, _, err := statesOf(p); err != nil {
		return err
	}
	defer q.take()()
	if p > q.done {
		return nil
	}
	return q.undo(ctx, p)
}

func (q *Sequence) undo(ctx context.Context, p Phase) error {
	switch q.machine.State() {
	case Down:
		return nil
	case TearingDown:
	default:
		if err := q.machine.To(TearingDown); err != nil {
			return err
		}
		q.down()
		q.tear = q.bus.publish(PhaseBegan{Header{Phase: Teardown}})
	}
	q.done = p - 1
	if p != Load {
		err := q.stack.Unwind(ctx, q.marks[p])
		q.result = errors.Join(q.result, err)
		return err
	}
	err := q.stack.Close(ctx)
	q.result = errors.Join(q.result, err)
	q.bus.Publish(PhaseEnded{Header: Header{Phase: Teardown}, Duration: q.bus.since(q.tear), Err: textOf(q.result)})
	return errors.Join(err, q.machine.To(Down))
}

// Unload undoes single entries of the stack in state Loaded, newest first,
// whatever their order here. The state is then Loaded, or New if nothing is left.
// choose names them, when no phase can begin any more: what it looks at stands
// still. Its error is returned, and nothing is undone.
func (q *Sequence) Unload(ctx context.Context, choose func() ([]*Undo, error)) error {
	defer q.take()()
	if err := q.machine.To(Unloading); err != nil {
		return fmt.Errorf("unload: %w", err)
	}
	chosen, err := choose()
	if err != nil {
		return errors.Join(err, q.machine.To(Loaded))
	}
	undos := slices.SortedFunc(slices.Values(chosen), func(a, b *Undo) int { return cmp.Compare(b.number, a.number) })
	var all []error
	for _, u := range undos {
		if err := u.Run(ctx); err != nil {
			all = append(all, err)
		}
	}
	after := Loaded
	if q.stack.Len() == 0 {
		after, q.done = New, 0
	}
	return errors.Join(append(all, q.machine.To(after))...)
}

// Close tears down what is left, at any time and from anywhere: a phase under way
// is cancelled, undoes itself and is waited for. It is the net under fx, which
// leaves finished phases undone after a start that hit its deadline, and so
// belongs in a defer in main. Every call returns when all is done; only the first
// returns errors, and only those of steps no Undo has reported.
//
// It returns in bounded time as every step has a limit, provided the work of a
// phase heeds its context outside of steps. That work itself must not call it.
func (q *Sequence) Close() error {
	q.end(ErrClosed)
	defer q.take()()
	return q.undo(context.Background(), Load)
}

// take waits for the turn and returns what gives it back. (A channel and not a
// mutex, because testing/synctest lets time pass for those who wait for a channel.)
func (q *Sequence) take() (giveBack func()) {
	q.turn <- struct{}{}
	return func() { <-q.turn }
}

// statesOf returns the states in which a phase is under way and done.
func statesOf(p Phase) (during, after State, err error) {
	switch p {
	case Load:
		return Loading, Loaded, nil
	case Verify:
		return Verifying, Verified, nil
	case Instantiate:
		return Instantiating, Instantiated, nil
	case Bind:
		return Binding, Bound, nil
	default:
		return 0, 0, fmt.Errorf("lifecycle: %q is not a phase that can be done", p)
	}
}
