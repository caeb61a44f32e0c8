package lua

import (
	"context"
	"errors"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical"
	"github.com/mesos-modules/mms/roles/allocator"
)

// Allocator is the hierarchical one's books with scripts for an algorithm.
type Allocator struct {
	*hierarchical.Allocator
	end  context.CancelFunc
	done chan struct{} // closed when the watcher has ended
}

var (
	_ allocator.Allocator = (*Allocator)(nil)
	_ facade.Closer       = (*Allocator)(nil)
)

// newAllocator fails if the script is not good: there is no last good one yet.
func newAllocator(ctx context.Context, host facade.Host, p parameters) (*Allocator, error) {
	w := &watcher{path: p.Script, limits: p.limits(), log: host.Logger(), store: store{dir: host.StateDir, path: p.Script}}
	s, err := w.first(ctx)
	if err != nil {
		return nil, fmt.Errorf("parameter script: %s: %w", p.Script, err)
	}
	w.keeper = newKeeper(p.limits(), host.Logger(), host.Metrics(), s)
	host.Logger().Info("a script is in charge", "script", p.Script, "digest", s.short())
	life, end := context.WithCancel(host.Lifetime())
	a := &Allocator{Allocator: hierarchical.NewWith(host.Lifetime(), host.Logger(), p.Seed, w.keeper), end: end, done: make(chan struct{})}
	go func() {
		defer close(a.done)
		w.watch(life, p.Reload)
	}()
	return a, nil
}

// Close implements facade.Closer.
func (a *Allocator) Close(ctx context.Context) error {
	a.end()
	err := a.Allocator.Close(ctx)
	select {
	case <-a.done:
	case <-ctx.Done():
		err = errors.Join(err, fmt.Errorf("the script is still being read or tried: %w", ctx.Err()))
	}
	return err
}
