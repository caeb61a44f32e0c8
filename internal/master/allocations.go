package master

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/internal/master/core"
)

// allocations makes the calls of the allocator, one at a time and in order.
type allocations struct {
	m    *Master
	work chan struct{}

	mu    sync.Mutex
	calls []core.Allocate
}

func newAllocations(m *Master) *allocations { return &allocations{m: m, work: make(chan struct{}, 1)} }

// start settles the allocator.
func (a *allocations) start(ctx context.Context) error {
	if err := a.m.c.Allocator.Initialize(ctx, a.m.c.Options); err != nil {
		return fmt.Errorf("initialize the allocator: %w", err)
	}
	// The sinks hear until the master ends, and not only while it starts.
	if err := a.m.c.Allocator.Offers(a.m.ctx, func(shares []*allocation.Share) {
		a.m.queue.post(core.Offered{Shares: shares})
	}); err != nil {
		return fmt.Errorf("ask the allocator for offers: %w", err)
	}
	if err := a.m.c.Allocator.InverseOffers(a.m.ctx, func(shares []*allocation.InverseShare) {
		a.m.queue.post(core.InverseOffered{Shares: shares})
	}); err != nil {
		return fmt.Errorf("ask the allocator for inverse offers: %w", err)
	}
	return nil
}

func (a *allocations) call(e core.Allocate) {
	a.mu.Lock()
	a.calls = append(a.calls, e)
	a.mu.Unlock()
	select {
	case a.work <- struct{}{}:
	default: // it will look anyway
	}
}

// run is the goroutine of the calls.
func (a *allocations) run() {
	for {
		select {
		case <-a.m.ctx.Done():
			return
		case <-a.work:
		}
		for {
			e, ok := a.next()
			if !ok || a.m.ctx.Err() != nil {
				break
			}
			a.make(e)
		}
	}
}

func (a *allocations) next() (core.Allocate, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.calls) == 0 {
		return core.Allocate{}, false
	}
	e := a.calls[0]
	a.calls[0] = core.Allocate{} // what the call holds may be freed
	a.calls = a.calls[1:]
	return e, true
}

// slow is from when on a call of the allocator is worth a line of the log.
const slow = 5 * time.Second

func (a *allocations) make(e core.Allocate) {
	began := time.Now()
	err := e.Do(a.m.ctx, a.m.c.Allocator)
	if took := time.Since(began); took > slow {
		a.m.c.Log.Warn("a call of the allocator was slow", "call", e.Name, "took", took)
	}
	if e.Ticket != 0 {
		a.m.queue.post(core.Allocated{Ticket: e.Ticket, Err: err})
	} else if err != nil && a.m.ctx.Err() == nil {
		a.m.c.Log.Error("a call of the allocator failed", "call", e.Name, "error", err)
	}
}

func (a *allocations) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}
