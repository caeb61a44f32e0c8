package manager_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	"github.com/mesos-modules/mms/roles"
)

func TestIsolation(t *testing.T) {
	limited := manifest.Process{Memory: 1 << 20, Environment: []manifest.Variable{{Name: "TOKEN", Value: "t0p"}},
		At: manifest.Position{Source: "--modules", Line: 2, Column: 3}}
	other := limited
	other.Memory = 2 << 20
	again := limited
	again.At.Line = 9
	for _, c := range []struct {
		name          string
		vehicle       string // native if empty
		change        func(*manager.Config)
		entries       []manifest.Library // of one file
		refuse        []error
		rule          finding.Rule // none if empty
		problem, mend string
		launched      int
	}{
		{name: "an executable runs nowhere else", vehicle: vehicle.Process, entries: []manifest.Library{{Isolation: manifest.IsolationNone}},
			rule: finding.Isolation, problem: "the library is an executable", mend: `take "isolation" out`},
		{name: "settings of a process that there is not", entries: []manifest.Library{{Process: limited}},
			rule: finding.ProcessSettings, problem: "(--modules:2:3), and it has none: the library runs in the daemon", mend: `say "isolation": "process" too`},
		{name: "settings of a process that is not wanted, whatever the flag says", entries: []manifest.Library{{Process: limited, Isolation: manifest.IsolationNone}},
			change: func(cfg *manager.Config) { cfg.Isolation = manifest.IsolationProcess }, rule: finding.ProcessSettings, problem: "it has none"},
		{name: "settings of a process that the flag asks for", entries: []manifest.Library{{Process: limited}},
			change: func(cfg *manager.Config) { cfg.Isolation = manifest.IsolationProcess }, launched: 1},
		{name: "a daemon that has no processes", entries: []manifest.Library{{Isolation: manifest.IsolationProcess}},
			change: func(cfg *manager.Config) {
				cfg.Launcher, cfg.Vehicles = nil, []vehicle.Vehicle{struct{ vehicle.Vehicle }{cfg.Vehicles[0]}}
			}, rule: finding.Isolation, problem: "this program runs no libraries in processes", mend: "in the daemon"},
		{name: "a daemon one of whose vehicles can", entries: []manifest.Library{{Isolation: manifest.IsolationProcess}},
			change: func(cfg *manager.Config) { cfg.Launcher = nil }, launched: 1},
		{name: "a limit that the machine does not give", entries: []manifest.Library{{Isolation: manifest.IsolationProcess, Process: limited}},
			refuse: []error{&confine.Problem{Setting: "memory", Problem: "there are no control groups", Mend: "mount them"}},
			rule:   finding.Confinement, problem: "memory: there are no control groups", mend: "mount them"},
		{name: "entries of one file that agree", entries: []manifest.Library{{Isolation: manifest.IsolationProcess, Process: limited}, {}, {Process: again}}, launched: 1},
		{name: "an entry that isolates a file also isolates the other", entries: []manifest.Library{{}, {Isolation: manifest.IsolationProcess}}, launched: 1},
		{name: "entries of one file that isolate it differently",
			entries: []manifest.Library{{Isolation: manifest.IsolationNone}, {Isolation: manifest.IsolationProcess}},
			rule:    finding.Isolation, problem: "says twice how the library is isolated, and differently: none and process", mend: "say it once"},
		{name: "entries of one file that confine it differently",
			entries: []manifest.Library{{Isolation: manifest.IsolationProcess, Process: limited}, {Process: other}},
			rule:    finding.ProcessSettings, problem: "says twice what the library's process may do, and differently (--modules:2:3)", mend: "say it once"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v := newIsolating(t)
			if c.vehicle != "" {
				v.name = c.vehicle
			}
			v.refuse = func(vehicle.Confinement) []error { return c.refuse }
			var mf manifest.Manifest
			for _, e := range c.entries {
				l := v.lib("org_x_a", e.Isolation)
				l.Process = e.Process
				mf.Libraries = append(mf.Libraries, l)
			}
			f := v.manager(func(cfg *manager.Config) {
				cfg.Bindings = calculators("org_x_a")
				if c.change != nil {
					c.change(cfg)
				}
			})
			err := f.Load(t.Context(), mf)
			assert.Equal(t, c.launched, v.running())
			if c.rule == "" {
				require.NoError(t, err)
				return
			}
			held := findingsOf(t, err)
			require.Len(t, held, 1, "%v", held)
			assert.Equal(t, c.rule, held[0].Rule)
			assert.Equal(t, filepath.Join(v.dir, "org_x_a"), held[0].Library)
			assert.Contains(t, held[0].Problem, c.problem)
			assert.Contains(t, held[0].Mend, c.mend)
			assert.Empty(t, v.opened, "what was to be confined is not opened in the daemon")
			assert.NotContains(t, err.Error(), "t0p")
		})
	}
	t.Run("every limit that cannot be had is told", func(t *testing.T) {
		v := newIsolating(t)
		v.refuse = func(c vehicle.Confinement) []error {
			assert.Equal(t, limited.Confinement(), c)
			return []error{&confine.Problem{Setting: "memory", Problem: "no", Mend: "yes"}, &confine.Problem{Setting: "user", Problem: "no", Mend: "yes"}}
		}
		mf := v.apart("org_x_a")
		mf.Libraries[0].Process = limited
		held := findingsOf(t, v.manager(nil).Load(t.Context(), mf))
		require.Len(t, held, 2)
		assert.Equal(t, "memory: no", held[0].Problem)
		assert.Equal(t, "user: no", held[1].Problem)
		assert.Empty(t, v.allowed, "nothing runs before")
	})
	t.Run("what this machine gives is asked of it where nobody says", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a")
		mf.Libraries[0].Process.User = "no-such-user-here"
		held := findingsOf(t, v.manager(func(cfg *manager.Config) { cfg.Confinable = nil }).Load(t.Context(), mf))
		require.Len(t, held, 1)
		assert.Equal(t, finding.Confinement, held[0].Rule)
		assert.Contains(t, held[0].Problem, "no-such-user-here")
	})
	t.Run("modules that are compiled in stay in the daemon", func(t *testing.T) {
		j := &testharness.Journal{}
		f := newManager(t, j, manager.Config{Daemon: roles.Slave, Isolation: manifest.IsolationProcess, Bindings: calculators("a"),
			Builtin: []facade.Library{testharness.Library(testharness.Calculator{Name: "a"}.In(j))}})
		held := findingsOf(t, f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin", Isolation: manifest.IsolationProcess,
			Process: limited, Modules: []manifest.Module{{Name: "a", OnFailure: manifest.OnFailure{Policy: manifest.PolicyOptional}}}}}}))
		var rules []finding.Rule
		for _, x := range held {
			rules = append(rules, x.Rule)
		}
		assert.Equal(t, []finding.Rule{finding.Isolation, finding.ProcessSettings, finding.OnFailure}, rules)
		assert.Equal(t, "a process is asked for modules that are compiled into mesos-slave and run in it", held[0].Problem)
		require.NoError(t, f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin", Isolation: manifest.IsolationNone,
			Modules: []manifest.Module{{Name: "a"}}}}}), "the flag does not speak of them")
	})
	t.Run("a word that is none of the isolations is an error of the program", func(t *testing.T) {
		_, err := manager.New(manager.Config{Daemon: roles.Slave, Isolation: "full"})
		assert.EqualError(t, err, `manager: the isolation is "full", not one of none and process`)
	})
}

func TestIsolationLater(t *testing.T) {
	for _, c := range []struct {
		name          string
		first, second manifest.Library
		rule          finding.Rule // none if empty
		problem       string
	}{
		{name: "says nothing", first: manifest.Library{Isolation: manifest.IsolationProcess}},
		{name: "says the same", first: manifest.Library{Isolation: manifest.IsolationProcess, Process: manifest.Process{Memory: 7}},
			second: manifest.Library{Isolation: manifest.IsolationProcess, Process: manifest.Process{Memory: 7}}},
		{name: "wants it out of the daemon", second: manifest.Library{Isolation: manifest.IsolationProcess}, rule: finding.Isolation, problem: "open already, with other isolation than process"},
		{name: "wants it in the daemon", first: manifest.Library{Isolation: manifest.IsolationProcess}, second: manifest.Library{Isolation: manifest.IsolationNone},
			rule: finding.Isolation, problem: "open already, with other isolation than none"},
		{name: "confines it in the daemon", second: manifest.Library{Process: manifest.Process{Memory: 7}}, rule: finding.ProcessSettings, problem: "open already and runs in the daemon"},
		{name: "confines it differently", first: manifest.Library{Isolation: manifest.IsolationProcess}, second: manifest.Library{Process: manifest.Process{Memory: 7}},
			rule: finding.ProcessSettings, problem: "runs already, with other settings"},
	} {
		t.Run("a later manifest of an open library that "+c.name, func(t *testing.T) {
			v := newIsolating(t)
			f := v.manager(nil)
			load := func(l manifest.Library) error {
				named := v.lib("org_x_a", l.Isolation)
				named.Process = l.Process
				return f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{named}})
			}
			require.NoError(t, load(c.first))
			before := v.running()
			err := load(c.second)
			assert.Equal(t, before, v.running(), "the library stays as it was")
			if c.rule == "" {
				require.NoError(t, err)
				return
			}
			held := findingsOf(t, err)
			require.Len(t, held, 1)
			assert.Equal(t, c.rule, held[0].Rule)
			assert.Contains(t, held[0].Problem, c.problem)
		})
	}
}

func TestFallbackOfTheManifest(t *testing.T) {
	t.Run("is verified, and waits", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a", "org_x_b")
		mf.Libraries[0].Modules[0].OnFailure = manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: "org_x_b"}
		f := v.manager(func(cfg *manager.Config) {
			cfg.Manifests, cfg.Bindings = []manifest.Manifest{mf}, calculators("org_x_a")
		})
		require.NoError(t, f.Start(t.Context()))
		assert.Equal(t, []string{"org_x_b"}, f.Result().Plan.Standby)
		assert.Empty(t, f.Result().Plan.Unused)
		assert.NotContains(t, v.journal.Lines(), "new org_x_b")
		a, _ := f.Module("org_x_a")
		assert.Equal(t, "fallback: org_x_b", a.OnFailure)
	})
	t.Run("in a process that could not be launched has that finding alone", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a", "org_x_b")
		mf.Libraries[0].Modules[0].OnFailure = manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: "org_x_b"}
		mf.Libraries[1].File += "-gone"
		held := findingsOf(t, v.manager(func(cfg *manager.Config) { cfg.Bindings = calculators("org_x_a") }).Load(t.Context(), mf))
		require.Len(t, held, 1)
		assert.Equal(t, finding.LibraryFile, held[0].Rule)
	})
	t.Run("named twice and differently is a finding", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a", "org_x_a")
		mf.Libraries[1].Modules[0].OnFailure = manifest.OnFailure{Policy: manifest.PolicyOptional}
		held := findingsOf(t, v.manager(nil).Load(t.Context(), mf))
		require.Len(t, held, 1)
		assert.Equal(t, finding.UniqueName, held[0].Rule)
		assert.True(t, strings.HasPrefix(held[0].Problem, `the module is named twice with different "on_failure"`), held[0].Problem)
	})
}
