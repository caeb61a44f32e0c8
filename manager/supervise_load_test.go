package manager_test

import (
	"context"
	"fmt"
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
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestManyLostAtOnce(t *testing.T) {
	t.Run("libraries that have nothing to do with each other come back side by side", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var libs []*deadly
			var names []string
			slow := false
			for i := range 50 {
				name := fmt.Sprintf("m%02d", i)
				names = append(names, name)
				libs = append(libs, p.add(name, testharness.Calculator{Name: name, New: func(context.Context, facade.Host, facade.Parameters) error {
					if slow {
						time.Sleep(time.Second)
					}
					return nil
				}}.In(j)))
			}
			f := p.fixture(j, nil, names, libs...)
			hs := start(t, f)
			slow = true
			died := time.Now()
			for _, lib := range libs {
				lib.kill()
			}
			for _, lib := range libs {
				back(t, f, lib)
			}
			assert.Equal(t, manager.DefaultBackoff+time.Second, time.Since(died))
			for _, h := range hs {
				works(t, h)
			}
			require.NoError(t, f.Close())
		})
	})
	t.Run("those that one module requires come back before it, once each", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			var libs []*deadly
			var names []string
			for i := range 50 {
				name := fmt.Sprintf("m%02d", i)
				names = append(names, name)
				libs = append(libs, p.add(name, testharness.Calculator{Name: name}.In(j)))
			}
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "top", Requires: requires(names...)}.In(j)}, []string{"top"}, libs...)
			h := start(t, f)[0]
			began := len(j.Lines())
			for _, lib := range libs {
				lib.kill()
			}
			for _, lib := range libs {
				back(t, f, lib)
			}
			works(t, h)
			lines := j.Lines()[began:]
			require.Len(t, lines, 1+50+1+1)
			assert.Equal(t, "close top", lines[0])
			assert.Equal(t, []string{"new top", "call top"}, lines[51:])
			require.NoError(t, f.Close())
		})
	})
	t.Run("a constructor that hangs holds up its own only", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			hang := false
			a := p.add("a", testharness.Calculator{Name: "a", New: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error {
				if hang {
					<-ctx.Done()
				}
				return ctx.Err()
			}}.In(j))
			b := p.add("b", testharness.Calculator{Name: "b"}.In(j))
			f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "of_a", Requires: requires("a")}.In(j),
				testharness.Calculator{Name: "of_b", Requires: requires("b")}.In(j)}, []string{"of_a", "of_b"}, a, b)
			hs := start(t, f)
			hang = true
			died := time.Now()
			a.kill()
			b.kill()
			back(t, f, b)
			assert.Equal(t, manager.DefaultBackoff, time.Since(died))
			works(t, hs[1])
			require.NoError(t, f.Close())
			assert.Less(t, time.Since(died), manager.DefaultCreate, "teardown waits for the limit")
		})
	})
}

func TestCallsWhileProcessesEnd(t *testing.T) {
	j, p := &testharness.Journal{}, newProcesses(t)
	restart := manifest.Restart{Limit: 1000, Backoff: time.Microsecond, Longest: time.Microsecond}
	quiet := func(name string, requires ...facade.Requirement) facade.Declared {
		return facade.Module[calculator.Calculator]{Name: name, Requires: requires,
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return plain{}, nil
			}}
	}
	a, b := p.add("a", quiet("a")), p.add("b", quiet("b", requires("a")...))
	a.Restart, b.Restart = restart, restart
	f := p.fixture(j, []facade.Declared{quiet("top", requires("a", "b")...)}, []string{"a", "b", "top"}, a, b)
	hs := start(t, f)
	var over sync.WaitGroup
	stop := make(chan struct{})
	until := func(do func()) {
		over.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					do()
				}
			}
		})
	}
	check := func(err error) {
		var gone *vehicle.GoneError
		if err != nil && !assert.ErrorAs(t, err, &gone) {
			assert.ErrorIs(t, err, handle.ErrUnbound)
		}
	}
	for _, h := range hs {
		until(func() {
			_, err := h.Compute(t.Context(), 1, 2)
			check(err)
		})
	}
	until(func() {
		_, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), f.Manager, "b")
		check(err)
		if err == nil {
			assert.NoError(t, closing(t.Context()))
		}
	})
	until(func() {
		_, _ = f.Modules(), f.Libraries()
	})
	for i := range 6 {
		lib := a
		if i%3 > 0 {
			lib = b
		}
		lib.kill()
		restarts, gone := 0, lib.path
		_, err := f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
			if e, ok := e.(lifecycle.ProcessRestarted); ok && e.Library == gone {
				restarts++
			}
			return restarts == lib.kills
		})
		require.NoError(t, err)
	}
	close(stop)
	over.Wait()
	for _, h := range hs {
		works(t, h)
	}
	notFailed(t, f)
	require.NoError(t, f.Close())
	assert.Zero(t, a.running()+b.running())
}

func TestGroups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j, p := &testharness.Journal{}, newProcesses(t)
		lib := func(name string, needs ...string) *deadly {
			return p.add(name, testharness.Calculator{Name: name, Requires: requires(needs...)}.In(j))
		}
		libs := []*deadly{lib("alone"), lib("base"), lib("left", "base"), lib("right", "base"), lib("first"), lib("second"), lib("third")}
		libs[4].Policies["first"] = fallbackTo("second")
		libs[5].Policies["second"] = fallbackTo("third")
		libs[0].Policies["alone"] = fallbackTo("shipped")
		libs[3].Policies["right"] = fallbackTo("shipped")
		f := p.fixture(j, []facade.Declared{testharness.Calculator{Name: "shipped"}.In(j)}, []string{"alone", "left", "right", "first"}, libs...)
		start(t, f)
		assert.Equal(t, []int{0, 1, 1, 1, 2, 2, 2}, manager.GroupsForTest(f.Manager))
		require.NoError(t, f.Close())
	})
}
