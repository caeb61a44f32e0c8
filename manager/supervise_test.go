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
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// requireGone wants the error of a call into a module whose process ended.
func requireGone(t *testing.T, err error, module string) {
	t.Helper()
	var gone *vehicle.GoneError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, module, gone.Module)
	assert.Equal(t, "signal SIGKILL", gone.Detail)
}

func works(t *testing.T, c calculator.Calculator) {
	t.Helper()
	sum, err := c.Compute(t.Context(), 1, 2)
	require.NoError(t, err)
	require.EqualValues(t, 3, sum)
}

func requires(names ...string) (all []facade.Requirement) {
	for _, n := range names {
		all = append(all, testharness.Requires(n, ""))
	}
	return all
}

// told are the events of supervision.
func told(f fixture) (lines []string) {
	for _, e := range f.events.Events() {
		switch e.(type) {
		case lifecycle.ProcessLost, lifecycle.ProcessRestarted, lifecycle.RestartFailed, lifecycle.ModuleLost, lifecycle.ModuleRestarted,
			lifecycle.ModuleGivenUp, lifecycle.FallbackBound, lifecycle.FallbackReturned:
			line := lifecycle.Line(e)
			if h := e.Head(); h.Module == "" {
				line = e.Type()
			}
			lines = append(lines, line)
		}
	}
	return lines
}

func stateOf(t *testing.T, f fixture, name string) manager.Life {
	t.Helper()
	s, ok := f.Module(name)
	require.True(t, ok)
	return s.Life
}

func TestRestart(t *testing.T) {
	t.Run("puts another process behind the same handle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			f := p.fixture(j, nil, []string{"a"}, lib)
			h := start(t, f)[0]
			works(t, h)
			assert.Equal(t, manager.Life{State: manager.Running, PID: 101}, stateOf(t, f, "a"))

			died := time.Now()
			lib.kill()
			_, err := h.Compute(t.Context(), 1, 2)
			requireGone(t, err, "a")
			synctest.Wait()
			_, err = h.Compute(t.Context(), 1, 2)
			requireGone(t, err, "a")
			require.ErrorIs(t, err, handle.ErrUnbound)
			var away *handle.UnavailableError
			require.ErrorAs(t, err, &away)
			assert.Equal(t, "calculator", away.Site)
			life := stateOf(t, f, "a")
			assert.Equal(t, manager.Restarting, life.State)
			assert.Contains(t, life.Last, "signal SIGKILL")

			back(t, f, lib)
			works(t, h)
			assert.Equal(t, []time.Duration{manager.DefaultBackoff}, lib.tried(died))
			life = stateOf(t, f, "a")
			assert.Equal(t, manager.Life{State: manager.Running, PID: 102, Restarts: 1, Since: died.Add(manager.DefaultBackoff), Last: life.Last}, life)
			assert.Equal(t, 102, f.Libraries()[0].Life.PID)
			lost := until(t, f, anyOf[lifecycle.ProcessLost])
			assert.Equal(t, lifecycle.ProcessLost{Header: lost.Header, PID: 101, End: "signaled", Cause: "signal SIGKILL", Said: "last words"}, lost)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "call a", "new a", "call a", "close a"}, j.Lines())
			assert.Zero(t, lib.running())
			assert.Equal(t, "closed", f.Libraries()[0].Ended.String())
			_, err = h.Compute(t.Context(), 1, 2)
			require.ErrorIs(t, err, handle.ErrUnbound)
			require.NotErrorAs(t, err, &away, "it is down, and nothing is lost")
		})
	})
	t.Run("waits twice as long each time, up to the longest, and gives up at the limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			lib.Restart = manifest.Restart{Limit: 5, Within: time.Hour, Backoff: time.Second, Longest: 5 * time.Second}
			lib.Again = func(context.Context, int) error { return testharness.ErrBroken }
			f := p.fixture(j, nil, []string{"a"}, lib)
			start(t, f)
			died := time.Now()
			lib.kill()
			err := <-f.Failed()
			var lost *manager.LostError
			require.ErrorAs(t, err, &lost)
			assert.Equal(t, "a", lost.Module)
			assert.Equal(t, lib.path, lost.Library)
			assert.Equal(t, 5, lost.Attempts)
			require.ErrorIs(t, err, testharness.ErrBroken)
			synctest.Wait()
			assert.Equal(t, []time.Duration{1 * time.Second, 3 * time.Second, 7 * time.Second, 12 * time.Second, 17 * time.Second}, lib.tried(died))
			var waits []time.Duration
			for i, e := range lifecycle.Of[lifecycle.RestartFailed](f.events.Events()) {
				assert.Equal(t, i+1, e.Attempt)
				waits = append(waits, e.Wait)
			}
			assert.Equal(t, []time.Duration{2 * time.Second, 4 * time.Second, 5 * time.Second, 5 * time.Second, 0}, waits)
			assert.Equal(t, manager.Unavailable, stateOf(t, f, "a").State)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a"}, j.Lines())
			assert.Contains(t, f.Libraries()[0].Ended.String(), "closed: its process was gone: signal SIGKILL")
		})
	})
	t.Run("counts attempts within the time of the limit only", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			lib.Restart = manifest.Restart{Limit: 2, Within: time.Minute, Backoff: time.Second}
			f := p.fixture(j, nil, []string{"a"}, lib)
			h := start(t, f)[0]
			for range 10 {
				died := time.Now()
				lib.kill()
				synctest.Wait()
				time.Sleep(31 * time.Second)
				synctest.Wait()
				works(t, h)
				tried := lib.tried(died)
				assert.LessOrEqual(t, tried[len(tried)-1], 2*time.Second)
			}
			assert.Equal(t, 10, stateOf(t, f, "a").Restarts)
			require.NoError(t, f.Close())
		})
	})
	t.Run("is not tried where the manifest says never", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			lib.Restart.Limit = manifest.Never
			f := p.fixture(j, nil, []string{"a"}, lib)
			start(t, f)
			lib.kill()
			require.ErrorContains(t, <-f.Failed(), "not started again (0 attempts)")
			require.NoError(t, f.Close())
			assert.Empty(t, lib.tried(time.Now()))
		})
	})
	t.Run("a crash loop ends", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var lib *deadly
			lib = p.add("a", testharness.Calculator{Name: "a", New: func(context.Context, facade.Host, facade.Parameters) error {
				if len(lib.tried(time.Now())) > 0 {
					lib.kill()
				}
				return nil
			}}.In(j))
			f := p.fixture(j, nil, []string{"a"}, lib)
			start(t, f)
			lib.kill()
			err := <-f.Failed()
			requireGone(t, err, "")
			assert.Len(t, lib.tried(time.Now()), manager.DefaultRestarts)
			require.NoError(t, f.Close())
			assert.Zero(t, lib.running())
		})
	})
	t.Run("one that ends at once has not started, also where nothing is to be made in it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			first := true
			lib.Born = func(m *mortal) {
				if first {
					first = false
					m.kill()
				}
			}
			f := p.fixture(j, nil, nil, lib)
			start(t, f)
			lib.kill()
			back(t, f, lib)
			assert.Equal(t, []string{"ProcessLost", "RestartFailed", "ProcessRestarted"}, told(f))
			require.NoError(t, f.Close())
		})
	})
	t.Run("counts a constructor that fails, and closes the process again", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var fail error
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j),
				testharness.Calculator{Name: "b", New: func(context.Context, facade.Host, facade.Parameters) error { return fail }}.In(j))
			f := p.fixture(j, nil, []string{"a", "b"}, lib)
			start(t, f)
			fail = testharness.ErrBroken
			lib.kill()
			until(t, f, func(e lifecycle.RestartFailed) bool { return e.Attempt == 1 })
			assert.Zero(t, lib.running())
			assert.Equal(t, []string{"new a", "new b", "new a", "new b", "close a"}, j.Lines())
			fail = nil
			back(t, f, lib)
			works(t, handles(t, f)[0])
			works(t, handles(t, f)[1])
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new b", "call a", "call b", "close b", "close a"}, j.Lines()[5:])
		})
	})
	t.Run("a process that ends before it is supervised is the phase's failure", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			f := p.fixture(j, nil, []string{"a"}, lib)
			require.NoError(t, f.Load(t.Context(), p.manifest(lib)))
			require.NoError(t, f.Verify(t.Context()))
			require.NoError(t, f.Instantiate(t.Context()))
			lib.kill()
			requireGone(t, f.Bind(t.Context()), "")
			assert.Equal(t, lifecycle.Instantiated, f.State())
			require.NoError(t, f.Close())
			assert.Empty(t, lib.tried(time.Now()))
		})
	})
}
