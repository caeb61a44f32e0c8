package manager_test

import (
	"context"
	"errors"
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
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestPolicyFallback(t *testing.T) {
	type sizes struct {
		Size int64 `mms:"size" doc:"any"`
	}
	for name, builtin := range map[string]bool{"of the daemon": true, "in a process of its own": false} {
		t.Run("another module "+name+" stands in, and gives the place back", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				j, p := &testharness.Journal{}, newProcesses(t)
				a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
				a.Policies["a"] = fallbackTo("other")
				saved := a.doomed()
				other := testharness.Calculator{Name: "other"}.In(j)
				libs, shipped := []*deadly{a}, []facade.Declared{other}
				if !builtin {
					libs, shipped = append(libs, p.add("other", other)), nil
				}
				f := p.fixture(j, shipped, []string{"a"}, libs...)
				h := start(t, f)[0]
				a.kill()
				assert.Equal(t, "fallback", givenUp(t, f, "a").Policy)
				works(t, h)
				life := stateOf(t, f, "a")
				assert.Equal(t, manager.StoodInFor, life.State)
				assert.Equal(t, "other", life.Fallback)
				gaveUp := time.Now()
				time.Sleep(time.Minute - time.Second)
				synctest.Wait()
				assert.Equal(t, []time.Duration{0, 10 * time.Second, 20 * time.Second, 30 * time.Second, 40 * time.Second, 50 * time.Second}, a.tried(gaveUp))
				works(t, h)
				saved()
				back(t, f, a)
				works(t, h)
				assert.Equal(t, []string{"new a", "new other", "call other", "call other", "new a", "close other", "call a"}, j.Lines())
				assert.Equal(t, manager.Running, stateOf(t, f, "a").State)
				assert.Empty(t, stateOf(t, f, "a").Fallback)
				notFailed(t, f)
				lines := told(f)
				assert.Equal(t, []string{"ProcessLost", "a lost: module a: the process of its library " + a.path + " (pid " + pid(f, a) + ") is gone: signal SIGKILL; it said: last words",
					"RestartFailed", "a given up (fallback; attempts: 1): " + restartError(a), "a replaced by other"}, lines[:5])
				assert.Equal(t, []string{"ProcessRestarted", "a back in the place of other", "a restarted"}, lines[len(lines)-3:])

				// It begins anew.
				time.Sleep(time.Hour)
				a.kill()
				back(t, f, a)
				works(t, h)
				require.NoError(t, f.Close())
				assert.Equal(t, []string{"new a", "call a", "close a"}, j.Lines()[7:])
			})
		})
	}
	t.Run("a panic in who stands in is told with its name", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other", Compute: func(context.Context, byte, int64) (int32, error) {
				panic("boom")
			}}.In(j)}, []string{"a"}, a)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			_, err := h.Compute(t.Context(), 1, 2)
			require.ErrorContains(t, err, "boom")
			assert.Equal(t, "other", until(t, f, anyOf[lifecycle.CallPanicked]).Module)
			require.NoError(t, f.Close())
		})
	})
	t.Run("who stands in has parameters of its own, and what it requires", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var given []facade.Parameters
			record := func(_ context.Context, _ facade.Host, p facade.Parameters) error {
				given = append(given, p)
				return nil
			}
			a := p.add("a", testharness.Calculator{Name: "a", Schema: facade.SchemaOf[sizes](), New: record}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			other := p.add("other", testharness.Calculator{Name: "other", Requires: requires("base"), New: record}.In(j),
				testharness.Calculator{Name: "base"}.In(j))
			f := p.fixture(j, nil, nil, a, other)
			start(t, f)
			c, closing, err := manager.Create[calculator.Calculator](t.Context(), f.Manager, "a", facade.Parameters{{Key: "size", Value: "7"}})
			require.NoError(t, err)
			a.kill()
			givenUp(t, f, "a")
			works(t, c)
			saved()
			back(t, f, a)
			works(t, c)
			require.NoError(t, closing(t.Context()))
			require.NoError(t, f.Close())
			assert.Equal(t, []facade.Parameters{{{Key: "size", Value: "7"}}, {}, {{Key: "size", Value: "7"}}}, given)
			assert.Equal(t, []string{"new a", "new base", "new other", "call other", "new a", "close other", "close base", "call a", "close a"}, j.Lines())
		})
	})
	t.Run("an instance made on demand meanwhile is of the module that stands in", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other"}.In(j)}, []string{"a"}, a)
			start(t, f)
			a.kill()
			givenUp(t, f, "a")
			c, _, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "a")
			require.NoError(t, err)
			works(t, c)
			saved()
			back(t, f, a)
			works(t, c)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new other", "new other", "call other", "new a", "new a", "close other", "close other",
				"call a", "close a", "close a"}, j.Lines())
		})
	})
	t.Run("who requires the module is made again, with the one and with the other", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other"}.In(j),
				testharness.Calculator{Name: "top", Requires: requires("a"), New: func(ctx context.Context, host facade.Host, _ facade.Parameters) error {
					base, err := facade.Required[calculator.Calculator](host, "a")
					if err == nil {
						_, err = base.Compute(ctx, 1, 2)
					}
					return err
				}}.In(j)}, []string{"top"}, a)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			works(t, h)
			saved()
			back(t, f, a)
			works(t, h)
			notFailed(t, f)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new top", "call a", "close top", "new other", "new top", "call other", "call top",
				"new a", "close top", "new top", "call a", "close other", "call top", "close top", "close a"}, j.Lines())
		})
	})
	t.Run("one that fails leaves the site unavailable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			a.Policies["a"] = fallbackTo("other")
			saved := a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other",
				New: func(context.Context, facade.Host, facade.Parameters) error { return errors.New("not me") }}.In(j)}, []string{"a"}, a)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			_, err := h.Compute(t.Context(), 1, 2)
			require.ErrorIs(t, err, handle.ErrUnbound)
			require.ErrorContains(t, err, "not me")
			assert.Equal(t, manager.Unavailable, stateOf(t, f, "a").State)
			notFailed(t, f)
			saved()
			back(t, f, a)
			works(t, h)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new other", "new a", "call a", "close a"}, j.Lines())
		})
	})
	t.Run("one that failed is tried with the next restart that concerns it, and does not spoil that", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var failA, failB error
			a, b := p.add("a", testharness.Calculator{Name: "a"}.In(j)), p.add("b", testharness.Calculator{Name: "b",
				New: func(context.Context, facade.Host, facade.Parameters) error { return failB }}.In(j))
			a.Policies["a"], b.Policies["b"] = fallbackTo("other"), fallbackTo("a")
			a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "other",
				New: func(context.Context, facade.Host, facade.Parameters) error { return failA }}.In(j)}, []string{"a", "b"}, a, b)
			hs := start(t, f)
			failA = testharness.ErrBroken
			a.kill()
			givenUp(t, f, "a")
			began := len(j.Lines())
			b.kill()
			back(t, f, b)
			works(t, hs[1])
			assert.Equal(t, []string{"new other", "new b", "call b"}, j.Lines()[began:])

			began = len(j.Lines())
			failA, failB = nil, testharness.ErrBroken
			b.kill()
			until(t, f, func(e lifecycle.RestartFailed) bool { return e.Library == b.path })
			failB = nil
			back(t, f, b)
			works(t, hs[0])
			works(t, hs[1])
			assert.Equal(t, []string{"new other", "new b", "close other", "new other", "new b", "call other", "call b"}, j.Lines()[began:])
			require.NoError(t, f.Close())
		})
	})
	t.Run("one that is lost itself is started again, and given up for the next", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a, b := p.add("a", testharness.Calculator{Name: "a"}.In(j)), p.add("b", testharness.Calculator{Name: "b"}.In(j))
			a.Policies["a"], b.Policies["b"] = fallbackTo("b"), fallbackTo("c")
			a.doomed()
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "c"}.In(j)}, []string{"a"}, a, b)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			works(t, h)
			b.kill()
			synctest.Wait()
			_, err := h.Compute(t.Context(), 1, 2)
			requireGone(t, err, "b")
			back(t, f, b)
			works(t, h)
			assert.Len(t, lifecycle.Of[lifecycle.FallbackBound](f.events.Events()), 2, "it stands in again, and has to be told what it missed")
			b.Again = func(context.Context, int) error { return testharness.ErrBroken }
			b.kill()
			givenUp(t, f, "b")
			works(t, h)
			assert.Equal(t, "c", stateOf(t, f, "a").Fallback)
			notFailed(t, f)
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "new b", "call b", "new b", "call b", "new c", "call c", "close c"}, j.Lines())
		})
	})
	t.Run("one without a policy that is lost leaves the site unavailable", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			a, b := p.add("a", testharness.Calculator{Name: "a"}.In(j)), p.add("b", testharness.Calculator{Name: "b"}.In(j))
			a.Policies["a"] = fallbackTo("b")
			a.doomed()
			b.doomed()
			f := p.fixture(j, nil, []string{"a"}, a, b)
			h := start(t, f)[0]
			a.kill()
			givenUp(t, f, "a")
			works(t, h)
			b.kill()
			assert.Equal(t, "optional", givenUp(t, f, "b").Policy)
			_, err := h.Compute(t.Context(), 1, 2)
			require.ErrorIs(t, err, handle.ErrUnbound)
			assert.Equal(t, manager.Unavailable, stateOf(t, f, "a").State)
			notFailed(t, f)
			require.NoError(t, f.Close())
		})
	})
}
