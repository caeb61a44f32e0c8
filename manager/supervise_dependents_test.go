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
