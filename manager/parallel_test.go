package manager_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
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
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/roles/calculator"
)

// making is a set of modules that are being made.
type making struct {
	*isolating
	needs map[string][]string                          // requirements by module
	after map[string][]string                          // order alone
	make  func(ctx context.Context, name string) error // runs in each constructor; may be nil

	events *lifecycle.Recorder // of the manager, for make
}

func newMaking(t testing.TB) *making {
	v := &making{isolating: newIsolating(t)}
	v.declare = func(name string) testharness.Calculator {
		c := testharness.Calculator{Name: name, After: v.after[name], New: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error {
			if v.make == nil {
				return nil
			}
			return v.make(ctx, name)
		}}
		for _, other := range v.needs[name] {
			c.Requires = append(c.Requires, testharness.Requires(other, ""))
		}
		return c
	}
	return v
}

// verified is a manager with modules in processes, named by p and a letter, and in the
// daemon, named by d and one.
func (v *making) verified(t *testing.T, modules ...string) fixture {
	var mf manifest.Manifest
	for _, name := range modules {
		isolation := manifest.IsolationProcess
		if strings.HasPrefix(name, "d") {
			isolation = manifest.IsolationNone
		}
		mf.Libraries = append(mf.Libraries, v.lib(name, isolation))
	}
	f := v.manager(func(cfg *manager.Config) { cfg.Bindings = calculators(modules...) })
	require.NoError(t, f.Load(t.Context(), mf))
	require.NoError(t, f.Verify(t.Context()))
	return f
}

// lines are those of the journal with this beginning, without it.
func (v *isolating) lines(beginning string) (all []string) {
	for _, line := range v.journal.Lines() {
		if name, ok := strings.CutPrefix(line, beginning+" "); ok {
			all = append(all, name)
		}
	}
	return all
}

func TestParallel(t *testing.T) {
	// of each module a second
	slow := func(ctx context.Context, _ string) error {
		select {
		case <-time.After(time.Second):
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	for _, c := range []struct {
		name    string
		modules []string
		needs   map[string][]string
		after   map[string][]string
		took    time.Duration
	}{
		{name: "modules of different processes are made at the same time", modules: []string{"pa", "pb", "pc", "pd"}, took: time.Second},
		{name: "those of the daemon are made one after another", modules: []string{"da", "db", "dc"}, took: 3 * time.Second},
		{name: "processes do not wait for the daemon", modules: []string{"da", "db", "pc", "pd"}, took: 2 * time.Second},
		{name: "a module waits for what it requires", modules: []string{"pa", "pb", "pc", "pd"}, needs: map[string][]string{"pb": {"pa"}, "pd": {"pc"}}, took: 2 * time.Second},
		{name: "a module waits for what it comes after", modules: []string{"pa", "pb"}, after: map[string][]string{"pa": {"pb"}}, took: 2 * time.Second},
		{name: "a module of the daemon waits for one in a process, and the other way round", modules: []string{"da", "pb", "dc", "pd"},
			needs: map[string][]string{"pb": {"da"}, "dc": {"pb"}, "pd": {"dc"}}, took: 4 * time.Second},
		{name: "a level is no barrier: a chain does not wait for what it does not need", modules: []string{"pa", "pb", "pc", "dx", "dy", "dz"},
			needs: map[string][]string{"pb": {"pa"}, "pc": {"pb"}}, took: 3 * time.Second},
		{name: "no more are made at once than places", modules: names(3 * manager.SideBySide()), took: 3 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				v := newMaking(t)
				v.needs, v.after, v.make = c.needs, c.after, slow
				f := v.verified(t, c.modules...)
				plan := f.Result().Plan.Needed
				began := time.Now()
				require.NoError(t, f.Instantiate(t.Context()))
				assert.Equal(t, c.took, time.Since(began))
				require.NoError(t, f.Bind(t.Context()))
				require.NoError(t, f.Close())
				closed := v.lines("close")
				slices.Reverse(closed)
				assert.Equal(t, plan, closed, "what is made lies in the order of the plan")
				testharness.RequireBarriers(t, f.events.Events())
			})
		})
	}
	t.Run("modules of one process are made one after another, as in the daemon", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newMaking(t)
			two := &twofold{making: v}
			f := v.manager(func(cfg *manager.Config) {
				cfg.Vehicles, cfg.Launcher, cfg.Bindings = []vehicle.Vehicle{two}, two, calculators("pa", "pb")
			})
			l := v.lib("both", manifest.IsolationProcess)
			l.Modules = []manifest.Module{{Name: "pb"}, {Name: "pa"}}
			require.NoError(t, f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{l}}))
			require.NoError(t, f.Verify(t.Context()))
			v.make = slow
			began := time.Now()
			require.NoError(t, f.Instantiate(t.Context()))
			assert.Equal(t, 2*time.Second, time.Since(began))
			assert.Equal(t, []string{"pa", "pb"}, v.lines("new"))
			require.NoError(t, f.Close())
		})
	})
}

// twofold has two modules, pa and pb, in each library.
type twofold struct{ *making }

func (v *twofold) library() facade.Library {
	a, b := v.declare("pa"), v.declare("pb")
	return testharness.Library(a.In(v.journal), b.In(v.journal))
}

func (v *twofold) Launch(context.Context, vehicle.File, vehicle.Description, vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	v.count("both", 1)
	return &process{Library: golib.Open(v.library()), of: v.isolating, name: "both", gone: make(chan struct{})}, golib.Describe(v.name, v.library()), nil
}

func TestParallelFailure(t *testing.T) {
	broken := errors.New("broken on purpose")
	t.Run("one that fails has the others given up, and what was made is closed", func(t *testing.T) {
		v := newMaking(t)
		v.needs = map[string][]string{"pd": {"pa"}}
		v.make = func(ctx context.Context, name string) error {
			switch name {
			case "pb": // when another is made, and a third is being made
				_, err := v.events.Wait(ctx, stepEnded("pa", "create"))
				require.NoError(t, err)
				_, err = v.events.Wait(ctx, stepBegan("pc", "create"))
				require.NoError(t, err)
				return broken
			case "pc":
				<-ctx.Done()
				assert.EqualError(t, context.Cause(ctx), "given up because of module pb")
				return ctx.Err()
			default:
				return nil
			}
		}
		f := v.verified(t, "pa", "pb", "pc")
		v.events = f.events
		err := f.Instantiate(t.Context())
		require.ErrorIs(t, err, broken)
		assert.ErrorContains(t, err, "module pb")
		assert.NotContains(t, err.Error(), "module pc", "nothing is wrong with it")
		assert.Equal(t, []string{"pa"}, v.lines("close"))
		assert.Equal(t, lifecycle.Verified, f.State())
		require.NoError(t, f.Close())
		assert.Equal(t, []string{"pa"}, v.lines("close"), "closed twice")
		assert.Zero(t, v.running())
	})
	t.Run("two that fail are both told, in the order of the plan", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newMaking(t)
			v.make = func(_ context.Context, name string) error {
				if name != "pb" {
					time.Sleep(time.Second)
					return errors.New(name + " is broken")
				}
				return nil
			}
			f := v.verified(t, "pc", "pb", "pa")
			err := f.Instantiate(t.Context())
			require.ErrorContains(t, err, "pa is broken")
			require.ErrorContains(t, err, "pc is broken")
			assert.Less(t, strings.Index(err.Error(), "pa is broken"), strings.Index(err.Error(), "pc is broken"))
			require.NoError(t, f.Close())
		})
	})
	t.Run("a failure in the daemon has processes given up, and the other way round", func(t *testing.T) {
		for _, c := range [][2]string{{"da", "pb"}, {"pa", "db"}} {
			v := newMaking(t)
			v.make = func(ctx context.Context, name string) error {
				if name == c[1] {
					<-ctx.Done()
					return ctx.Err()
				}
				_, err := v.events.Wait(ctx, stepBegan(c[1], "create"))
				require.NoError(t, err)
				return broken
			}
			f := v.verified(t, c[0], c[1])
			v.events = f.events
			err := f.Instantiate(t.Context())
			require.ErrorIs(t, err, broken)
			assert.NotContains(t, err.Error(), "module "+c[1])
			require.NoError(t, f.Close())
		}
	})
	t.Run("one that hangs while it is given up is told, and closed when it comes late", func(t *testing.T) {
		v := newMaking(t)
		release := make(chan struct{})
		v.make = func(ctx context.Context, name string) error {
			if name == "pb" {
				<-release
				return nil
			}
			_, err := v.events.Wait(ctx, stepBegan("pb", "create"))
			require.NoError(t, err)
			return broken
		}
		f := v.verified(t, "pa", "pb")
		v.events = f.events
		err := f.Instantiate(t.Context())
		require.ErrorIs(t, err, broken)
		require.ErrorIs(t, err, lifecycle.ErrAbandoned)
		require.ErrorContains(t, err, "module pb")
		require.NoError(t, f.Close())
		assert.Zero(t, v.running(), "its process ends all the same")
		close(release)
		_, err = f.events.Wait(t.Context(), stepEnded("pb", "close"))
		require.NoError(t, err)
	})
	t.Run("a constructor that panics in the process's place is an error", func(t *testing.T) {
		v := newMaking(t)
		v.make = func(_ context.Context, name string) error { panic("boom") }
		err := v.verified(t, "pa").Instantiate(t.Context())
		require.ErrorContains(t, err, "boom")
	})
	for name, end := range map[string]func(fixture, context.CancelFunc){
		"a start that is cancelled":                func(_ fixture, cancel context.CancelFunc) { cancel() },
		"a start during which all of it is closed": func(f fixture, _ context.CancelFunc) { go f.Close() }, //nolint:errcheck // waited for below
	} {
		t.Run(name+" closes what it made, once", func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			v := newMaking(t)
			var f fixture
			var waiting atomic.Int64
			v.make = func(ctx context.Context, name string) error {
				if name == "pa" || name == "da" {
					return nil
				}
				if waiting.Add(1) == 2 {
					for _, n := range []string{"pa", "da"} {
						_, err := v.events.Wait(ctx, stepEnded(n, "create"))
						require.NoError(t, err)
					}
					end(f, cancel)
				}
				<-ctx.Done()
				return ctx.Err()
			}
			f = v.verified(t, "pa", "pb", "da", "db")
			v.events = f.events
			require.Error(t, f.Instantiate(ctx))
			require.NoError(t, f.Close())
			closed := v.lines("close")
			slices.Sort(closed)
			assert.Equal(t, []string{"da", "pa"}, closed)
			assert.Zero(t, v.running())
		})
	}
}

// stepBegan and stepEnded match events of a module's step.
func stepBegan(module, step string) func(lifecycle.Event) bool {
	return func(e lifecycle.Event) bool {
		began, ok := e.(lifecycle.StepBegan)
		return ok && began.Module == module && began.Step == step
	}
}

func stepEnded(module, step string) func(lifecycle.Event) bool {
	return func(e lifecycle.Event) bool {
		ended, ok := e.(lifecycle.StepEnded)
		return ok && ended.Module == module && ended.Step == step
	}
}

func TestParallelOrder(t *testing.T) {
	all := append(names(9), "d1", "d2", "d3")
	var plan, closing []string
	for i := range 100 {
		v := newMaking(t)
		v.needs = map[string][]string{"org_x_0003": {"org_x_0006", "d2"}, "d1": {"org_x_0007"}, "org_x_0005": {"org_x_0003", "d1"}, "org_x_0002": {"d3"}}
		random := rand.New(rand.NewPCG(uint64(i), 2))
		var mu sync.Mutex
		v.make = func(context.Context, string) error {
			mu.Lock()
			spins := random.IntN(2000)
			mu.Unlock()
			for range spins {
				_ = filepath.Base("x")
			}
			return nil
		}
		f := v.verified(t, all...)
		require.NoError(t, f.Instantiate(t.Context()))
		require.NoError(t, f.Bind(t.Context()))
		sum, err := manager.HandlesForTest[calculator.Calculator](f.Manager, "calculator")[0].Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		require.EqualValues(t, 75, sum)
		require.NoError(t, f.Close())
		closed := v.lines("close")
		if plan == nil {
			plan, closing = f.Result().Plan.Needed, closed
			reversed := slices.Clone(closing)
			slices.Reverse(reversed)
			require.Equal(t, plan, reversed)
		}
		require.Equal(t, plan, f.Result().Plan.Needed)
		require.Equal(t, closing, closed)
	}
}
