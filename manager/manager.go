package manager

import (
	"context"
	"fmt"
	"sync"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/verify"
)

// Manager takes a set of modules through the phases. All methods may be called
// from any goroutine; phases run one at a time.
type Manager struct {
	cfg    Config
	bus    *lifecycle.Bus
	runner *lifecycle.Runner
	seq    *lifecycle.Sequence
	ships  map[string]bool  // modules that are compiled in
	bound  []verify.Binding // what flags and defaults bind, words resolved

	// mu guards the books and what hangs on them. It is never held while module
	// code runs.
	mu        sync.RWMutex
	libraries []*library         // open ones, in load order
	gone      []*library         // those that teardown or unload has been through
	modules   map[string]*module // by name
	sites     []*site            // laid out once, in table order
	result    verify.Result      // of the last verification
	order     []*module          // the plan's order
	seen      view               // what modules may see of the books: they do not change after loading
	adHoc     *lifecycle.Stack   // instances made on demand; one per phase that allows it
	instances map[*instance]bool // that somebody wants
	wanted    int                // so many ever
	renewals  map[handle.Handle][]renewal

	failed chan error // has room for one
}

// New lays out the binding sites of the daemon. It opens nothing and runs no
// module code. The caller closes the manager, also when a phase fails.
func New(cfg Config) (*Manager, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	m := &Manager{cfg: cfg, bus: cfg.Bus, modules: map[string]*module{}, instances: map[*instance]bool{}, renewals: map[handle.Handle][]renewal{}, failed: make(chan error, 1)}
	m.runner = &lifecycle.Runner{Bus: cfg.Bus, Limit: cfg.Limits.Create}
	m.seq = lifecycle.NewSequence(m.runner)
	m.ships = m.builtinNames()
	m.bound = m.bindings()
	m.sites, err = m.layOut()
	if err != nil {
		return nil, fmt.Errorf("manager: lay out the binding sites: %w", err)
	}
	return m, nil
}

// Start goes through the four phases with the configured manifests. A phase that
// fails is undone by itself; Close undoes the ones before it.
func (m *Manager) Start(ctx context.Context) error {
	if err := m.Load(ctx, m.cfg.Manifests...); err != nil {
		return err
	}
	for _, phase := range []func(context.Context) error{m.Verify, m.Instantiate, m.Bind} {
		if err := phase(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Close undoes everything that was done: unbinds, drains calls, closes instances
// in exact reverse order, closes libraries. A module that hangs is abandoned and
// the rest go on. It may be called at any time, any number of times, from any
// goroutine; a phase that is under way is cancelled first. Every call returns when
// all is done; the first one returns the errors.
func (m *Manager) Close() error { return m.seq.Close() }

// State is where the whole stands.
func (m *Manager) State() lifecycle.State { return m.seq.State() }

// Events returns the bus on which the manager tells what happens.
func (m *Manager) Events() *lifecycle.Bus { return m.bus }

// notice tells something that is nobody's failure.
func (m *Manager) notice(h lifecycle.Header, format string, args ...any) {
	m.bus.Publish(lifecycle.Notice{Header: h, Text: fmt.Sprintf(format, args...)})
}
