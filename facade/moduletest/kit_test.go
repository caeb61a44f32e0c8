package moduletest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	calculators "github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

const name = "org_example_calc"

var errBroken = errors.New("broken on purpose")

func TestLoad(t *testing.T) {
	t.Run("takes a module through all phases and back", func(t *testing.T) {
		kit := New(t, calculators.Library)
		c := Load[calculator.Calculator](kit, calculators.Name)
		n, err := c.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, n)
		assert.Same(t, c, Load[calculator.Calculator](kit, calculators.Name), "another handle the second time")
		kit.Close()
		assert.Equal(t, []string{
			"load", "load builtin open", "verify",
			"instantiate", "instantiate " + calculators.Name + " create",
			"bind", "bind " + calculators.Name + " bind",
			"teardown", "teardown " + calculators.Name + " drain", "teardown " + calculators.Name + " close", "teardown builtin close",
		}, kit.Steps())
	})
	t.Run("makes nothing of a library but the module that is asked for", func(t *testing.T) {
		bad := calc{name: "org_example_bad", create: func(context.Context, facade.Host, facade.Parameters) error { return errBroken }}
		kit := New(t, facade.Library{Modules: []facade.Declared{calc{}.declared(), bad.declared()}})
		Load[calculator.Calculator](kit, name)
		kit.Close()
		assert.NotContains(t, kit.Steps(), "instantiate org_example_bad create")
	})
	t.Run("fails the test with the findings", func(t *testing.T) {
		text := outcome(t, func(t testing.TB) { Load[calculator.Calculator](New(t, calc{version: "1"}.library()), name) })
		assert.Contains(t, text, "metadata: module org_example_calc")
		assert.Contains(t, text, "verify ends", "what happened is not shown")
	})
	t.Run("says which role the module fulfils", func(t *testing.T) {
		_, err := TryLoad[testmodule.TestModule](New(t, calc{}.library()), name)
		require.EqualError(t, err, "the module fulfils the role Calculator, and TestModule (testmodule.TestModule) was asked for")
		_, err = TryLoad[error](New(t, calc{}.library()), name)
		require.ErrorContains(t, err, "error is not the interface of any role")
	})
	t.Run("finds a module that is not there", func(t *testing.T) {
		_, err := TryLoad[calculator.Calculator](New(t, calc{}.library()), "org_example_cal")
		var found *finding.Error
		require.ErrorAs(t, err, &found)
		assert.Contains(t, err.Error(), "no module of this name is compiled into")
	})
	t.Run("returns what the constructor says", func(t *testing.T) {
		_, err := TryLoad[calculator.Calculator](New(t, calc{create: func(context.Context, facade.Host, facade.Parameters) error { return errBroken }}.library()), name)
		require.ErrorIs(t, err, errBroken)
	})
	t.Run("refuses a second module", func(t *testing.T) {
		text := outcome(t, func(t testing.TB) {
			kit := New(t, facade.Library{Modules: []facade.Declared{calc{}.declared(), calc{name: "org_example_b"}.declared()}})
			Load[calculator.Calculator](kit, name)
			Load[calculator.Calculator](kit, "org_example_b")
		})
		assert.Contains(t, text, "one kit drives one module")
	})
	t.Run("is in the master for a role of the master's", func(t *testing.T) {
		l := facade.Library{Modules: []facade.Declared{facade.Module[allocator.Allocator]{Name: "org_example_allocator",
			New: func(context.Context, facade.Host, facade.Parameters) (allocator.Allocator, error) {
				return panicking(roleNamed("Allocator").Type).(allocator.Allocator), nil
			}}}}
		Load[allocator.Allocator](New(t, l), "org_example_allocator")
		found := New(t, l, On(roles.Slave)).Verify()
		assert.Empty(t, found, "a flag file may serve both daemons")
	})
}

func roleNamed(name string) roles.Role {
	r, _ := roles.ByName(name)
	return r
}

func TestVerify(t *testing.T) {
	t.Run("goes on with loading", func(t *testing.T) {
		kit := New(t, calc{}.library())
		require.Empty(t, kit.Verify())
		assert.Equal(t, []string{"load", "load builtin open", "verify"}, kit.Steps())
		Load[calculator.Calculator](kit, name)
	})
	t.Run("returns findings as values", func(t *testing.T) {
		kit := New(t, calc{requires: []facade.Requirement{{Module: "org_example_base", Version: ">=2"}}}.library(),
			With(StandIn[calculator.Calculator]("org_example_base", "1.0.0", &made{})))
		f := kit.RequireFinding(finding.VersionClash)
		assert.Contains(t, f.String(), "org_example_base")
	})
	t.Run("fails a test that expects another finding", func(t *testing.T) {
		text := outcome(t, func(t testing.TB) { New(t, calc{version: "1"}.library()).RequireFinding(finding.Cycle) })
		assert.Contains(t, text, "the rule cycle finds nothing")
		assert.Contains(t, text, "metadata: module")
	})
	t.Run("holds a later daemon against a module without a check", func(t *testing.T) {
		kit := New(t, calc{}.library(), MesosVersion("1.13.0"))
		assert.Equal(t, name, kit.RequireFinding(finding.EqualVersion).Module)
	})
	t.Run("takes all modules of a library without names", func(t *testing.T) {
		kit := New(t, facade.Library{Modules: []facade.Declared{calc{}.declared(), calc{name: "org_example_b", version: "x"}.declared()}})
		assert.Equal(t, "org_example_b", kit.RequireFinding(finding.Metadata).Module)
	})
}

func TestParameters(t *testing.T) {
	type config struct {
		Token facade.Secret `mms:"token"`
		Hosts []string      `mms:"host"`
	}
	var seen facade.Parameters
	c := calc{schema: facade.SchemaOf[config](), create: func(_ context.Context, h facade.Host, p facade.Parameters) error {
		seen = p
		h.Logger().Info("made", "hosts", len(p.All("host")))
		return nil
	}}
	kit := New(t, c.library(), Parameter(name, "host", "b"), Parameter(name, "token", "s3cret"), Parameter(name, "host", "a"))
	Load[calculator.Calculator](kit, name)
	assert.Equal(t, facade.Parameters{{Key: "host", Value: "b"}, {Key: "token", Value: "s3cret"}, {Key: "host", Value: "a"}}, seen)
	assert.Equal(t, []string{"level=INFO msg=made module=org_example_calc hosts=2"}, kit.Log())
	assert.Empty(t, kit.Shown("s3cret"))
	assert.NotEmpty(t, kit.Shown("hosts=2"))

	f := New(t, c.library(), Parameter(name, "tokn", "x")).RequireFinding(finding.Parameters)
	assert.Contains(t, f.Problem, "tokn")
}

func TestHost(t *testing.T) {
	t.Run("keeps what is measured", func(t *testing.T) {
		kit := New(t, calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
			h.Metrics().Counter("calls", "").Add(2)
			h.Metrics().Counter("calls", "").Add(1)
			h.Metrics().Counter("calls", "").Add(-9)
			h.Metrics().Gauge("level", "").Set(7)
			return nil
		}}.library())
		Load[calculator.Calculator](kit, name)
		v, ok := kit.Metric(name, "calls")
		assert.True(t, ok)
		assert.EqualValues(t, 3, v)
		v, _ = kit.Metric(name, "level")
		assert.EqualValues(t, 7, v)
		_, ok = kit.Metric(name, "other")
		assert.False(t, ok)
	})
	t.Run("fails a test whose measures no daemon exposes", func(t *testing.T) {
		text := outcome(t, func(t testing.TB) {
			kit := New(t, calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
				h.Metrics().Counter("CamelCase", "")
				h.Metrics().Gauge("calls", "")
				h.Metrics().Counter("calls", "")
				return nil
			}}.library())
			Load[calculator.Calculator](kit, name)
		})
		assert.Contains(t, text, `"CamelCase", whose name is not snake_case`)
		assert.Contains(t, text, "the measure calls as a gauge and as a counter")
	})
	t.Run("keeps state over a restart", func(t *testing.T) {
		dir := t.TempDir()
		c := calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
			state, err := h.StateDir()
			if err != nil {
				return err
			}
			if _, err := os.Stat(filepath.Join(state, "here")); err == nil {
				h.Logger().Info("again")
			}
			return os.WriteFile(filepath.Join(state, "here"), nil, 0o600)
		}}
		first := New(t, c.library(), StateDir(dir))
		Load[calculator.Calculator](first, name)
		first.Close()
		assert.Empty(t, first.Log())
		second := New(t, c.library(), StateDir(dir))
		Load[calculator.Calculator](second, name)
		assert.Len(t, second.Log(), 1)
	})
	t.Run("makes more instances", func(t *testing.T) {
		kit := New(t, calc{}.library())
		Load[calculator.Calculator](kit, name)
		c, closing, err := Create[calculator.Calculator](kit, name)
		require.NoError(t, err)
		require.NoError(t, closing())
		_, err = c.Compute(t.Context(), 1, 1)
		require.Error(t, err, "a call after closing")
	})
}

func TestClose(t *testing.T) {
	stay := make(chan struct{})
	defer close(stay)
	leave := func() { go func() { <-stay }() }
	for about, c := range map[string]struct {
		calc calc
		want string
	}{
		"an error of Close":                     {calc{close: func(context.Context) error { return errBroken }}, "broken on purpose"},
		"a panic in a call":                     {calc{compute: func(context.Context, byte, int64) (int32, error) { panic("boom") }}, "panicked in Compute: boom"},
		"a goroutine that the constructor left": {calc{create: func(context.Context, facade.Host, facade.Parameters) error { leave(); return nil }}, "1 goroutines that the module"},
		"a goroutine that a call left":          {calc{compute: func(context.Context, byte, int64) (int32, error) { leave(); return 0, nil }}, "1 goroutines that the module"},
	} {
		t.Run("fails the test for "+about, func(t *testing.T) {
			text := outcome(t, func(t testing.TB) {
				_, _ = Load[calculator.Calculator](New(t, c.calc.library(), impatient), name).Compute(t.Context(), 1, 2)
			})
			assert.Contains(t, text, c.want)
		})
	}
	t.Run("leaves the goroutines of other tests alone, and those it is told to", func(t *testing.T) {
		leave()
		kit := New(t, calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
			go func() { <-h.Lifetime().Done() }()
			return nil
		}}.library())
		Load[calculator.Calculator](kit, name)
		kit.Close()
		kit.Close()
		leaving := New(t, calc{create: func(context.Context, facade.Host, facade.Parameters) error { leave(); return nil }}.library(), AllowLeaks())
		Load[calculator.Calculator](leaving, name)
		leaving.Close()
	})
	t.Run("ends the kit", func(t *testing.T) {
		assert.Contains(t, outcome(t, func(t testing.TB) {
			kit := New(t, calc{}.library())
			kit.Close()
			kit.Verify()
		}), "the kit is closed")
	})
}

func TestTimeIsFakeInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := calc{create: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error { <-ctx.Done(); return ctx.Err() }}
		kit := New(t, c.library(), Limits(manifest.Limits{Create: time.Hour}))
		_, err := TryLoad[calculator.Calculator](kit, name)
		require.ErrorIs(t, err, context.DeadlineExceeded)
		require.ErrorContains(t, err, "the limit of 1h0m0s passed")
		assert.Equal(t, time.Hour, time.Since(began))
		for _, e := range lifecycle.Of[lifecycle.StepEnded](kit.Events()) {
			if e.Step == "create" {
				assert.Equal(t, time.Hour, e.Duration)
				assert.Equal(t, began.Add(time.Hour).UTC(), e.At)
			}
		}
	})
}

func TestHammer(t *testing.T) {
	kit := New(t, calc{}.library())
	c := Load[calculator.Calculator](kit, name)
	seen := make([][]int, 3)
	kit.Hammer(3, 4, func(ctx context.Context, g, call int) error {
		seen[g] = append(seen[g], call)
		_, err := c.Compute(ctx, byte(g), int64(call))
		return err
	})
	assert.Equal(t, [][]int{{0, 1, 2, 3}, {0, 1, 2, 3}, {0, 1, 2, 3}}, seen)
	text := outcome(t, func(t testing.TB) {
		New(t, calc{}.library()).Hammer(2, 1000, func(context.Context, int, int) error { return errBroken })
	})
	assert.Contains(t, text, "called from 2 goroutines at once: broken on purpose")
}

func TestWait(t *testing.T) {
	kit := New(t, calc{}.library())
	Load[calculator.Calculator](kit, name)
	e := kit.Wait(func(e lifecycle.Event) bool { _, ok := e.(lifecycle.StepEnded); return ok })
	assert.Equal(t, lifecycle.Load, e.Head().Phase)
	text := outcome(t, func(t testing.TB) {
		New(t, calc{}.library(), impatient).Wait(func(lifecycle.Event) bool { return true })
	})
	assert.Contains(t, text, "wait for event")
}

func TestParallel(t *testing.T) {
	running, closed := make(chan struct{}), make(chan struct{})
	t.Run("one test has a goroutine", func(t *testing.T) {
		t.Parallel()
		kit := New(t, calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error {
			go func() { <-h.Lifetime().Done() }()
			return nil
		}}.library())
		Load[calculator.Calculator](kit, name)
		assert.NotEmpty(t, kit.marks.left())
		close(running)
		<-closed
	})
	t.Run("another is not blamed for it", func(t *testing.T) {
		t.Parallel()
		<-running
		defer close(closed)
		kit := New(t, calc{}.library())
		Load[calculator.Calculator](kit, name)
		kit.Close()
		assert.False(t, t.Failed())
	})
}

func TestStart(t *testing.T) {
	kit := New(t, calculators.Library)
	require.NoError(t, kit.Start(calculators.Name))
	assert.Equal(t, []string{"calculator"}, kit.Modules()[0].Sites)
	broken := New(t, calc{create: func(context.Context, facade.Host, facade.Parameters) error { return errBroken }}.library())
	require.ErrorIs(t, broken.Start(name), errBroken)
}

func TestModulesOfOneLibrary(t *testing.T) {
	t.Run("one that requires another gets it, with its parameters", func(t *testing.T) {
		var seen facade.Parameters
		base := calc{name: "org_example_base", create: func(_ context.Context, _ facade.Host, p facade.Parameters) error { seen = p; return nil }}
		top := calc{requires: []facade.Requirement{{Module: "org_example_base"}}}
		kit := New(t, facade.Library{Modules: []facade.Declared{base.declared(), top.declared()}}, Parameter("org_example_base", "a", "b"))
		Load[calculator.Calculator](kit, name)
		assert.Equal(t, facade.Parameters{{Key: "a", Value: "b"}}, seen)
	})
	t.Run("of a file those are named that are required", func(t *testing.T) {
		d := vehicle.Description{Modules: []vehicle.Module{
			{Name: "a", Requires: []facade.Requirement{{Module: "b"}, {Module: "elsewhere"}, {Role: "Calculator"}}},
			{Name: "b", Requires: []facade.Requirement{{Module: "c"}, {Module: "a"}}}, {Name: "c"}, {Name: "d"},
		}}
		assert.Equal(t, []string{"a", "b", "c"}, closure(d, []string{"a"}))
		assert.Equal(t, []string{"d"}, closure(d, []string{"d"}))
	})
}
