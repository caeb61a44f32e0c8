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
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestGiveBack(t *testing.T) {
	t.Run("goes on if the place cannot be given back", func(t *testing.T) {
		for name, requirer := range map[string]bool{"because the module's constructor fails": false, "because who requires it fails with it": true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					j, p := &testharness.Journal{}, newProcesses(t)
					var fail error
					a := p.add("a", testharness.Calculator{Name: "a", New: func(context.Context, facade.Host, facade.Parameters) error {
						if requirer {
							return nil
						}
						return fail
					}}.In(j))
					a.Policies["a"] = fallbackTo("other")
					saved := a.doomed()
					f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other"}.In(j),
						testharness.Calculator{Name: "top", Requires: requires("a"), New: func(context.Context, facade.Host, facade.Parameters) error {
							if requirer && a.running() > 0 {
								return fail
							}
							return nil
						}}.In(j)}, []string{"a", "top"}, a)
					hs := start(t, f)
					a.kill()
					givenUp(t, f, "a")
					fail = testharness.ErrBroken
					saved()
					e := until(t, f, func(e lifecycle.RestartFailed) bool { return e.Attempt == 2 })
					synctest.Wait()
					assert.Equal(t, 10*time.Second, e.Wait)
					assert.Contains(t, e.Err, "broken on purpose")
					assert.Zero(t, a.running())
					works(t, hs[0])
					works(t, hs[1])
					assert.Equal(t, manager.StoodInFor, stateOf(t, f, "a").State)
					fail = nil
					back(t, f, a)
					works(t, hs[0])
					works(t, hs[1])
					assert.Equal(t, []string{"call a", "call top"}, j.Lines()[len(j.Lines())-2:])
					notFailed(t, f)
					require.NoError(t, f.Close())
					made, closed := 0, 0
					for _, line := range j.Lines() {
						switch line[:3] {
						case "new":
							made++
						case "clo":
							closed++
						}
					}
					failed := 1 // constructor
					died := 1   // with the first process
					assert.Equal(t, made-failed-died, closed, j.Lines())
				})
			})
		}
	})
	t.Run("what was made for one that could not be given its place is closed at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var fail error
			a := p.add("a", testharness.Calculator{Name: "a", Requires: requires("base"),
				New: func(context.Context, facade.Host, facade.Parameters) error { return fail }}.In(j))
			base := p.add("base", testharness.Calculator{Name: "base"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other"}.In(j)}, nil, a, base)
			start(t, f)
			c, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
			require.NoError(t, err)
			a.kill()
			givenUp(t, f, "a")
			saved()
			fail = testharness.ErrBroken
			until(t, f, func(e lifecycle.RestartFailed) bool { return e.Attempt == 2 })
			synctest.Wait()
			works(t, c)
			assert.Equal(t, []string{"new base", "new a", "close base", "new other", "new base", "new a", "close base", "call other"}, j.Lines())
			require.NoError(t, f.Close())
		})
	})
	t.Run("a call inside the one that stood in ends there", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			inside, release := make(chan struct{}), make(chan struct{})
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other", Compute: func(context.Context, byte, int64) (int32, error) {
				close(inside)
				<-release
				return 7, nil
			}}.In(j)}, []string{"a"}, a)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			done := make(chan int32, 1)
			go func() {
				sum, err := h.Compute(t.Context(), 1, 2)
				assert.NoError(t, err)
				done <- sum
			}()
			<-inside
			saved()
			synctest.Wait()
			time.Sleep(11 * time.Second)
			works(t, h)
			close(release)
			assert.EqualValues(t, 7, <-done)
			back(t, f, a)
			require.NoError(t, f.Close())
		})
	})
	t.Run("a module that runs for itself is stopped and set going", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			runs := func(name string) facade.Declared {
				return anonymousModule(name, func(ctx context.Context) error {
					j.Add("run " + name)
					<-ctx.Done()
					j.Add("ran " + name)
					return ctx.Err()
				})
			}
			a := p.add("a", runs("a"))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{runs("other")}, nil, a)
			start(t, f)
			synctest.Wait()
			a.kill()
			givenUp(t, f, "a")
			saved()
			back(t, f, a)
			require.NoError(t, f.Close())
			synctest.Wait()
			assert.Equal(t, []string{"run a", "ran a", "run other", "ran other", "run a", "ran a"}, j.Lines())
		})
	})
}
