package manager_test

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/roles"
)

// isolating carries every file of its folder as a library with one calculator, both of
// the file's name: in the daemon, or launched. The journal tells of launches and ends.
type isolating struct {
	t       testing.TB
	name    string // of the vehicle
	dir     string
	journal *testharness.Journal

	declare func(name string) testharness.Calculator     // how the module is; nil: as it comes
	launch  func(ctx context.Context, name string) error // runs in each launch, before the process is there; may be nil
	refuse  func(c vehicle.Confinement) []error          // what this machine lacks; may be nil
	trials  func(requests []trial.Request)               // is told what is tried; may be nil
	mu      sync.Mutex
	opened  []string                       // in the daemon
	alive   map[string]int                 // processes
	allowed map[string]vehicle.Confinement // of those launched
}

func newIsolating(t testing.TB) *isolating {
	return &isolating{t: t, name: "native", dir: t.TempDir(), journal: &testharness.Journal{}, alive: map[string]int{}, allowed: map[string]vehicle.Confinement{}}
}

// lib makes a library and an entry that names its module.
func (v *isolating) lib(name string, isolation manifest.Isolation) manifest.Library {
	path := filepath.Join(v.dir, name)
	require.NoError(v.t, os.WriteFile(path, []byte(name), 0o700))
	return manifest.Library{File: path, Isolation: isolation, Modules: []manifest.Module{{Name: name}},
		At: manifest.Position{Source: "--modules", Line: 1, Column: len(name)}}
}

// apart are libraries in processes of their own.
func (v *isolating) apart(names ...string) (mf manifest.Manifest) {
	for _, name := range names {
		mf.Libraries = append(mf.Libraries, v.lib(name, manifest.IsolationProcess))
	}
	return mf
}

// manager has the vehicle as its launcher.
func (v *isolating) manager(change func(*manager.Config)) fixture {
	cfg := manager.Config{Daemon: roles.Slave, Vehicles: []vehicle.Vehicle{v}, Launcher: v, Confinable: func(c vehicle.Confinement) []error {
		if v.refuse == nil {
			return nil
		}
		return v.refuse(c)
	}, Trial: func(_ context.Context, requests []trial.Request, _ trial.Options) ([]trial.Verdict, error) {
		if v.trials != nil {
			v.trials(requests)
		}
		verdicts := make([]trial.Verdict, len(requests))
		for i, r := range requests {
			verdicts[i].Description, verdicts[i].Err = v.Describe(r.File, r.Description)
		}
		return verdicts, nil
	}}
	if change != nil {
		change(&cfg)
	}
	t, _ := v.t.(*testing.T)
	return newManager(t, v.journal, cfg)
}

// running are the processes that have not ended.
func (v *isolating) running() (count int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, n := range v.alive {
		count += n
	}
	return count
}

func (v *isolating) count(name string, by int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.alive[name] += by
	assert.GreaterOrEqual(v.t, v.alive[name], 0, "%s has ended twice", name)
}

func (v *isolating) code(path string) facade.Library {
	c := testharness.Calculator{}
	if v.declare != nil {
		c = v.declare(filepath.Base(path))
	}
	c.Name = filepath.Base(path)
	return testharness.Library(c.In(v.journal))
}

func (v *isolating) Name() string { return v.name }

func (v *isolating) Recognise(vehicle.File) (vehicle.Description, bool, error) {
	return vehicle.Description{Vehicle: v.name}, true, nil
}

func (v *isolating) Describe(f vehicle.File, _ vehicle.Description) (vehicle.Description, error) {
	return golib.Describe(v.name, v.code(f.Path)), nil
}

func (v *isolating) Open(_ context.Context, f vehicle.File, _ vehicle.Description) (vehicle.Library, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.opened = append(v.opened, filepath.Base(f.Path))
	return golib.Open(v.code(f.Path)), nil
}

func (v *isolating) Launch(ctx context.Context, f vehicle.File, d vehicle.Description, c vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	name := filepath.Base(f.Path)
	v.mu.Lock()
	v.allowed[name] = c
	v.mu.Unlock()
	if v.launch != nil {
		if err := v.launch(ctx, name); err != nil {
			return nil, d, err
		}
	}
	v.count(name, 1)
	v.journal.Add("launch " + name)
	described, err := v.Describe(f, d)
	return &process{Library: golib.Open(v.code(f.Path)), of: v, name: name, gone: make(chan struct{})}, described, err
}

// process is one that was launched.
type process struct {
	vehicle.Library
	of    *isolating
	name  string
	once  sync.Once
	gone  chan struct{}
	cause *vehicle.GoneError
}

// end ends it; a crash if there is a cause.
func (p *process) end(cause *vehicle.GoneError) {
	p.once.Do(func() {
		p.cause = cause
		p.of.count(p.name, -1)
		p.of.journal.Add("end " + p.name)
		close(p.gone)
	})
}

func (p *process) Gone() <-chan struct{} { return p.gone }
func (p *process) PID() int              { return 1000 + len(p.name) }
func (p *process) Unloads() bool         { return true }

func (p *process) Cause() *vehicle.GoneError {
	select {
	case <-p.gone:
		return p.cause
	default:
		return nil
	}
}

func (p *process) Close() error {
	p.end(&vehicle.GoneError{Library: p.name, PID: p.PID(), End: vehicle.EndClosed, Detail: "closed"})
	return nil
}

func (p *process) Again(context.Context) (vehicle.Mortal, error) {
	return nil, &vehicle.GoneError{Library: p.name, End: vehicle.EndExited, Detail: "exit status 1"}
}
