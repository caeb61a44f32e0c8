package conformance_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

func several(t *testing.T) string {
	return build(t, inCpp("several", "c++17", "several.cpp"))
}

func preDeclared(t *testing.T) {
	t.Run("a role that is none", func(t *testing.T) {
		path := build(t, inC("manifest", "manifest.c", `-DWRONG=.role = "Scheduler"`))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.RoleKnown, `Scheduler`, "The roles are: Allocator, Anonymous")
	})
	t.Run("a role whose caller comes later", func(t *testing.T) {
		path := build(t, inC("manifest", "manifest.c", `-DWRONG=.role = "QoSController"`))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.RoleKnown, "QoSController")
	})
	t.Run("a role that C cannot fulfil", func(t *testing.T) {
		path := build(t, inC("manifest", "manifest.c", `-DWRONG=.role = "Containerizer"`))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.RoleKnown, "Containerizer", "no native interface")
	})
	t.Run("a binding site that is none", func(t *testing.T) {
		cfg := manager.Config{Bindings: []verify.Binding{binds("calculater", "org_example_first")}}
		requireRefused(t, run(t, cfg).verified(library(several(t), "org_example_first")), finding.Binding, "--calculater", "did you mean --calculator?")
	})
	t.Run("a site that takes another role", func(t *testing.T) {
		cfg := manager.Config{Bindings: []verify.Binding{binds("test_module", "org_example_first")}}
		requireRefused(t, run(t, cfg).verified(library(several(t), "org_example_first")), finding.Binding, "takes modules of role TestModule", "has the role Calculator")
	})
	t.Run("every role stands in one table, with its version", func(t *testing.T) {
		table := roles.Table()
		assert.Len(t, table, 20)
		for _, r := range table {
			assert.Regexp(t, `^\d+\.\d+\.\d+$`, r.Version, r.Name)
			assert.NotEmpty(t, r.Summary, r.Name)
		}
	})
}

func masterAndSlave(t *testing.T) {
	plugin := build(t, inGo("plugin"))
	for _, c := range []struct {
		role   string
		path   string
		module string
		on     roles.Daemon
	}{
		{"Allocator", plugin, "module1", roles.Master},
		{"Authenticatee", plugin, "module2", roles.Slave},
		{"Calculator", several(t), "org_example_first", roles.Both},
		{"TestModule", plugin, testModule, roles.Both},
	} {
		for _, d := range []roles.Daemon{roles.Master, roles.Slave} {
			t.Run(c.role+" in "+d.String(), func(t *testing.T) {
				err := run(t, manager.Config{Daemon: d}).verified(library(c.path, c.module))
				if c.on&d != 0 {
					require.NoError(t, err)
					return
				}
				requireRefused(t, err, finding.RoleDaemon, c.role, d.String())
			})
		}
	}
	t.Run("one flag file serves both", func(t *testing.T) {
		r := run(t, manager.Config{Daemon: roles.Slave, Bindings: []verify.Binding{binds("allocator", "module1")}})
		r.start(library(plugin, "module1"))
		m, _ := r.Module("module1")
		assert.False(t, m.Made)
		assert.Contains(t, toJSON(t, r.Result().Notices), "verified and not used here")
	})
}

func typedLoad(t *testing.T) {
	load := func(r running) (calculator.Calculator, func() error, error) {
		c, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, "org_example_first")
		return c, func() error { return closing(t.Context()) }, err
	}
	journal := filepath.Join(t.TempDir(), "journal")
	t.Setenv("MMS_CONFORMANCE_JOURNAL", journal)
	r := run(t, manager.Config{})
	_, _, err := load(r)
	require.Error(t, err, "nothing is loaded")
	require.NoError(t, r.Load(t.Context(), library(several(t), "org_example_first")))
	_, _, err = load(r)
	require.ErrorIs(t, err, manager.ErrPhase, "before verification")
	for _, phase := range []func() error{
		func() error { return r.Verify(t.Context()) }, func() error { return r.Instantiate(t.Context()) }, func() error { return r.Bind(t.Context()) },
	} {
		require.NoError(t, phase())
		c, closing, err := load(r)
		require.NoError(t, err, "in state %v", r.State())
		n, err := c.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, n)
		require.NoError(t, closing())
	}
	_, _, err = load(r)
	require.NoError(t, err)
	require.NoError(t, r.Close())
	_, _, err = load(r)
	require.Error(t, err, "after teardown")
	assert.Equal(t, strings.Repeat("new org_example_first\nclose org_example_first\n", 4), read(t, journal), "the caller closes; teardown closes what is forgotten")
	t.Run("and injection by fx", func(t *testing.T) {
		r := run(t, manager.Config{Manifests: []manifest.Manifest{library(several(t), "org_example_first", "org_example_second")},
			Bindings: []verify.Binding{binds("calculator", "org_example_second", "org_example_first")}})
		var injected []calculator.Calculator
		app := fxtest.New(t, fx.NopLogger, r.Options(), fx.Invoke(func(all []calculator.Calculator) { injected = all }))
		app.RequireStart()
		require.Len(t, injected, 2)
		n, err := injected[1].Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, n)
		app.RequireStop()
	})
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if os.IsNotExist(err) {
		return ""
	}
	require.NoError(t, err)
	return string(text)
}

func cherryPick(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	t.Setenv("MMS_CONFORMANCE_JOURNAL", journal)
	t.Run("what no flag names is loaded, and not made", func(t *testing.T) {
		r := run(t, manager.Config{Bindings: []verify.Binding{binds("calculator", "org_example_third", "org_example_first")}})
		r.start(library(several(t), "org_example_first", "org_example_second", "org_example_third", "org_example_tested"))
		require.NoError(t, r.Close())
		assert.Equal(t, "new org_example_first\nnew org_example_third\nclose org_example_third\nclose org_example_first\n", read(t, journal))
	})
	t.Run("what the manifest does not name is not there", func(t *testing.T) {
		r := run(t, manager.Config{})
		r.start(library(several(t), "org_example_first"))
		assert.Equal(t, []string{"org_example_first"}, manager.Find[calculator.Calculator](r.Manager))
		assert.Len(t, r.Libraries()[0].Description.Modules, 5)
		_, _, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, "org_example_second")
		require.Error(t, err)
	})
}

func barriers(t *testing.T) {
	r := mixed(t)
	require.NoError(t, r.Start(t.Context()))
	testharness.RequireBarriers(t, r.events.Events())
	require.NoError(t, r.Close())
	testharness.RequireMirror(t, r.events.Events())
	steps := r.events.Steps()
	for _, line := range []string{"load trial", "load builtin open", "instantiate org_example_first create", "instantiate org_example_plugged create",
		"instantiate org_example_compiled create", "bind org_example_plugged bind", "teardown org_example_first drain"} {
		assert.Equal(t, 1, count(steps, line), "%s in\n%s", line, strings.Join(steps, "\n"))
	}
	assert.Equal(t, lifecycle.Down, r.State())
}

func count(all []string, one string) (n int) {
	for _, x := range all {
		if x == one {
			n++
		}
	}
	return n
}

// mixed is a set of calculators of all three vehicles, bound to one site.
func mixed(t *testing.T) running {
	compiled := facade.Library{Modules: []facade.Declared{facade.Module[calculator.Calculator]{Name: "org_example_compiled", New: newAdder}}}
	return run(t, manager.Config{
		Builtin:   []facade.Library{compiled},
		Manifests: []manifest.Manifest{library(several(t), "org_example_first"), library(build(t, inGo("plugin")), "org_example_plugged")},
		Bindings:  []verify.Binding{binds("calculator", "org_example_plugged", "org_example_compiled", "org_example_first")},
	})
}
