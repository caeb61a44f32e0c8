package manager_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

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
