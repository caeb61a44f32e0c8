package master

import (
	"context"
	"fmt"
	"sync"

	"github.com/mesos-modules/mms/internal/master/core"
)

// registrar carries changes to the registry, as many at a time as have come together.
type registrar struct {
	m    *Master
	work chan struct{}

	mu         sync.Mutex
	recovering bool
	changes    []core.Store
}

func newRegistrar(m *Master) *registrar { return &registrar{m: m, work: make(chan struct{}, 1)} }

func (r *registrar) recover() {
	r.mu.Lock()
	r.recovering = true
	r.mu.Unlock()
	r.poke()
}

func (r *registrar) store(e core.Store) {
	r.mu.Lock()
	r.changes = append(r.changes, e)
	r.mu.Unlock()
	r.poke()
}

func (r *registrar) poke() {
	select {
	case r.work <- struct{}{}:
	default: // it will look anyway
	}
}

// run is the registrar's goroutine.
func (r *registrar) run() {
	for {
		select {
		case <-r.m.ctx.Done():
			return
		case <-r.work:
		}
		r.mu.Lock()
		recovering, changes := r.recovering, r.changes
		r.recovering, r.changes = false, nil
		r.mu.Unlock()
		if recovering {
			r.read()
		}
		if len(changes) > 0 {
			r.write(changes)
		}
	}
}

func (r *registrar) read() {
	ctx, cancel := context.WithTimeout(r.m.ctx, r.m.c.FetchTimeout)
	defer cancel()
	registry, err := r.m.c.Registry.Recover(ctx, r.m.c.Core.Info)
	r.m.queue.post(core.RegistryRecovered{Registry: registry, Err: err})
}

func (r *registrar) write(stores []core.Store) {
	changes := make([]core.RegistryChange, len(stores))
	for i, s := range stores {
		changes[i] = s.Change
	}
	ctx, cancel := context.WithTimeout(r.m.ctx, r.m.c.StoreTimeout)
	defer cancel()
	errs, err := r.m.c.Registry.Apply(ctx, changes)
	if err == nil && len(errs) != len(stores) {
		err = fmt.Errorf("the registry has answered %d of %d changes", len(errs), len(stores))
	}
	for i, s := range stores {
		stored := core.RegistryStored{Ticket: s.Ticket, Err: err}
		if err == nil {
			stored.Err, stored.Refused = errs[i], errs[i] != nil
		}
		r.m.queue.post(stored)
	}
}

func (r *registrar) waiting() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.changes)
}
