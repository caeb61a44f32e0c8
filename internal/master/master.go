package master

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
)

// process is the name that agents and other masters send to.
const process = "master"

// Master is a running master. Start and Stop are called once each.
type Master struct {
	c      Config
	core   *core.Core // of the loop's goroutine
	queue  *queue
	sender *libprocess.Sender
	state  atomic.Pointer[standing]

	requests *requests
	streams  *streams

	registrar *registrar
	allocator *allocations
	hooks     *pool
	authorize *pool
	sessions  *sessions
	candidacy *candidacy

	ctx     context.Context // ends with Stop
	end     context.CancelFunc
	running sync.WaitGroup

	files files.Files

	shared  atomic.Int64 // views that were taken once for several requests
	dropped atomic.Int64 // messages that came while nobody was to be authenticated
}

// New returns a master that does nothing yet.
func New(c Config) *Master {
	m := &Master{
		c: c, core: core.New(c.Core), queue: newQueue(), sender: c.Sender,
		requests: newRequests(), streams: newStreams(),
		hooks: newPool(), authorize: newPool(),
	}
	m.ctx, m.end = context.WithCancel(context.Background())
	m.state.Store(&standing{})
	m.registrar = newRegistrar(m)
	m.allocator = newAllocations(m)
	m.sessions = newSessions(m)
	m.candidacy = newCandidacy(m)
	return m
}

// Start begins to run for leadership. ctx bounds what modules are asked at the start.
func (m *Master) Start(ctx context.Context) error {
	if err := m.sessions.start(ctx); err != nil {
		return err
	}
	if err := m.allocator.start(ctx); err != nil {
		return err
	}
	m.running.Go(m.loop)
	m.running.Go(m.registrar.run)
	m.running.Go(m.allocator.run)
	if m.c.Whitelist != "" {
		m.running.Go(m.watchWhitelist)
	}
	m.running.Go(m.candidacy.run)
	return m.candidacy.start(ctx)
}

// Stop ends all that runs. It waits for modules as long as ctx lives; one that does
// not come back is left to the module system.
func (m *Master) Stop(ctx context.Context) error {
	m.end()
	m.sender.Close()
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		m.running.Wait()
		m.hooks.wait()
		m.authorize.wait()
		m.sessions.wait()
	}()
	select {
	case <-stopped:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("stop the master: a module does not come back: %w", ctx.Err())
	}
}

// loop owns the core.
func (m *Master) loop() {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(m.untilNext())
		select {
		case <-m.ctx.Done():
			return
		case <-timer.C:
			m.handle(core.Tick{})
		case <-m.queue.work:
			m.work()
		}
	}
}

// work does all that waits. Views that are asked for together are one.
func (m *Master) work() {
	var view *core.View
	for _, i := range m.queue.take() {
		switch {
		case i.view != nil:
			if view != nil {
				m.shared.Add(1)
			} else {
				view = m.core.View()
			}
			i.view <- view
		case i.ask != nil:
			i.ask(m.core)
		default:
			view = nil
			if m.due() {
				m.handle(core.Tick{})
			}
			m.handle(i.event)
		}
		m.queue.done(i)
	}
}

func (m *Master) handle(e core.Event) {
	if m.stopping() {
		switch e.(type) {
		case core.StreamGone, core.AgentExited:
			return // this master goes, not they
		}
	}
	effects := m.core.Handle(time.Now(), e)
	if r, ok := e.(core.RegistryRecovered); ok && r.Err == nil {
		m.stand(func(s *standing) { s.recovered = true })
	}
	for _, effect := range effects {
		m.execute(effect)
	}
}

// longest is how long the loop sleeps at most.
const longest = time.Hour

func (m *Master) untilNext() time.Duration {
	next := m.core.Next()
	if next.IsZero() {
		return longest
	}
	return min(max(time.Until(next), 0), longest)
}

// due says that the time has come that the core waits for.
func (m *Master) due() bool {
	next := m.core.Next()
	return !next.IsZero() && !time.Now().Before(next)
}

func (m *Master) stopping() bool { return m.c.Stopping.Err() != nil || m.ctx.Err() != nil }

// View is the master as it is now.
func (m *Master) View(ctx context.Context) (*core.View, error) {
	got := make(chan *core.View, 1)
	if err := m.queue.enterItem(ctx, item{view: got}); err != nil {
		return nil, err
	}
	return await(ctx, m, got)
}

// Measures are the core's numbers, by their names in Mesos.
func (m *Master) Measures(ctx context.Context) (map[string]float64, error) {
	got := make(chan map[string]float64, 1)
	err := m.queue.enterItem(ctx, item{ask: func(c *core.Core) {
		all := map[string]float64{}
		c.Measures(func(name string, value float64) { all[name] = value })
		got <- all
	}})
	if err != nil {
		return nil, err
	}
	return await(ctx, m, got)
}

// await waits for what the loop says.
func await[T any](ctx context.Context, m *Master, got <-chan T) (T, error) {
	var none T
	select {
	case v := <-got:
		return v, nil
	case <-ctx.Done():
		return none, context.Cause(ctx)
	case <-m.ctx.Done():
		return none, errStopped
	}
}
