package hierarchical

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/modules/allocator/hierarchical/sorter"
	"github.com/mesos-modules/mms/roles/allocator"
)

// Allocator is the books of one cluster and the goroutine that offers what is free in
// it. A call takes the lock and changes the books; a run takes it, offers, and calls the
// sinks before it lets go. So nothing is offered that a call has ended before.
type Allocator struct {
	parameters parameters
	algorithm  Algorithm
	log        *slog.Logger
	chance     *rand.Rand
	born       time.Time

	life    context.Context
	end     context.CancelFunc
	wake    chan struct{} // a run is wanted
	started atomic.Bool   // Initialize was called, and the goroutine is there
	done    chan struct{} // closed when it has ended

	mu       sync.Mutex
	options  options
	offers   sink[*allocation.Share]
	inverse  sink[*allocation.InverseShare]
	paused   bool
	recovery recovery

	agents     []*agent // in the order in which they came, but for those that fill gaps
	agentsByID map[string]*agent
	frameworks map[string]*framework
	roles      map[string]*role
	totals     *sorter.Totals
	sorter     sorter.Sorter[*role] // of the roles that have members
	slots      slots
	tally      tally           // of the filters of all agents
	strangers  map[string]int  // how many shares the frameworks have that were not added
	whitelist  map[string]bool // hosts; nil allows all

	pending   bool // a run was asked for
	asked     time.Duration
	due       time.Duration // when the next run over all agents is
	views     viewCounter
	run       run // its memory
	measures  measures
	allocated resources.Quantities // offered or in use, in the whole cluster
	spare     spare
}

var (
	_ allocator.Allocator = (*Allocator)(nil)
	_ facade.Closer       = (*Allocator)(nil)
)

// sink is a receiver of the master's with the context that it ends with.
type sink[T any] struct {
	ctx  context.Context
	call func([]T)
}

func (s sink[T]) give(all []T) {
	if s.call != nil && s.ctx.Err() == nil && len(all) > 0 {
		s.call(all)
	}
}

func newAllocator(lifetime context.Context, log *slog.Logger, p parameters, algorithm Algorithm) *Allocator {
	a := &Allocator{
		parameters: p, algorithm: algorithm, log: log, chance: p.chance(), born: time.Now(),
		wake:       make(chan struct{}, 1),
		done:       make(chan struct{}),
		agentsByID: map[string]*agent{},
		frameworks: map[string]*framework{},
		roles:      map[string]*role{},
		strangers:  map[string]int{},
	}
	a.run.a = a
	a.life, a.end = context.WithCancel(lifetime)
	return a
}

// now is the time since the allocator was made.
func (a *Allocator) now() time.Duration { return time.Since(a.born) }

// Initialize implements the role. The goroutine begins here.
func (a *Allocator) Initialize(_ context.Context, given *allocation.Options) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.started.Load() {
		return errors.New("Initialize is called a second time")
	}
	o, err := readOptions(given)
	if err != nil {
		return err
	}
	a.options = o
	a.totals = sorter.NewTotals(o.excluded)
	a.sorter = newSorter[*role](a.parameters, a.totals, a.chance, false)
	a.due = a.now() + o.interval
	a.started.Store(true)
	go a.loop()
	return nil
}

// loop runs the allocation: over all agents each interval, counted from the end of the
// run before, and in between over those that something happened to. Those in between take
// half of the time at most, so that calls that come in crowds get through: one run then
// serves many.
func (a *Allocator) loop() {
	defer close(a.done)
	batch := time.NewTimer(a.options.interval)
	defer batch.Stop()
	var rest <-chan time.Time
	for {
		wake := a.wake
		if rest != nil {
			wake = nil
		}
		select {
		case <-a.life.Done():
			return
		case <-rest:
			rest = nil
		case <-wake:
			if spent := a.allocate(false); spent > 0 {
				rest = time.After(min(spent, a.options.interval))
			}
		case <-batch.C:
			a.allocate(true)
			batch.Reset(a.options.interval)
		}
	}
}

// Close implements facade.Closer. It takes no lock: a sink may hang.
func (a *Allocator) Close(ctx context.Context) error {
	a.end()
	if !a.started.Load() {
		return nil
	}
	select {
	case <-a.done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the allocation does not end: %w", ctx.Err())
	}
}

// begun says that calls before Initialize are wrong.
func (a *Allocator) begun() error {
	if !a.started.Load() {
		return errors.New("a call comes before Initialize")
	}
	return nil
}

// Offers implements the role.
func (a *Allocator) Offers(ctx context.Context, call func([]*allocation.Share)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	a.offers = sink[*allocation.Share]{ctx, call}
	a.wantAll()
	return nil
}

// InverseOffers implements the role.
func (a *Allocator) InverseOffers(ctx context.Context, call func([]*allocation.InverseShare)) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	a.inverse = sink[*allocation.InverseShare]{ctx, call}
	return nil
}

// recovery keeps offers back after a change of leader.
type recovery struct {
	pending bool
	enough  int // agents
	until   time.Duration
}

// Recover implements the role.
func (a *Allocator) Recover(_ context.Context, expectedAgents int32, quotas []*quota.QuotaConfig) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if err := a.begun(); err != nil {
		return err
	}
	if len(a.agents) > 0 || len(a.frameworks) > 0 {
		return errors.New("Recover comes after agents or frameworks were added")
	}
	read := make([]quotaOf, len(quotas))
	for i, q := range quotas {
		var err error
		if read[i], err = readQuota(q); err != nil {
			return err
		}
	}
	for _, q := range read {
		a.setQuota(q)
	}
	enough := int(float64(expectedAgents) * a.options.recoveryFactor)
	if len(quotas) == 0 || enough <= 0 {
		return nil
	}
	a.recovery = recovery{pending: true, enough: enough, until: a.now() + a.options.recoveryTimeout}
	a.log.Info("no offers are made until enough agents are back", "agents", enough, "timeout", a.options.recoveryTimeout)
	return nil
}

// recovered ends the recovery if it is over.
func (a *Allocator) recovered(now time.Duration) {
	if !a.recovery.pending {
		return
	}
	switch {
	case len(a.agents) >= a.recovery.enough:
		a.log.Info("enough agents are back: offers are made", "agents", len(a.agents))
	case now >= a.recovery.until:
		a.log.Warn("offers are made though agents are missing: the recovery timeout is over", "agents", len(a.agents), "enough", a.recovery.enough)
	default:
		return
	}
	a.recovery.pending = false
}

// Pause implements the role.
func (a *Allocator) Pause(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused = true
	return nil
}

// Resume implements the role. A recovery that is under way ends too.
func (a *Allocator) Resume(context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.paused, a.recovery.pending = false, false
	return nil
}

// RequestResources implements the role, and does nothing: who asks gets no more.
func (a *Allocator) RequestResources(_ context.Context, id *mesosv1.FrameworkID, _ []*mesosv1.Request) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	_, err := a.framework(id)
	return err
}

// want asks for a run over an agent; one run serves all that were asked for.
func (a *Allocator) want(ag *agent) {
	a.run.add(ag)
	a.ask()
}

// wantAll asks for a run over all agents.
func (a *Allocator) wantAll() {
	a.run.all = true
	a.ask()
}

func (a *Allocator) ask() {
	if a.pending {
		return
	}
	a.pending, a.asked = true, a.now()
	select {
	case a.wake <- struct{}{}:
	default:
	}
}
