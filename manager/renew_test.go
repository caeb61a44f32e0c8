package manager_test

import (
	"context"
	"fmt"
	"sync/atomic"
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

// tell calls the new instance and writes it down.
func tell(j *testharness.Journal, what string) func(context.Context, calculator.Calculator) error {
	return func(ctx context.Context, fresh calculator.Calculator) error {
		j.Add("tell " + what)
		_, err := fresh.Compute(ctx, 1, 2)
		return err
	}
}

func TestOnRenew(t *testing.T) {
	t.Run("a new instance is told before anybody can call it, in order, and the first one is not", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: requires("a")}.In(j)}, []string{"top", "a"}, lib)
			hs := handles(t, f)
			manager.OnRenew(f.Manager, hs[1], tell(j, "first"))
			manager.OnRenew(f.Manager, hs[0], tell(j, "top"))
			require.NoError(t, f.Start(t.Context()))
			manager.OnRenew(f.Manager, hs[1], func(ctx context.Context, fresh calculator.Calculator) error {
				assert.NotEqual(t, hs[1], fresh)
				_, err := hs[1].Compute(ctx, 1, 2)
				assert.ErrorIs(t, err, handle.ErrUnbound, "others get in before it is told")
				return tell(j, "second")(ctx, fresh)
			})
			lib.kill()
			back(t, f, lib)
			works(t, hs[0])
			works(t, hs[1])
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new top", "close top", "new a", "tell first", "call a", "tell second", "call a",
				"new top", "tell top", "call top", "call top", "call a", "close top", "close a"}, j.Lines())
		})
	})
	for name, do := range map[string]func(context.Context, calculator.Calculator) error{
		"that fails":  func(context.Context, calculator.Calculator) error { return testharness.ErrBroken },
		"that panics": func(context.Context, calculator.Calculator) error { panic(testharness.ErrBroken.Error()) },
	} {
		t.Run("a function "+name+" is a failed attempt, and undone", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, p := &testharness.Journal{}, newProcesses(t)
				lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
				f := p.fixture(j, nil, []string{"a"}, lib)
				h := start(t, f)[0]
				first := true
				manager.OnRenew(f.Manager, h, func(ctx context.Context, fresh calculator.Calculator) error {
					if first {
						first = false
						return do(ctx, fresh)
					}
					return nil
				})
				lib.kill()
				e := until(t, f, anyOf[lifecycle.RestartFailed])
				assert.Contains(t, e.Err, "module a")
				assert.Contains(t, e.Err, "renew: ")
				assert.Contains(t, e.Err, "broken on purpose")
				assert.Zero(t, lib.running())
				back(t, f, lib)
				works(t, h)
				require.NoError(t, f.Close())
				assert.Equal(t, []string{"new a", "new a", "close a", "new a", "call a", "close a"}, j.Lines())
			})
		})
	}
	t.Run("a function that hangs is abandoned at the limit of the constructor, and what it is in is not closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			lib.Limits.Create = time.Second
			f := p.fixture(j, nil, []string{"a"}, lib)
			h := start(t, f)[0]
			release := make(chan struct{})
			var told atomic.Bool
			manager.OnRenew(f.Manager, h, func(context.Context, calculator.Calculator) error {
				if told.CompareAndSwap(false, true) {
					<-release
				}
				return nil
			})
			lib.kill()
			until(t, f, anyOf[lifecycle.RestartFailed])
			back(t, f, lib)
			works(t, h)
			close(release)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new a", "new a", "call a", "close a"}, j.Lines())
		})
	})
	t.Run("an instance made on demand has its own", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			f := p.fixture(j, nil, nil, lib)
			start(t, f)
			var made []calculator.Calculator
			var closing []func(context.Context) error
			for i := range 2 {
				c, done, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
				require.NoError(t, err)
				manager.OnRenew(f.Manager, c, tell(j, fmt.Sprint(i)))
				made, closing = append(made, c), append(closing, done)
			}
			lib.kill()
			back(t, f, lib)
			require.NoError(t, closing[0](t.Context()))
			manager.OnRenew(f.Manager, made[0], tell(j, "closed"))
			lib.kill()
			back(t, f, lib)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new a", "new a", "tell 0", "call a", "new a", "tell 1", "call a", "close a",
				"new a", "tell 1", "call a", "close a"}, j.Lines())
			assert.Zero(t, manager.RenewalsForTest(f.Manager), "something is kept of what is gone")
		})
	})
	t.Run("whoever stands in is told too, and who gets the place back, while nobody is let in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = manifest.OnFailure{Policy: manifest.PolicyFallback, Fallback: "other"}
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other"}.In(j)}, []string{"a"}, a)
			h := start(t, f)[0]
			fails := 0
			manager.OnRenew(f.Manager, h, func(ctx context.Context, fresh calculator.Calculator) error {
				_, err := h.Compute(ctx, 1, 2)
				assert.ErrorIs(t, err, handle.ErrUnbound)
				if fails--; fails == 0 {
					return testharness.ErrBroken
				}
				return tell(j, "it")(ctx, fresh)
			})
			a.kill()
			givenUp(t, f, "a")
			works(t, h)
			saved()
			fails = 1
			e := until(t, f, func(e lifecycle.RestartFailed) bool { return e.Attempt == 2 })
			synctest.Wait()
			assert.Contains(t, e.Err, "broken on purpose")
			works(t, h)
			assert.Len(t, lifecycle.Of[lifecycle.FallbackBound](f.events.Events()), 2, "it stands in again")
			back(t, f, a)
			works(t, h)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new other", "tell it", "call other", "call other",
				"new a", "tell it", "call other", "close a", "call other", // not given back
				"new a", "tell it", "call a", "close other", "call a", "close a"}, j.Lines())
		})
	})
	t.Run("what is no handle of the manager is never told", func(t *testing.T) {
		j := &testharness.Journal{}
		f := newFixture(t, mods{{Name: "a"}}, "a")
		manager.OnRenew[calculator.Calculator](f.Manager, nil, tell(j, "nil"))
		manager.OnRenew[calculator.Calculator](f.Manager, plain{}, tell(j, "plain"))
		require.NoError(t, f.Start(t.Context()))
		require.NoError(t, f.Close())
		assert.Empty(t, j.Lines())
	})
}
