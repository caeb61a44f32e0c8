package registry

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/wire"
)

// ErrClosed is the error of what comes after Close.
var ErrClosed = errors.New("the registry is closed")

// Registrar is an open registry. Its methods may be called from any number of
// goroutines; what they do is done one after another, in no promised order.
//
// A context bounds how long a caller waits, not how long the disk takes: what it has
// begun goes on, and the next waits for it. Whether a change is kept whose caller did
// not wait, or whose transaction failed, shows the next time the registry is read.
type Registrar struct {
	store  store
	turn   chan struct{} // holds a value while somebody works with store
	closed bool          // to be seen and set by whoever has the turn

	queued   atomic.Int64 // changes
	measures timings
}

// InMemory returns a registry that is forgotten with the process.
func InMemory() *Registrar { return newRegistrar(newMemory()) }

func newRegistrar(s store) *Registrar {
	return &Registrar{store: s, turn: make(chan struct{}, 1), measures: timings{now: time.Now}}
}

// Recover reads the registry and writes down that this master is its master now. The
// answer has this master, agents in the order of their ids, and unreachable and gone
// ones in the order of time; the caller owns it. A *DamagedError says that the file
// is not what was written to it.
func (r *Registrar) Recover(ctx context.Context, info *mesosv1.MasterInfo) (*wire.Registry, error) {
	master, err := encode(&wire.Registry_Master{Info: info})
	if err != nil {
		return nil, fmt.Errorf("recovering the registry: the master's info: %w", err)
	}
	return run(ctx, r, "recovering the registry", func() (found *wire.Registry, _ error) {
		begin := r.measures.now()
		err := r.store.update(func(t tx) error {
			b := &books{tx: t}
			if err := b.verify(); err != nil {
				return err
			}
			if err := b.put(general, masterKey, master); err != nil {
				return err
			}
			var err error
			if found, err = b.registry(); err != nil {
				return err
			}
			r.measures.size(b.size())
			return b.finish()
		})
		if err != nil {
			return nil, err
		}
		r.measures.fetched(r.measures.now().Sub(begin))
		return found, nil
	})
}

// Apply applies changes in their order and keeps them with one write to the disk. The
// first answer has an error, or nil, for each of them: one that does not fit what is
// there changes nothing, and the others go on. With the second error none of them is
// known to be kept.
func (r *Registrar) Apply(ctx context.Context, changes []core.RegistryChange) ([]error, error) {
	n := int64(len(changes))
	r.queued.Add(n)
	defer r.queued.Add(-n)
	return run(ctx, r, "changing the registry", func() ([]error, error) {
		begin := r.measures.now()
		refused := make([]error, len(changes))
		var size int64
		err := r.store.update(func(t tx) error {
			b := &books{tx: t}
			for i, c := range changes {
				err := b.apply(c)
				var no *refusal
				if err != nil && !errors.As(err, &no) {
					return err
				}
				refused[i] = err
			}
			if !b.changed {
				return errUnchanged
			}
			if err := b.finish(); err != nil {
				return err
			}
			size = b.size()
			return nil
		})
		switch {
		case errors.Is(err, errUnchanged):
			return refused, nil
		case err != nil:
			return nil, err
		}
		r.measures.size(size)
		r.measures.stored(r.measures.now().Sub(begin))
		return refused, nil
	})
}

// Export reads the registry as Recover does, and changes nothing.
func (r *Registrar) Export(ctx context.Context) (*wire.Registry, error) {
	return run(ctx, r, "reading the registry", func() (found *wire.Registry, _ error) {
		err := r.store.view(func(t tx) error {
			b := &books{tx: t}
			err := b.verify()
			if err == nil {
				found, err = b.registry()
			}
			return err
		})
		return found, err
	})
}

// Import fills a registry that knows no agents, weights or quotas with what Export
// gave, such as another master's registry.
func (r *Registrar) Import(ctx context.Context, from *wire.Registry) error {
	_, err := run(ctx, r, "filling the registry", func() (struct{}, error) {
		return struct{}{}, r.store.update(func(t tx) error {
			b := &books{tx: t}
			if err := b.fill(from); err != nil {
				return err
			}
			return b.finish()
		})
	})
	return err
}

// Close waits for what is being done and closes the registry. It may be called twice.
func (r *Registrar) Close(ctx context.Context) error {
	_, err := run(ctx, r, "closing the registry", func() (struct{}, error) {
		r.closed = true
		return struct{}{}, r.store.close()
	})
	if errors.Is(err, ErrClosed) {
		return nil
	}
	return err
}

// run calls do when it is its turn, and gives up waiting when ctx ends.
func run[T any](ctx context.Context, r *Registrar, what string, do func() (T, error)) (T, error) {
	type answer struct {
		value T
		err   error
	}
	var none T
	if err := ctx.Err(); err != nil {
		return none, fmt.Errorf("%s: not begun: %w", what, err)
	}
	select {
	case r.turn <- struct{}{}:
	case <-ctx.Done():
		return none, fmt.Errorf("%s: not begun, since the disk has not answered to what came before: %w", what, ctx.Err())
	}
	done := make(chan answer, 1)
	go func() {
		defer func() { <-r.turn }()
		if r.closed {
			done <- answer{err: ErrClosed}
			return
		}
		value, err := do()
		done <- answer{value, err}
	}()
	select {
	case a := <-done:
		if a.err != nil {
			return none, fmt.Errorf("%s: %w", what, a.err)
		}
		return a.value, nil
	case <-ctx.Done():
		return none, fmt.Errorf("%s: the disk has not answered yet: %w", what, ctx.Err())
	}
}
