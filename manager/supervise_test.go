package manager_test

import (
	"context"
	"slices"
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

func TestRestartOfDependents(t *testing.T) {
	t.Run("closes who requires it in reverse order, and makes all again in the plan's", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
			calls := func(name string) func(context.Context, facade.Host, facade.Parameters) error {
				return func(ctx context.Context, host facade.Host, _ facade.Parameters) error {
					required, err := facade.Required[calculator.Calculator](host, name)
					if err == nil {
						_, err = required.Compute(ctx, 1, 2)
					}
					return err
				}
			}
			side := p.add("side", testharness.Calculator{Name: "left", Requires: requires("base"), New: calls("base")}.In(j))
			f := p.fixture(j, []facade.Declared{
				testharness.Calculator{Name: "right", Requires: requires("base"), New: calls("base")}.In(j),
				testharness.Calculator{Name: "top", Requires: requires("left", "right"), New: calls("left")}.In(j),
				testharness.Calculator{Name: "aside"}.In(j),
			}, []string{"top", "aside"}, base, side)
			hs := start(t, f)
			began := len(j.Lines())
			base.kill()
			synctest.Wait()
			_, err := hs[0].Compute(t.Context(), 1, 2)
			requireGone(t, err, "base")
			require.ErrorContains(t, err, "module top is unavailable: left, which it requires, is lost: base, which it requires, is lost: ")
			works(t, hs[1])
			back(t, f, base)
			works(t, hs[0])
			assert.Equal(t, []string{"close top", "close right", "close left", "call aside",
				"new base", "new left", "call base", "new right", "call base", "new top", "call left", "call top"}, j.Lines()[began:])
			assert.Equal(t, 1, side.running())
			assert.Equal(t, manager.Running, stateOf(t, f, "top").State)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"close top", "close right", "close left", "close base", "close aside"}, j.Lines()[began+12:])
		})
	})
	t.Run("who requires it and dies with it comes after it, whoever starts first", func(t *testing.T) {
		for name, backoff := range map[string]time.Duration{"the required one": time.Millisecond, "the other": time.Second} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j, p := &testharness.Journal{}, newProcesses(t)
					base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
					top := p.add("top", testharness.Calculator{Name: "top", Requires: requires("base")}.In(j))
					base.Restart.Backoff = backoff
					f := p.fixture(j, nil, []string{"top"}, base, top)
					h := start(t, f)[0]
					top.kill()
					base.kill()
					_, err := h.Compute(t.Context(), 1, 2)
					requireGone(t, err, "top")
					back(t, f, base)
					back(t, f, top)
					works(t, h)
					require.NoError(t, f.Close())
					assert.Equal(t, []string{"new base", "new top", "new base", "new top", "call top", "close top", "close base"}, j.Lines())
				})
			})
		}
	})
	t.Run("that fail count as a failed attempt", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
			var fail error
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: requires("base"),
				New: func(context.Context, facade.Host, facade.Parameters) error { return fail }}.In(j)}, []string{"top"}, base)
			h := start(t, f)[0]
			fail = testharness.ErrBroken
			base.kill()
			e := until(t, f, anyOf[lifecycle.RestartFailed])
			assert.Contains(t, e.Err, "module top")
			assert.Zero(t, base.running())
			fail = nil
			back(t, f, base)
			works(t, h)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new base", "new top", "close top", "new base", "new top", "close base", "new base", "new top",
				"call top", "close top", "close base"}, j.Lines())
		})
	})
	t.Run("one whose calls do not leave is passed at its limit", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
			inside, release := make(chan struct{}), make(chan struct{})
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: requires("base"), Compute: func(_ context.Context, a byte, _ int64) (int32, error) {
				if a == 'w' {
					close(inside)
					<-release
				}
				return 3, nil
			}}.In(j)}, []string{"top"}, base)
			h := start(t, f)[0]
			done := make(chan error, 1)
			go func() {
				_, err := h.Compute(t.Context(), 'w', 2)
				done <- err
			}()
			<-inside
			base.kill()
			back(t, f, base)
			works(t, h)
			close(release)
			require.NoError(t, <-done)
			require.NoError(t, f.Close(), "the one behind the handle now was left")
			assert.Equal(t, []string{"new base", "new top", "call top", "new base", "new top", "call top", "close top", "close base"}, j.Lines(),
				"what calls were inside is not closed")
		})
	})
	t.Run("of a list, only the one that is lost is away", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a, b := p.add("a", testharness.Calculator{Name: "a"}.In(j)), p.add("b", testharness.Calculator{Name: "b"}.In(j))
			f := p.fixture(j, nil, []string{"b", "a"}, a, b)
			hs := start(t, f)
			a.kill()
			synctest.Wait()
			works(t, hs[0])
			_, err := hs[1].Compute(t.Context(), 1, 2)
			requireGone(t, err, "a")
			back(t, f, a)
			works(t, hs[1])
			require.NoError(t, f.Close())
		})
	})
}

func TestRestartOfWhatIsMadeOnDemand(t *testing.T) {
	type sizes struct {
		Size int64 `mms:"size" doc:"any"`
	}
	t.Run("keeps its parameters, its handle and what was made with it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var given []facade.Parameters
			lib := p.add("a", testharness.Calculator{Name: "a", Schema: facade.SchemaOf[sizes](), Requires: requires("base"),
				New: func(_ context.Context, _ facade.Host, p facade.Parameters) error {
					given = append(given, p)
					return nil
				}}.In(j))
			base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
			f := p.fixture(j, nil, nil, lib, base)
			start(t, f)
			params := facade.Parameters{{Key: "size", Value: "7"}}
			one, closeOne, err := manager.Create[calculator.Calculator](t.Context(), f.Manager, "a", params)
			require.NoError(t, err)
			two, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
			require.NoError(t, err)
			base.kill()
			back(t, f, base)
			works(t, one)
			works(t, two)
			assert.Equal(t, []facade.Parameters{params, {}, params, {}}, given)
			lib.kill()
			back(t, f, lib)
			works(t, one)
			require.NoError(t, closeOne(t.Context()))
			_, err = one.Compute(t.Context(), 1, 2)
			require.ErrorIs(t, err, handle.ErrUnbound)
			lib.kill()
			back(t, f, lib)
			works(t, two)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new base", "new a", "new base", "new a", // made
				"close a", "close a", "new base", "new a", "new base", "new a", // base lost
				"call a", "call a",
				"close base", "close base", "new base", "new a", "new base", "new a", // a lost
				"call a", "close a", "close base",
				"close base", "new base", "new a", "call a", "close a", "close base"}, j.Lines())
		})
	})
	t.Run("none can be made while it is lost, and the error says why", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			top := p.add("top", testharness.Calculator{Name: "top", Requires: requires("a")}.In(j))
			f := p.fixture(j, nil, []string{"a"}, lib, top)
			start(t, f)
			lib.kill()
			synctest.Wait()
			for _, name := range []string{"a", "top"} {
				_, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, name)
				requireGone(t, err, "a")
			}
			back(t, f, lib)
			_, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "top")
			require.NoError(t, err)
			require.NoError(t, closing(t.Context()))
			require.NoError(t, f.Close())
		})
	})
	t.Run("none can be made on what is lost and not closed yet", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			entered, release := make(chan struct{}), make(chan struct{})
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			top := p.add("top", testharness.Calculator{Name: "top", Requires: requires("a")}.In(j))
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "slow", Requires: requires("a"), Close: func(context.Context) error {
				select {
				case <-entered:
				default:
					close(entered)
					<-release
				}
				return nil
			}}.In(j)}, []string{"slow"}, lib, top)
			start(t, f)
			lib.kill()
			<-entered
			_, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "top")
			requireGone(t, err, "a")
			close(release)
			back(t, f, lib)
			c, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "top")
			require.NoError(t, err)
			works(t, c)
			require.NoError(t, f.Close())
		})
	})
	t.Run("one that is being made when its process ends, or that of what it requires, is an error and leaves nothing", func(t *testing.T) {
		for _, victim := range []string{"a", "base"} {
			t.Run(victim, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j, p := &testharness.Journal{}, newProcesses(t)
					entered, release := make(chan struct{}), make(chan struct{})
					lib := map[string]*deadly{"base": p.add("base", testharness.Calculator{Name: "base"}.In(j)),
						"a": p.add("a", testharness.Calculator{Name: "a", Requires: requires("base"), New: func(context.Context, facade.Host, facade.Parameters) error {
							close(entered)
							<-release
							return nil
						}}.In(j))}
					f := p.fixture(j, nil, []string{"base"}, lib["a"], lib["base"])
					start(t, f)
					done := make(chan error, 1)
					go func() {
						_, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
						done <- err
					}()
					<-entered
					lib[victim].kill()
					back(t, f, lib[victim])
					close(release)
					err := <-done
					var gone *vehicle.GoneError
					require.ErrorAs(t, err, &gone)
					require.NoError(t, f.Close())
					assert.Zero(t, lib["a"].running()+lib["base"].running())
				})
			})
		}
	})
	t.Run("one that is given back while it is made again is closed once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			entered, release, again := make(chan struct{}), make(chan struct{}), false
			lib := p.add("a", testharness.Calculator{Name: "a", New: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error {
				if again {
					close(entered)
					<-release
				}
				return ctx.Err()
			}}.In(j))
			f := p.fixture(j, nil, nil, lib)
			start(t, f)
			_, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
			require.NoError(t, err)
			again = true
			lib.kill()
			<-entered
			done := make(chan error, 1)
			go func() { done <- closing(t.Context()) }()
			synctest.Wait()
			close(release)
			require.NoError(t, <-done)
			back(t, f, lib)
			assert.Equal(t, []string{"new a", "new a"}, j.Lines(), "the constructor was told to end")
			assert.Empty(t, lifecycle.Of[lifecycle.RestartFailed](f.events.Events()), "nobody waits for it any more")
			require.NoError(t, f.Close())
		})
	})
}

func TestRestartOfAnonymous(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, p := &testharness.Journal{}, newProcesses(t)
		lib := p.add("runs", anonymousModule("runs", func(ctx context.Context) error {
			j.Add("run")
			<-ctx.Done()
			j.Add("ran")
			return ctx.Err()
		}))
		f := p.fixture(j, nil, nil, lib)
		start(t, f)
		synctest.Wait()
		lib.kill()
		back(t, f, lib)
		assert.Equal(t, []string{"run", "ran", "run"}, j.Lines())
		assert.Empty(t, slices.DeleteFunc(lifecycle.Of[lifecycle.Notice](f.events.Events()), func(n lifecycle.Notice) bool { return n.Phase == lifecycle.Verify }), "that its process is gone is told by supervision")
		require.NoError(t, f.Close())
		synctest.Wait()
		assert.Equal(t, []string{"run", "ran", "run", "ran"}, j.Lines())
		s, _ := f.Module("runs")
		require.NoError(t, s.Err)
	})
}
