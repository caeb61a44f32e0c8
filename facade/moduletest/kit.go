package moduletest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Kit is one daemon's module system around the module under test, with everything
// that it can tell about the module. Its methods are for the test's goroutine, but
// for those that only look (Events, Steps, Log, Metric), which any may call.
type Kit struct {
	t         testing.TB
	library   facade.Library // the subject is this
	file      File           // or this
	vehicles  []vehicle.Vehicle
	dir       string // relative paths count from here
	o         settings
	described vehicle.Description

	bus      *lifecycle.Bus
	recorder *lifecycle.Recorder
	log      *logBook
	measures *measures
	marks    *marks

	m      *manager.Manager
	set    []string // the modules that m was made for
	closed bool

	mu       sync.Mutex
	lifetime []context.CancelFunc // of the instances
	ended    bool
	released chan struct{} // closed when the kit is: hung calls return
}

// New returns a kit for a library, and has it closed when the test is over. Nothing
// of the library runs yet.
func New[S Subject](t testing.TB, subject S, options ...Option) *Kit {
	t.Helper()
	k := &Kit{t: t, o: newSettings(options), log: newLogBook(), released: make(chan struct{})}
	switch s := any(subject).(type) {
	case facade.Library:
		k.library = s
	case File:
		k.file, k.vehicles = s, vehicles(k.log.logger())
		if !mainCalled.Load() {
			fail(t, "%v", errNoMain)
		}
	}
	dir, err := os.Getwd()
	if err != nil {
		fail(t, "%v", err)
	}
	k.dir = dir
	if k.file != "" && !filepath.IsAbs(string(k.file)) {
		k.file = File(filepath.Join(dir, string(k.file))) // a bare name would be searched for
	}
	k.described = k.describe()
	k.bus = lifecycle.NewBus(lifecycle.BusOptions{})
	k.recorder = lifecycle.NewRecorder(k.bus)
	k.measures = newMeasures()
	if k.o.stateDir == "" {
		k.o.stateDir = t.TempDir()
	}
	k.marks = mark(t)
	t.Cleanup(k.Close)
	return k
}

// Events returns what has happened so far; the slice is the caller's. The types are
// those of package lifecycle.
func (k *Kit) Events() []lifecycle.Event { return k.recorder.Events() }

// Steps returns the order in which things began, as "instantiate org_example_a create".
func (k *Kit) Steps() []string { return k.recorder.Steps() }

// Wait returns the first event, past or to come, for which match is true. The test
// ends if none comes within ten seconds, which in a bubble of testing/synctest take no
// time.
func (k *Kit) Wait(match func(lifecycle.Event) bool) lifecycle.Event {
	k.t.Helper()
	ctx, cancel := context.WithTimeout(k.t.Context(), k.o.patience)
	defer cancel()
	e, err := k.recorder.Wait(ctx, match)
	if err != nil {
		fail(k.t, "%v", err)
	}
	return e
}

// Log returns what modules have logged, one line each in slog's text form without
// the time: level=INFO msg=hello module=org_example_a.
func (k *Kit) Log() []string { return k.log.lines() }

// Metric returns the value of a measure of a module, and whether the module has
// registered it.
func (k *Kit) Metric(module, name string) (value float64, ok bool) {
	return k.measures.value(module, name)
}

// Modules tells how the modules stand, as the daemon's reports show them: secret
// parameters are hidden.
func (k *Kit) Modules() []manager.ModuleStatus {
	if k.m == nil {
		return nil
	}
	return k.m.Modules()
}

// Shown returns every line in which a text can be read by somebody: of the log, of
// the events, and of the reports. It is for secrets, which are nowhere.
func (k *Kit) Shown(text string) []string {
	all := slices.Concat(k.Log(), k.recorder.Lines())
	for _, m := range k.Modules() {
		for _, p := range m.Parameters {
			all = append(all, m.Declared.Name+" "+p.Key+"="+p.Value)
		}
	}
	return slices.DeleteFunc(all, func(line string) bool { return !strings.Contains(line, text) })
}

// EndLifetime ends the lifetime of the instances made so far and to come, while
// they are still bound: what hangs on facade.Host.Lifetime has to stop.
func (k *Kit) EndLifetime() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended = true
	for _, cancel := range k.lifetime {
		cancel()
	}
}

// Close tears everything down. The test fails if teardown reports anything, if the
// module panicked in a call, if it registered a measure that no daemon would expose,
// or if a goroutine that it started is left. Closing again does nothing.
func (k *Kit) Close() {
	k.t.Helper()
	if k.closed {
		return
	}
	k.closed = true
	close(k.released)
	if k.m != nil {
		if err := k.m.Close(); err != nil {
			k.t.Errorf("teardown: %v", err)
		}
	}
	for _, p := range lifecycle.Of[lifecycle.CallPanicked](k.Events()) {
		if moduleIn(k.described, p.Module).Name != "" {
			k.t.Errorf("module %s panicked in %s: %s\n%s", p.Module, p.Method, p.Value, p.Stack)
		}
	}
	for _, problem := range k.measures.problems() {
		k.t.Errorf("%s", problem)
	}
	patience := min(k.o.patience, time.Second)
	if k.o.allowLeaks {
		patience = 0
	}
	if left := k.marks.remove(patience); len(left) > 0 {
		k.t.Errorf("%d goroutines that the module or the test started are left after teardown; background work hangs on "+
			"facade.Host.Lifetime, or is ended and waited for in Close:\n\n%s", len(left), strings.Join(left, "\n\n"))
	}
	if k.t.Failed() {
		k.t.Logf("what happened:\n%s", strings.Join(slices.Concat(k.recorder.Lines(), k.Log()), "\n"))
	}
}
