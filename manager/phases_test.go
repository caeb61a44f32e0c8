package manager_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
)

type mods = []testharness.Calculator

var needsBase = []facade.Requirement{testharness.Requires("base", "")}

func TestPhases(t *testing.T) {
	t.Run("are barriers over the whole set, and teardown is their mirror image", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "top", Requires: needsBase}, {Name: "base"}, {Name: "other"}}, "top", "other")
		require.NoError(t, f.Start(t.Context()))
		assert.Equal(t, lifecycle.Bound, f.State())
		require.NoError(t, f.Close())
		assert.Equal(t, lifecycle.Down, f.State())
		assert.Equal(t, []string{"new base", "new other", "new top", "close top", "close other", "close base"}, f.journal.Lines())
		testharness.RequireBarriers(t, f.events.Events())
		testharness.RequireMirror(t, f.events.Events())
	})
	t.Run("what no flag and no requirement names is not instantiated", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "a"}, {Name: "b"}, {Name: "c"}}, "b")
		require.NoError(t, f.Start(t.Context()))
		assert.Equal(t, []string{"new b"}, f.journal.Lines())
	})
	t.Run("nothing is instantiated while a finding stands", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "a"}, {Name: "b", Requires: []facade.Requirement{testharness.Requires("missing", "")}}}, "a", "b")
		err := f.Start(t.Context())
		var found *finding.Error
		require.ErrorAs(t, err, &found)
		assert.Equal(t, finding.Requirement, found.Findings[0].Rule)
		assert.Empty(t, f.journal.Lines())
		assert.Equal(t, lifecycle.Loaded, f.State())
	})
	t.Run("out of turn is refused", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "a"}}, "a")
		var transition *lifecycle.TransitionError
		require.ErrorAs(t, f.Bind(t.Context()), &transition)
		require.ErrorAs(t, f.Verify(t.Context()), &transition)
		require.NoError(t, f.Start(t.Context()))
		require.ErrorAs(t, f.Load(t.Context()), &transition)
		assert.Equal(t, []string{"new a"}, f.journal.Lines())
	})
}

func TestInstantiate(t *testing.T) {
	t.Run("hands requirements in", func(t *testing.T) {
		var answer int32
		f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: func(ctx context.Context, host facade.Host, _ facade.Parameters) error {
			base, err := facade.Required[calculator.Calculator](host, "base")
			if err != nil {
				return err
			}
			answer, err = base.Compute(ctx, 'A', 10)
			return err
		}}}, "top")
		require.NoError(t, f.Start(t.Context()))
		assert.EqualValues(t, 75, answer)
	})
	for name, c := range map[string]struct {
		create func(context.Context, facade.Host, facade.Parameters) error
		want   string
	}{
		"a constructor that fails is told with its reason": {func(context.Context, facade.Host, facade.Parameters) error { return testharness.ErrBroken }, "broken on purpose"},
		"a constructor that panics is an error":            {func(context.Context, facade.Host, facade.Parameters) error { panic("boom") }, "boom"},
	} {
		t.Run(name+", and what was made before is closed", func(t *testing.T) {
			f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: c.create}}, "top")
			err := f.Start(t.Context())
			require.ErrorContains(t, err, c.want)
			require.ErrorContains(t, err, "module top")
			assert.Equal(t, []string{"new base", "new top", "close base"}, f.journal.Lines())
			assert.Equal(t, lifecycle.Verified, f.State())
			require.NoError(t, f.Close())
			assert.Len(t, f.journal.Lines(), 3, "closed twice")
		})
	}
	t.Run("a constructor that hangs is abandoned at its limit, and closed if it comes back", func(t *testing.T) {
		release := make(chan struct{})
		f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: func(context.Context, facade.Host, facade.Parameters) error {
			<-release
			return nil
		}}}, "top")
		require.NoError(t, f.Load(t.Context(), limited("top", manifest.Limits{Create: time.Millisecond})))
		require.NoError(t, f.Verify(t.Context()))
		err := f.Instantiate(t.Context())
		require.ErrorIs(t, err, lifecycle.ErrAbandoned)
		require.ErrorContains(t, err, "module top")
		assert.Equal(t, []string{"new base", "new top", "close base"}, f.journal.Lines())
		require.NoError(t, f.Close())
		libs := f.Libraries()
		assert.Contains(t, libs[0].Ended.String(), "left open: a step of module top was abandoned")
		close(release)
		_, err = f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
			ended, ok := e.(lifecycle.StepEnded)
			return ok && ended.Module == "top" && ended.Step == "close"
		})
		require.NoError(t, err)
		assert.Equal(t, "close top", f.journal.Lines()[3])
	})
	t.Run("a start that is cancelled tears down what it made", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error {
			cancel()
			<-ctx.Done()
			return ctx.Err()
		}}}, "top")
		require.ErrorIs(t, f.Start(ctx), context.Canceled)
		assert.Equal(t, []string{"new base", "new top", "close base"}, f.journal.Lines())
	})
	t.Run("after one that was cancelled, instances can still be made on demand, with what they require", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		var base calculator.Calculator
		f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: func(_ context.Context, host facade.Host, _ facade.Parameters) (err error) {
			cancel()
			base, err = facade.Required[calculator.Calculator](host, "base")
			return err
		}}}, "top")
		require.ErrorIs(t, f.Start(ctx), context.Canceled)
		assert.Equal(t, lifecycle.Verified, f.State())
		_, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "top")
		require.NoError(t, err)
		_, err = base.Compute(t.Context(), 'A', 10)
		require.NoError(t, err, "it was handed the one that is gone")
		require.NoError(t, closing(t.Context()))
		require.NoError(t, f.Close())
		assert.Equal(t, []string{"new base", "new top", "close top", "close base",
			"new base", "new top", "call base", "close top", "close base"}, f.journal.Lines())
	})
	t.Run("a start during which the manager is closed ends, and everything is closed once", func(t *testing.T) {
		entered := make(chan struct{})
		f := newFixture(t, mods{{Name: "base"}, {Name: "top", Requires: needsBase, New: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error {
			close(entered)
			<-ctx.Done()
			return ctx.Err()
		}}}, "top")
		var wg sync.WaitGroup
		wg.Go(func() { assert.ErrorIs(t, f.Start(t.Context()), context.Canceled) })
		<-entered
		require.NoError(t, f.Close())
		wg.Wait()
		assert.Equal(t, lifecycle.Down, f.State())
		assert.Equal(t, []string{"new base", "new top", "close base"}, f.journal.Lines())
	})
}

// limited is a manifest that names one builtin module with limits.
func limited(name string, l manifest.Limits) manifest.Manifest {
	return manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin", Modules: []manifest.Module{{Name: name, Limits: l}}}}}
}

func TestTeardown(t *testing.T) {
	t.Run("passes one that fails, one that panics and one that hangs, and reports all", func(t *testing.T) {
		release := make(chan struct{})
		f := newFixture(t, mods{
			{Name: "a"},
			{Name: "b", Close: func(context.Context) error { return testharness.ErrBroken }},
			{Name: "c", Close: func(context.Context) error { panic("boom") }},
			{Name: "d", Close: func(context.Context) error { <-release; return nil }},
			{Name: "e"},
		}, "a", "b", "c", "d", "e")
		require.NoError(t, f.Load(t.Context(), limited("d", manifest.Limits{Close: time.Millisecond})))
		require.NoError(t, f.Verify(t.Context()))
		require.NoError(t, f.Instantiate(t.Context()))
		require.NoError(t, f.Bind(t.Context()))
		err := f.Close()
		require.ErrorIs(t, err, testharness.ErrBroken)
		require.ErrorIs(t, err, lifecycle.ErrAbandoned)
		require.ErrorContains(t, err, "boom")
		require.ErrorContains(t, err, "module d")
		assert.Equal(t, []string{"close e", "close d", "close c", "close b", "close a"}, f.journal.Lines()[5:])
		assert.Contains(t, f.Libraries()[0].Ended.String(), "left open")
		require.NoError(t, f.Close(), "the second close reports again")
		close(release)
		_, err = f.events.Wait(t.Context(), func(e lifecycle.Event) bool { _, late := e.(lifecycle.StepReturnedLate); return late })
		require.NoError(t, err)
	})
	t.Run("waits for calls, and lets no new ones in", func(t *testing.T) {
		inside, release := make(chan struct{}), make(chan struct{})
		f := newFixture(t, mods{{Name: "a", Compute: func(_ context.Context, a byte, _ int64) (int32, error) {
			if a == 'w' {
				close(inside)
				<-release
			}
			return 7, nil
		}}}, "a")
		calcs := start(t, f)
		var wg sync.WaitGroup
		wg.Go(func() {
			v, err := calcs[0].Compute(context.Background(), 'w', 2)
			assert.NoError(t, err)
			assert.EqualValues(t, 7, v)
		})
		<-inside
		wg.Go(func() { assert.NoError(t, f.Close()) })
		var err error
		for err == nil { // until unbind has begun
			_, err = calcs[0].Compute(context.Background(), 1, 2)
		}
		require.ErrorIs(t, err, handle.ErrUnbound)
		assert.NotContains(t, f.journal.Lines(), "close a")
		close(release)
		wg.Wait()
		lines := f.journal.Lines()
		assert.Equal(t, "close a", lines[len(lines)-1])
	})
	t.Run("leaves an instance alone that a call does not leave", func(t *testing.T) {
		inside, release := make(chan struct{}), make(chan struct{})
		f := newFixture(t, mods{{Name: "a", Compute: func(context.Context, byte, int64) (int32, error) {
			close(inside)
			<-release
			return 0, nil
		}}}, "a")
		require.NoError(t, f.Load(t.Context(), limited("a", manifest.Limits{Drain: time.Millisecond})))
		require.NoError(t, f.Verify(t.Context()))
		require.NoError(t, f.Instantiate(t.Context()))
		calcs := handles(t, f)
		require.NoError(t, f.Bind(t.Context()))
		var wg sync.WaitGroup
		wg.Go(func() { _, _ = calcs[0].Compute(context.Background(), 1, 2) })
		<-inside
		err := f.Close()
		require.ErrorContains(t, err, "calls are still inside")
		assert.NotContains(t, f.journal.Lines(), "close a")
		assert.Contains(t, f.Libraries()[0].Ended.String(), "left open: calls into module a did not return")
		close(release)
		wg.Wait()
	})
}

func TestUnload(t *testing.T) {
	f := newFixture(t, mods{{Name: "a"}})
	require.NoError(t, f.Load(t.Context(), limited("a", manifest.Limits{})))
	require.NoError(t, f.Unload(t.Context(), "a"))
	assert.False(t, manager.Contains[calculator.Calculator](f.Manager, "a"))
	require.ErrorContains(t, f.Unload(t.Context(), "a"), "no such module is loaded")
	require.ErrorContains(t, f.Unload(t.Context(), "unknown"), "no such module is loaded")

	t.Run("one that verification overtakes changes nothing", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			f := newFixture(t, mods{{Name: "a"}})
			overtaken := make(chan struct{})
			f.Manager.Events().Observe(func(e lifecycle.Event) {
				if s, ok := e.(lifecycle.StateChanged); ok && s.From == lifecycle.Loading {
					<-overtaken // the state says that all is possible, and nobody's turn has come
				}
			})
			loaded, verified, unloaded := make(chan error, 1), make(chan error, 1), make(chan error, 1)
			go func() { loaded <- f.Load(t.Context()) }()
			synctest.Wait()
			go func() { verified <- f.Verify(t.Context()) }()
			synctest.Wait()
			go func() { unloaded <- f.Unload(t.Context(), "a") }()
			synctest.Wait()
			close(overtaken)
			require.NoError(t, <-loaded)
			require.NoError(t, <-verified)
			require.ErrorContains(t, <-unloaded, `no way from state "verified"`)
			assert.True(t, manager.Contains[calculator.Calculator](f.Manager, "a"))
		})
	})
}

func TestTypedLoad(t *testing.T) {
	f := newFixture(t, mods{{Name: "example"}, {Name: "top", Requires: needsBase}, {Name: "base"}}, "top")
	_, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "example")
	require.Error(t, err, "before loading")
	require.NoError(t, f.Start(t.Context()))

	calc, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "example")
	require.NoError(t, err)
	v, err := calc.Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.EqualValues(t, 75, v)
	require.NoError(t, closing(t.Context()))
	require.NoError(t, closing(t.Context()), "closing twice")
	_, err = calc.Compute(t.Context(), 'A', 10)
	require.Error(t, err, "a call after closing")

	_, _, err = manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "example")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.Equal(t, []string{"new base", "new top", "new example", "call example", "close example", "new example", "close example", "close top", "close base"},
		f.journal.Lines(), "teardown closes what was forgotten, before what it may use")
	_, _, err = manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "example")
	require.Error(t, err, "after teardown")
}

func TestTypedLoadMakesWhatNobodyElseUses(t *testing.T) {
	f := newFixture(t, mods{
		{Name: "used", New: func(_ context.Context, host facade.Host, _ facade.Parameters) error {
			_, err := facade.Required[calculator.Calculator](host, "base")
			return err
		}, Requires: needsBase},
		{Name: "base", Requires: []facade.Requirement{testharness.Requires("ground", "")}},
		{Name: "ground"},
	})
	picked := manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin",
		Modules: []manifest.Module{{Name: "used"}, {Name: "base"}, {Name: "ground"}}}}}
	require.NoError(t, f.Load(t.Context(), picked))
	require.NoError(t, f.Verify(t.Context()))
	_, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "used")
	require.NoError(t, err)
	require.NoError(t, closing(t.Context()))
	_, _, err = manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "base")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	assert.Equal(t, []string{
		"new ground", "new base", "new used", "close used", "close base", "close ground",
		"new ground", "new base", "close base", "close ground",
	}, f.journal.Lines())
}

func TestOwnChecks(t *testing.T) {
	admits := func(context.Context, facade.View) error { return nil }
	t.Run("see every other library and module with its version", func(t *testing.T) {
		var seen []facade.ModuleInfo
		f := newFixture(t, mods{{Name: "a", Version: "1.2.3"}, {Name: "b", Check: func(_ context.Context, v facade.View) error {
			seen = v.Modules()
			return nil
		}}}, "a", "b")
		require.NoError(t, f.Start(t.Context()))
		require.Len(t, seen, 2)
		assert.Equal(t, "1.2.3", seen[0].Version)
		assert.Equal(t, facade.MesosVersion, seen[0].Library.MesosVersion)
	})
	t.Run("have the last word, in dependency order, and all are asked", func(t *testing.T) {
		var asked []string
		ask := func(name string, answer error) func(context.Context, facade.View) error {
			return func(context.Context, facade.View) error { asked = append(asked, name); return answer }
		}
		f := newFixture(t, mods{
			{Name: "a", Requires: []facade.Requirement{testharness.Requires("z", "")}, Check: ask("a", errors.New("not on Sundays"))},
			{Name: "z", Check: ask("z", errors.New("never"))},
			{Name: "c", Check: admits},
		}, "a", "c")
		err := f.Start(t.Context())
		var found *finding.Error
		require.ErrorAs(t, err, &found)
		assert.Len(t, found.Findings, 2)
		assert.Contains(t, err.Error(), "not on Sundays")
		assert.Contains(t, err.Error(), "never")
		assert.Equal(t, []string{"z", "a"}, asked)
		assert.Empty(t, f.journal.Lines())
	})
	t.Run("that panic are findings", func(t *testing.T) {
		f := newFixture(t, mods{{Name: "a", Check: func(context.Context, facade.View) error { panic("boom") }}}, "a")
		var found *finding.Error
		require.ErrorAs(t, f.Start(t.Context()), &found)
		assert.Equal(t, finding.OwnCheck, found.Findings[0].Rule)
		assert.Contains(t, found.Findings[0].Problem, "boom")
	})
}
