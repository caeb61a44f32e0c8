// Package slave is the running agent: it carries out what the state machine in
// package core wants done, and tells it what happens. One goroutine owns the core;
// everything else talks to it through a mailbox that never blocks.
//
// Checkpoints are written by that goroutine itself, in order, so that nothing is told
// to anybody before it is written down. Modules, containers and the network are each
// left to goroutines of their own: what hangs delays its own answer and nothing else.
package slave

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/hook"
	"github.com/mesos-modules/mms/roles/masterdetector"
	"github.com/mesos-modules/mms/roles/qoscontroller"
	"github.com/mesos-modules/mms/roles/resourceestimator"
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

// Process is the name of the agent's process in the sense of libprocess.
const Process = "slave(1)"

// Garbage is who deletes what is not needed any more.
type Garbage interface {
	// Collect has a path deleted some day. Its age counts from now or, if it is old,
	// from when it was last changed. Keep takes that back.
	Collect(path string, old bool)
	Keep(path string)
}

// Sandboxes is who shows the files of sandboxes.
type Sandboxes interface {
	Attach(framework *mesosv1.FrameworkInfo, executor *mesosv1.ExecutorInfo, container *mesosv1.ContainerID, directory string)
}

// Config is what an agent is made of.
type Config struct {
	Core core.Config
	Log  *slog.Logger

	// Address is where the agent's processes are reached.
	Address netip.AddrPort

	Store      *checkpoint.Store
	Containers *containers.Service
	Garbage    Garbage   // nil: nothing is deleted
	Sandboxes  Sandboxes // nil: nobody is shown anything

	Detector       masterdetector.MasterDetector
	Authenticatee  manager.Factory[authenticatee.Authenticatee]
	Credential     *mesosv1.Credential
	Hooks          []hook.Hook
	Secrets        secretgenerator.SecretGenerator
	TokenKey       []byte // that tokens of executors are signed with
	Estimator      resourceestimator.ResourceEstimator
	EstimatorEvery time.Duration
	QoS            qoscontroller.QoSController
	QoSEvery       time.Duration

	// Stopping ends the streams of executors, when the daemon begins to stop; nil: only
	// Stop does.
	Stopping context.Context

	// Background is what goes on beside the agent, until its context ends.
	Background []func(context.Context)

	// Fail ends the daemon.
	Fail func(reason error)
}

// Slave is a running agent.
type Slave struct {
	cfg    Config
	core   *core.Core
	sender *libprocess.Sender

	mail       mailbox
	recovering atomic.Bool

	ctx     context.Context // of everything that the agent does
	cancel  context.CancelFunc
	work    sync.WaitGroup
	stopped chan struct{} // the loop has ended

	requests  requests
	leader    *leader
	detection detection
	sessions  sessions

	// By container; the loop owns them.
	launches map[string]context.CancelFunc
	updates  map[string]*lane
}

// New makes an agent, which does nothing before Start.
func New(cfg Config) *Slave {
	s := &Slave{
		cfg: cfg, core: core.New(cfg.Core), sender: libprocess.New(libprocess.Options{Log: cfg.Log}),
		stopped: make(chan struct{}), updates: map[string]*lane{}, launches: map[string]context.CancelFunc{},
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.mail.ready = make(chan struct{}, 1)
	s.recovering.Store(true)
	s.requests.init()
	s.leader = &leader{}
	return s
}

// Start recovers what an agent before this one left, and begins. It returns when the
// containers are taken over; ctx limits that.
func (s *Slave) Start(ctx context.Context) error {
	recovered, err := s.recover(ctx)
	if err != nil {
		return err
	}
	s.mail.put(recovered)
	go s.loop()
	s.detect()
	s.estimate()
	s.control()
	for _, do := range s.cfg.Background {
		s.spawn(do)
	}
	return nil
}

// Stop ends the agent. Executors live on. It returns when nothing of the agent runs
// any more, or ctx ends.
func (s *Slave) Stop(ctx context.Context) error {
	s.mail.put(core.Stop{})
	s.cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		<-s.stopped
		s.sender.Close()
		s.work.Wait()
	}()
	err := s.cfg.Containers.Close(ctx)
	select {
	case <-done:
	case <-ctx.Done():
		return ctx.Err()
	}
	if closing := s.cfg.Store.Close(); err == nil {
		err = closing
	}
	return err
}

// loop gives the core its events and time, and carries out what it wants.
func (s *Slave) loop() {
	defer close(s.stopped)
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		for e := s.mail.take(); e != nil; e = s.mail.take() {
			s.step(e)
		}
		if s.ctx.Err() != nil {
			s.requests.end()
			return
		}
		wait := time.Hour
		if next := s.core.Next(); !next.IsZero() {
			wait = max(0, time.Until(next))
		}
		timer.Reset(wait)
		select {
		case <-s.mail.ready:
		case <-timer.C:
			s.step(core.Tick{})
		case <-s.ctx.Done():
		}
	}
}

// step is one event with all that follows from it.
func (s *Slave) step(e core.Event) {
	if q, ok := e.(question); ok {
		q.do(s.core)
		return
	}
	effects := s.core.Handle(time.Now(), e)
	s.recovering.Store(s.core.Recovering())
	s.execute(effects)
}

// question asks the core something, from the loop.
type question struct {
	core.Tick

	do func(*core.Core)
}

// View returns the agent as it is now.
func (s *Slave) View(ctx context.Context) (*core.View, error) {
	answer := make(chan *core.View, 1)
	s.mail.put(question{do: func(c *core.Core) { answer <- c.View() }})
	select {
	case v := <-answer:
		return v, nil
	case <-s.stopped:
		return nil, context.Canceled
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Measure is a metric by the name that Mesos gives it.
type Measure struct {
	Name  string
	Value float64
}

// Measures returns the metrics of the agent as they are now.
func (s *Slave) Measures(ctx context.Context) ([]Measure, error) {
	answer := make(chan []Measure, 1)
	s.mail.put(question{do: func(c *core.Core) {
		var all []Measure
		c.Measures(func(name string, value float64) { all = append(all, Measure{name, value}) })
		answer <- all
	}})
	select {
	case m := <-answer:
		return m, nil
	case <-s.stopped:
		return nil, context.Canceled
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Recovering says that nobody can be answered yet.
func (s *Slave) Recovering() bool { return s.recovering.Load() }

// spawn does something beside the loop. Stop waits for it.
func (s *Slave) spawn(do func(ctx context.Context)) {
	s.work.Go(func() { do(s.ctx) })
}

// mailbox is events in the order in which they came. Putting never blocks: who sends
// more than is handled waits for the answers to what it has sent.
type mailbox struct {
	mu    sync.Mutex
	queue []core.Event
	ready chan struct{}
}

func (m *mailbox) put(e core.Event) {
	m.mu.Lock()
	m.queue = append(m.queue, e)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

// take returns the oldest event; nil if there is none.
func (m *mailbox) take() core.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.queue) == 0 {
		m.queue = nil
		return nil
	}
	e := m.queue[0]
	m.queue[0] = nil
	m.queue = m.queue[1:]
	return e
}
