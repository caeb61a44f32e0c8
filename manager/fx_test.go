package manager_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/fx"
	"go.uber.org/fx/fxtest"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// fxTable is the role table with sites of every cardinality for the Calculator.
func fxTable() []roles.Role {
	table := roles.Table()
	for i := range table {
		if table[i].Name == "Calculator" {
			table[i].Sites = []roles.Site{
				{On: roles.Slave, Flag: "one", Takes: roles.One},
				{On: roles.Slave, Flag: "second", Takes: roles.One, Name: "second"},
				{On: roles.Slave, Flag: "list", Takes: roles.List},
				{On: roles.Slave, Flag: "each", Takes: roles.Each, Name: "each"},
			}
		}
	}
	return table
}

func fxConfig(j *testharness.Journal, modules mods, binds ...verify.Binding) manager.Config {
	var declared []facade.Declared
	for _, c := range modules {
		declared = append(declared, c.In(j))
	}
	return manager.Config{
		Daemon: roles.Slave, Roles: fxTable(), Bindings: binds, Vehicles: vehicles(),
		Builtin: []facade.Library{testharness.Library(declared...)},
		Bus:     lifecycle.NewBus(lifecycle.BusOptions{}),
	}
}

func binding(flag string, names ...string) verify.Binding {
	b := verify.Binding{Flag: flag}
	for _, n := range names {
		b.Refs = append(b.Refs, verify.Ref{Name: n})
	}
	return b
}

// taken is what the core of a daemon takes.
type taken struct {
	fx.In
	Manager *manager.Manager
	One     calculator.Calculator
	Second  calculator.Calculator `name:"second"`
	List    []calculator.Calculator
	Each    manager.Factory[calculator.Calculator] `name:"each"`
}

func TestFxInjectsEverySite(t *testing.T) {
	j := &testharness.Journal{}
	m, err := manager.New(fxConfig(j, mods{{Name: "a"}, {Name: "b"}, {Name: "z"}, {Name: "e"}},
		binding("one", "a"), binding("second", "b"), binding("list", "z", "b"), binding("each", "e")))
	require.NoError(t, err)
	var got taken
	app := fxtest.New(t, fx.NopLogger, m.Options(), fx.Invoke(func(lc fx.Lifecycle, core taken) {
		got = core
		lc.Append(fx.StartStopHook(func() { j.Add("core starts") }, func() { j.Add("core stops") }))
	}))
	assert.Empty(t, j.Lines(), "the constructor does work")
	app.RequireStart()
	for _, c := range []calculator.Calculator{got.One, got.Second, got.List[0], got.List[1]} {
		v, err := c.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, v)
	}
	made, closing, err := got.Each(t.Context(), nil)
	require.NoError(t, err)
	_, err = made.Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	require.NoError(t, closing(t.Context()))
	app.RequireStop()
	assert.Equal(t, []string{
		"new a", "new b", "new z", "core starts",
		"call a", "call b", "call z", "call b",
		"new e", "call e", "close e",
		"core stops", "close z", "close b", "close a",
	}, j.Lines(), "the core starts after bind and stops before unbind")
	assert.Equal(t, lifecycle.Down, got.Manager.State())
	_, _, err = got.Each(t.Context(), nil)
	require.Error(t, err, "a factory works after teardown")
}

func TestFxFactoryWithParameters(t *testing.T) {
	type schema struct {
		Realm  string `mms:"realm"`
		Secret string `mms:"secret"`
		Size   string `mms:"size"`
	}
	j, given := &testharness.Journal{}, facade.Parameters(nil)
	c := fxConfig(j, mods{{Name: "e", Schema: facade.SchemaOf[schema](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) error { given = p; return nil }}}, binding("each", "e"))
	c.Parameters = map[string]facade.Parameters{"e": {{Key: "realm", Value: "flag"}, {Key: "size", Value: "flag"}}}
	c.Manifests = []manifest.Manifest{{Libraries: []manifest.Library{{Name: "builtin", Modules: []manifest.Module{
		{Name: "e", Parameters: []manifest.Parameter{{Key: "secret", Value: "manifest"}}}}}}}}
	m, err := manager.New(c)
	require.NoError(t, err)
	var got taken
	app := fxtest.New(t, fx.NopLogger, m.Options(), fx.Invoke(func(core taken) { got = core }))
	app.RequireStart()
	_, _, err = got.Each(t.Context(), facade.Parameters{{Key: "realm", Value: "site"}, {Key: "secret", Value: "site"}, {Key: "other", Value: "site"}})
	require.NoError(t, err, "what the module does not declare does not reach it")
	assert.Equal(t, facade.Parameters{{Key: "secret", Value: "manifest"}, {Key: "realm", Value: "site"}, {Key: "size", Value: "flag"}}, given,
		"the manifest comes first, then the site, then flags")
	_, _, err = got.Each(t.Context(), nil)
	require.NoError(t, err)
	assert.Equal(t, facade.Parameters{{Key: "secret", Value: "manifest"}, {Key: "realm", Value: "flag"}, {Key: "size", Value: "flag"}}, given)
	app.RequireStop()
}

func TestFxSiteWithoutModule(t *testing.T) {
	m, err := manager.New(fxConfig(&testharness.Journal{}, mods{{Name: "a"}}))
	require.NoError(t, err)
	var got taken
	app := fxtest.New(t, fx.NopLogger, m.Options(), fx.Invoke(func(core taken) { got = core }))
	app.RequireStart()
	_, err = got.One.Compute(t.Context(), 1, 2)
	require.ErrorContains(t, err, "one")
	assert.Empty(t, got.List)
	_, _, err = got.Each(t.Context(), nil)
	require.ErrorContains(t, err, "nothing is bound to --each")
	app.RequireStop()
}

func TestFxStartThatFails(t *testing.T) {
	t.Run("in a constructor is undone, and Close finds nothing left", func(t *testing.T) {
		j := &testharness.Journal{}
		m, err := manager.New(fxConfig(j, mods{{Name: "a"}, {Name: "b",
			New: func(context.Context, facade.Host, facade.Parameters) error { return testharness.ErrBroken }}}, binding("list", "a", "b")))
		require.NoError(t, err)
		app := fx.New(fx.NopLogger, m.Options())
		require.ErrorIs(t, app.Start(t.Context()), testharness.ErrBroken)
		require.NoError(t, m.Close())
		assert.Equal(t, []string{"new a", "new b", "close a"}, j.Lines())
		assert.Equal(t, lifecycle.Down, m.State())
	})
	t.Run("at fx's deadline is torn down by Close, each once", func(t *testing.T) {
		j := &testharness.Journal{}
		entered := make(chan struct{})
		m, err := manager.New(fxConfig(j, mods{{Name: "a"}}, binding("list", "a")))
		require.NoError(t, err)
		app := fx.New(fx.NopLogger, m.Options(), fx.Invoke(func(lc fx.Lifecycle, _ taken) {
			lc.Append(fx.StartHook(func(ctx context.Context) error { close(entered); <-ctx.Done(); return ctx.Err() }))
		}))
		ctx, cancel := context.WithCancel(t.Context())
		go func() { <-entered; cancel() }()
		require.Error(t, app.Start(ctx))
		_ = m.Close()
		require.NoError(t, m.Close())
		assert.Equal(t, []string{"new a", "close a"}, j.Lines())
	})
}

func TestFxLimitsLieAboveOurs(t *testing.T) {
	cfg := fxConfig(&testharness.Journal{}, mods{{Name: "a"}}, binding("list", "a"))
	cfg.Limits = manifest.Limits{Create: time.Hour, Close: time.Hour}
	m, err := manager.New(cfg)
	require.NoError(t, err)
	app := fx.New(fx.NopLogger, m.Options())
	require.NoError(t, app.Err())
	assert.Greater(t, app.StartTimeout(), time.Hour)
	assert.Greater(t, app.StopTimeout(), time.Hour)

	cfg = fxConfig(&testharness.Journal{}, nil)
	cfg.Manifests = []manifest.Manifest{papers(t, 3)}
	m, err = manager.New(cfg)
	require.NoError(t, err)
	assert.Greater(t, fx.New(fx.NopLogger, m.Options()).StartTimeout(), 3*(trial.Longest(manager.DefaultOpen)+manager.DefaultOpen))
}

func TestConfig(t *testing.T) {
	_, err := manager.New(manager.Config{})
	require.ErrorContains(t, err, "not one of master and slave")
	_, err = manager.New(manager.Config{Daemon: roles.Both})
	require.Error(t, err)
	assert.False(t, errors.Is(err, manager.ErrPhase))
}
