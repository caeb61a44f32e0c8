package manager_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
	"github.com/mesos-modules/mms/roles/calculator"
)

// processes is a vehicle whose libraries run in what the manager takes for processes:
// the test ends them. Files are made in a folder of the test.
type processes struct {
	t   testing.TB
	dir string

	mu      sync.Mutex
	library map[string]*deadly // by path
	pid     int
}

// deadly is one library of it.
type deadly struct {
	all  *processes
	path string
	code facade.Library

	// Again is asked before each start after the first; n is 1 for the first of them.
	Again func(ctx context.Context, n int) error
	// Born is told of each process after the first as soon as it runs; it may be nil.
	Born func(*mortal)
	// Limits and Restart stand in the manifest, Policies by module.
	Limits   manifest.Limits
	Restart  manifest.Restart
	Policies map[string]manifest.OnFailure

	mu      sync.Mutex
	starts  []time.Time // after the first
	current *mortal
	open    int // processes that were neither ended nor closed
	kills   int
}

func newProcesses(t testing.TB) *processes {
	return &processes{t: t, dir: t.TempDir(), library: map[string]*deadly{}, pid: 100}
}

// add puts a library with modules into a process of its own.
func (p *processes) add(name string, modules ...facade.Declared) *deadly {
	path := filepath.Join(p.dir, name)
	require.NoError(p.t, os.WriteFile(path, []byte(name), 0o700))
	d := &deadly{all: p, path: path, code: testharness.Library(modules...), Policies: map[string]manifest.OnFailure{}}
	p.library[path] = d
	return d
}

// manifest names all modules of the libraries, in this order.
func (p *processes) manifest(libs ...*deadly) manifest.Manifest {
	var mf manifest.Manifest
	for _, d := range libs {
		lib := manifest.Library{File: d.path, Limits: d.Limits, Process: manifest.Process{Restart: d.Restart}}
		for _, declared := range d.code.Modules {
			name := declared.Declare().Name
			lib.Modules = append(lib.Modules, manifest.Module{Name: name, OnFailure: d.Policies[name]})
		}
		mf.Libraries = append(mf.Libraries, lib)
	}
	return mf
}

func (*processes) Name() string { return vehicle.Process }

func (p *processes) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	d := p.library[f.Path]
	if d == nil {
		return vehicle.Description{}, false, nil
	}
	return golib.Describe(vehicle.Process, d.code), true, nil
}

func (p *processes) Describe(vehicle.File, vehicle.Description) (vehicle.Description, error) {
	return vehicle.Description{}, errors.New("nobody describes it in a child")
}

func (p *processes) Open(context.Context, vehicle.File, vehicle.Description) (vehicle.Library, error) {
	return nil, errors.New("it is not opened in the daemon")
}

func (p *processes) Launch(_ context.Context, f vehicle.File, d vehicle.Description, _ vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	return p.library[f.Path].start(), d, nil
}

func (d *deadly) start() *mortal {
	d.all.mu.Lock()
	d.all.pid++
	m := &mortal{Library: golib.Open(d.code), of: d, pid: d.all.pid, gone: make(chan struct{})}
	d.all.mu.Unlock()
	d.mu.Lock()
	defer d.mu.Unlock()
	d.current = m
	d.open++
	return m
}

// kill ends the process that runs.
func (d *deadly) kill() {
	d.mu.Lock()
	m := d.current
	d.kills++
	d.mu.Unlock()
	m.kill()
}

// running says how many processes of it there are.
func (d *deadly) running() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open
}

// tried says when it was started again, counted from a time.
func (d *deadly) tried(from time.Time) (after []time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, t := range d.starts {
		after = append(after, t.Sub(from))
	}
	return after
}

// mortal is one process.
type mortal struct {
	vehicle.Library
	of  *deadly
	pid int

	once  sync.Once
	gone  chan struct{}
	cause *vehicle.GoneError
}

func (m *mortal) end(cause *vehicle.GoneError) {
	m.once.Do(func() {
		m.cause = cause
		close(m.gone)
		m.of.mu.Lock()
		defer m.of.mu.Unlock()
		m.of.open--
	})
}

func (m *mortal) kill() {
	m.end(&vehicle.GoneError{Library: m.of.path, PID: m.pid, End: vehicle.EndSignaled, Detail: "signal SIGKILL", Said: "last words"})
}

func (m *mortal) Gone() <-chan struct{} { return m.gone }
func (m *mortal) PID() int              { return m.pid }
func (m *mortal) Unloads() bool         { return true }

func (m *mortal) Cause() *vehicle.GoneError {
	select {
	case <-m.gone:
		return m.cause
	default:
		return nil
	}
}

// dead is what calls get once it is gone.
func (m *mortal) dead(module string) error {
	cause := m.Cause()
	if cause == nil {
		return nil
	}
	named := *cause
	named.Module = module
	return fmt.Errorf("call: %w", &named)
}

func (m *mortal) Close() error {
	m.end(&vehicle.GoneError{Library: m.of.path, PID: m.pid, End: vehicle.EndClosed, Detail: "closed"})
	return nil
}

func (m *mortal) Again(ctx context.Context) (vehicle.Mortal, error) {
	if m.Cause() == nil {
		return nil, errors.New("it is not gone")
	}
	m.of.mu.Lock()
	m.of.starts = append(m.of.starts, time.Now())
	n := len(m.of.starts)
	m.of.mu.Unlock()
	if m.of.Again != nil {
		if err := m.of.Again(ctx, n); err != nil {
			return nil, err
		}
	}
	fresh := m.of.start()
	if m.of.Born != nil {
		m.of.Born(fresh)
	}
	return fresh, nil
}

func (m *mortal) Create(ctx context.Context, module string, host facade.Host, p facade.Parameters) (vehicle.Instance, error) {
	if err := m.dead(module); err != nil {
		return vehicle.Instance{}, err
	}
	made, err := m.Library.Create(ctx, module, host, p)
	if err != nil {
		return made, err
	}
	destroy := made.Destroy
	made.Destroy = func(ctx context.Context) error {
		if err := m.dead(module); err != nil {
			return err
		}
		return destroy(ctx)
	}
	switch value := made.Value.(type) {
	case calculator.Calculator:
		made.Value = farCalculator{m, module, value}
	case anonymous.Anonymous:
		made.Value = farAnonymous{m, module, value}
	}
	return made, nil
}

type farCalculator struct {
	*mortal
	module string
	near   calculator.Calculator
}

func (f farCalculator) Compute(ctx context.Context, a byte, b int64) (int32, error) {
	sum := make(chan int32, 1)
	err := f.call(f.module, ctx, func(ctx context.Context) error {
		n, err := f.near.Compute(ctx, a, b)
		sum <- n
		return err
	})
	if err != nil {
		return 0, err
	}
	return <-sum, nil
}

type farAnonymous struct {
	*mortal
	module string
	near   anonymous.Anonymous
}

func (f farAnonymous) Run(ctx context.Context) error { return f.call(f.module, ctx, f.near.Run) }

// call ends when the process does.
func (m *mortal) call(module string, ctx context.Context, do func(context.Context) error) error {
	if err := m.dead(module); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- do(ctx) }()
	select {
	case err := <-done:
		return err
	case <-m.gone:
		cancel()
		return m.dead(module)
	}
}

// deadlyFixture is a manager over libraries in processes, and builtin modules.
func (p *processes) fixture(j *testharness.Journal, builtin []facade.Declared, binds []string, libs ...*deadly) fixture {
	p.t.Helper()
	cfg := manager.Config{
		Daemon: roles.Slave, Vehicles: []vehicle.Vehicle{p}, Launcher: p,
		Manifests: []manifest.Manifest{p.manifest(libs...)}, Bindings: calculators(binds...),
	}
	if len(builtin) > 0 {
		cfg.Builtin = []facade.Library{testharness.Library(builtin...)}
	}
	return newManager(p.t.(*testing.T), j, cfg)
}

// until waits for an event.
func until[T lifecycle.Event](t *testing.T, f fixture, match func(T) bool) T {
	t.Helper()
	e, err := f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
		typed, ok := e.(T)
		return ok && match(typed)
	})
	require.NoError(t, err)
	return e.(T)
}

func anyOf[T lifecycle.Event](T) bool { return true }

// back waits until the process of a library is there again as often as it was killed,
// and for all that follows.
func back(t *testing.T, f fixture, d *deadly) {
	t.Helper()
	d.mu.Lock()
	restarts := d.kills
	d.mu.Unlock()
	until(t, f, func(e lifecycle.ProcessRestarted) bool {
		if e.Library == d.path {
			restarts--
		}
		return restarts == 0
	})
	synctest.Wait()
}

// pid is the number of the first process of a library that was lost.
func pid(f fixture, d *deadly) string {
	for _, e := range lifecycle.Of[lifecycle.ProcessLost](f.events.Events()) {
		if e.Library == d.path {
			return strconv.Itoa(e.PID)
		}
	}
	return ""
}

// restartError is how a restart's failure reads that was broken on purpose.
func restartError(d *deadly) string {
	return "library " + d.path + ": restart: " + testharness.ErrBroken.Error()
}
