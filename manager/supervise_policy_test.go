package manager_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
)

var (
	isOptional = manifest.OnFailure{Policy: manifest.PolicyOptional}
	isRequired = manifest.OnFailure{Policy: manifest.PolicyRequired}
)

func fallbackTo(name string) manifest.OnFailure {
	return manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: name}
}

// doomed makes a library's restarts fail until the test says otherwise, with a limit of
// one attempt.
func (d *deadly) doomed() (saved func()) {
	d.Restart = manifest.Restart{Limit: 1, Within: time.Hour, Backoff: time.Second, Longest: 10 * time.Second}
	err := testharness.ErrBroken
	d.Again = func(context.Context, int) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		return err
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		err = nil
	}
}

func givenUp(t *testing.T, f fixture, name string) lifecycle.ModuleGivenUp {
	t.Helper()
	e := until(t, f, func(e lifecycle.ModuleGivenUp) bool { return e.Module == name })
	synctest.Wait()
	return e
}

func notFailed(t *testing.T, f fixture) {
	t.Helper()
	select {
	case err := <-f.Failed():
		require.NoError(t, err)
	default:
	}
}

func TestPolicyOptional(t *testing.T) {
	t.Run("leaves the site unavailable, and the daemon goes on", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a, b := p.add("a", testharness.Calculator{Name: "a"}.In(j)), p.add("b", testharness.Calculator{Name: "b"}.In(j))
			a.Policies["a"] = isOptional
			a.doomed()
			f := p.fixture(j, nil, []string{"a", "b"}, a, b)
			hs := start(t, f)
			a.kill()
			e := givenUp(t, f, "a")
			assert.Equal(t, "optional", e.Policy)
			assert.Equal(t, 1, e.Attempts)
			_, err := hs[0].Compute(t.Context(), 1, 2)
			require.ErrorIs(t, err, handle.ErrUnbound)
			require.ErrorIs(t, err, testharness.ErrBroken)
			require.ErrorContains(t, err, "module a is unavailable: it is given up")
			_, _, err = manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
			require.ErrorContains(t, err, "module a: it is given up")
			works(t, hs[1])
			time.Sleep(time.Hour)
			notFailed(t, f)
			assert.Len(t, a.tried(time.Now()), 1, "nobody asked for a probe")
			assert.Equal(t, manager.Unavailable, stateOf(t, f, "a").State)
			assert.Equal(t, manager.Unavailable, f.Libraries()[0].Life.State)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"call b", "close b"}, j.Lines()[2:])
		})
	})
	t.Run("who requires it without a policy of its own stops the daemon", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = isOptional
			a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: requires("a")}.In(j)}, []string{"top"}, a)
			start(t, f)
			a.kill()
			var lost *manager.LostError
			require.ErrorAs(t, <-f.Failed(), &lost)
			assert.Equal(t, "top", lost.Module)
			assert.Equal(t, a.path, lost.Library)
			require.NoError(t, f.Close())
		})
	})
	t.Run("who can do without it is made again without", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = isOptional
			a.doomed()
			var had []bool
			optional := testharness.Requires("a", "")
			optional.Optional = true
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: []facade.Requirement{optional},
				New: func(_ context.Context, host facade.Host, _ facade.Parameters) error {
					_, err := facade.Required[calculator.Calculator](host, "a")
					had = append(had, err == nil)
					return nil
				}}.In(j)}, []string{"top"}, a)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			works(t, h)
			assert.Equal(t, []bool{true, false}, had)
			assert.Equal(t, manager.Running, stateOf(t, f, "top").State)
			notFailed(t, f)
			require.NoError(t, f.Close())
		})
	})
	t.Run("one module of a library stops the daemon, another does not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("ab", testharness.Calculator{Name: "a"}.In(j), testharness.Calculator{Name: "b"}.In(j))
			lib.Policies["a"], lib.Policies["b"] = isOptional, isRequired
			lib.doomed()
			f := p.fixture(j, nil, []string{"a", "b"}, lib)
			start(t, f)
			lib.kill()
			var lost *manager.LostError
			require.ErrorAs(t, <-f.Failed(), &lost)
			assert.Equal(t, "b", lost.Module)
			require.NoError(t, f.Close())
		})
	})
	t.Run("a module that nothing uses stops nobody", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("ab", testharness.Calculator{Name: "a"}.In(j), testharness.Calculator{Name: "b"}.In(j))
			lib.Policies["a"] = isOptional
			lib.doomed()
			f := p.fixture(j, nil, []string{"a"}, lib)
			start(t, f)
			lib.kill()
			givenUp(t, f, "a")
			notFailed(t, f)
			require.NoError(t, f.Close())
		})
	})
}
