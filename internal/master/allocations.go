package master

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/outage"
	"github.com/mesos-modules/mms/roles/allocator"
)

// allocations makes the calls of the allocator, one at a time and in order.
type allocations struct {
	m    *Master
	work chan struct{}

	settling sync.Mutex // held while an allocator is told of everything
	started  bool       // guarded by settling

	mu        sync.Mutex
	calls     []core.Allocate
	coming    bool                  // a new allocator knows everything, and cannot be called yet
	held      bool                  // calls wait for it
	away      bool                  // the log has it that calls fail
	number    int                   // of the allocator whose offers count
	silence   context.CancelFunc    // ends its sinks
	retold    chan core.Retell      // who waits to tell a new one everything
	whitelist *allocation.Whitelist // what was told last
}

func newAllocations(m *Master) *allocations {
	return &allocations{m: m, work: make(chan struct{}, 1), silence: func() {}}
}

// start settles the allocator.
func (a *allocations) start(ctx context.Context) error {
	a.settling.Lock()
	defer a.settling.Unlock()
	number, life := a.succeed(nil)
	if err := a.settle(ctx, a.m.c.Allocator, number, life); err != nil {
		return err
	}
	a.started = true
	return nil
}

// settle hands over the settings and takes what the allocator offers.
func (a *allocations) settle(ctx context.Context, to allocator.Allocator, number int, life context.Context) error {
	if err := to.Initialize(ctx, a.m.c.Options); err != nil {
		return fmt.Errorf("initialize the allocator: %w", err)
	}
	// The sinks hear as long as the allocator is the one, and not only while it starts.
	if err := to.Offers(life, func(shares []*allocation.Share) {
		a.take(number, core.Offered{Shares: shares})
	}); err != nil {
		return fmt.Errorf("ask the allocator for offers: %w", err)
	}
	if err := to.InverseOffers(life, func(shares []*allocation.InverseShare) {
		a.take(number, core.InverseOffered{Shares: shares})
	}); err != nil {
		return fmt.Errorf("ask the allocator for inverse offers: %w", err)
	}
	return nil
}

// take passes on what an allocator offers, if it still is the one.
func (a *allocations) take(number int, offered core.Event) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.number == number {
		a.m.queue.post(offered)
	}
}

// succeed makes another allocator the one whose offers count.
func (a *allocations) succeed(retold chan core.Retell) (number int, life context.Context) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.silence()
	a.number++
	a.retold = retold
	life, a.silence = context.WithCancel(a.m.ctx)
	return a.number, life
}

// renew tells an allocator everything that takes the place of one that is gone. Calls
// wait from then on, until it can be called: renewed says when to try.
func (a *allocations) renew(ctx context.Context, fresh allocator.Allocator) error {
	a.settling.Lock()
	defer a.settling.Unlock()
	if !a.started {
		return nil // start will come to it
	}
	retold := make(chan core.Retell, 1)
	number, life := a.succeed(retold)
	err := a.settle(ctx, fresh, number, life)
	if err == nil {
		a.m.queue.post(core.AllocatorRenewed{Number: number})
		select {
		case all := <-retold:
			err = a.tell(ctx, fresh, all.Calls)
		case <-ctx.Done():
			err = context.Cause(ctx)
		case <-a.m.ctx.Done():
			err = errStopped
		}
	}
	if err != nil {
		a.leave()
	}
	return err
}

// leave gives up on a new allocator.
func (a *allocations) leave() {
	a.mu.Lock()
	a.coming, a.held, a.retold = false, false, nil
	a.mu.Unlock()
	a.wake()
}

// tell makes the calls that say what there is.
func (a *allocations) tell(ctx context.Context, fresh allocator.Allocator, calls []core.Allocate) error {
	a.mu.Lock()
	whitelist := a.whitelist
	a.mu.Unlock()
	if whitelist != nil {
		if err := fresh.UpdateWhitelist(ctx, whitelist); err != nil {
			return fmt.Errorf("tell the new allocator: UpdateWhitelist: %w", err)
		}
	}
	for _, e := range calls {
		if err := e.Do(ctx, fresh); err != nil {
			return fmt.Errorf("tell the new allocator: %s: %w", e.Name, err)
		}
	}
	a.m.c.Log.Info("the new allocator knows everything", "calls", len(calls))
	return nil
}

// retell is told by the core what a new allocator has to know. Calls that are not made
// yet are among it, and those that come from now on wait for it.
func (a *allocations) retell(all core.Retell) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.retold == nil || all.Number != a.number {
		return // there is a newer one, which has the core asked again
	}
	for _, e := range a.calls {
		if e.Ticket != 0 {
			a.m.queue.post(core.Allocated{Ticket: e.Ticket, Err: errReplaced})
		}
	}
	a.calls, a.coming, a.held = nil, true, true
	a.retold <- all
	a.retold = nil
}

var errReplaced = errors.New("the allocator was restarted")

// renewed says that some module is there again. If it is another one, the next call
// finds that out and waits further.
func (a *allocations) renewed() {
	a.mu.Lock()
	a.held = false
	a.mu.Unlock()
	a.wake()
}

// early takes back a call of an allocator that is coming and cannot be called yet, and
// says whether it is.
func (a *allocations) early(e core.Allocate) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.coming {
		a.calls = append([]core.Allocate{e}, a.calls...)
		a.held = true
	}
	return a.coming
}

// came notes that the allocator answers.
func (a *allocations) came() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.coming, a.away = false, false
}

// allow tells the allocator whose agents may be offered.
func (a *allocations) allow(list *allocation.Whitelist) {
	a.mu.Lock()
	a.whitelist = list
	a.mu.Unlock()
	a.call(core.Allocate{Name: "UpdateWhitelist", Do: func(ctx context.Context, to allocator.Allocator) error {
		return to.UpdateWhitelist(ctx, list)
	}})
}

func (a *allocations) call(e core.Allocate) {
	a.mu.Lock()
	a.calls = append(a.calls, e)
	a.mu.Unlock()
	a.wake()
}

func (a *allocations) wake() {
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
	if len(a.calls) == 0 || a.held {
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
	if !outage.Is(err) {
		a.came()
	} else if outage.Unheard(err) && a.early(e) {
		return
	}
	switch {
	case e.Ticket != 0:
		a.m.queue.post(core.Allocated{Ticket: e.Ticket, Err: err})
	case err == nil || a.m.ctx.Err() != nil:
	case outage.Is(err):
		a.missing(err)
	default:
		a.m.c.Log.Error("a call of the allocator failed", "call", e.Name, "error", err)
	}
}

// missing tells once that there is no allocator: the next one is told everything.
func (a *allocations) missing(err error) {
	a.mu.Lock()
	told := a.away
	a.away = true
	a.mu.Unlock()
	if !told {
		a.m.c.Log.Warn("there is no allocator: the next one will be told what happens until then", "error", err)
	}
}

func (a *allocations) waiting() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.calls)
}
