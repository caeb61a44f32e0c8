package manager_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// findingsOf are those that an error holds.
func findingsOf(t *testing.T, err error) []finding.Finding {
	t.Helper()
	var held *finding.Error
	require.ErrorAs(t, err, &held)
	return held.Findings
}

// pathsOf are the libraries in the books, by their file names.
func pathsOf(f fixture) (all []string) {
	for _, l := range f.Libraries() {
		all = append(all, filepath.Base(l.Path))
	}
	return all
}

func names(n int) (all []string) {
	for i := range n {
		all = append(all, fmt.Sprintf("org_x_%04d", i))
	}
	return all
}

func TestLaunch(t *testing.T) {
	t.Run("a library in a process is tried by no other child, and not opened in the daemon", func(t *testing.T) {
		v := newIsolating(t)
		var tried []string
		v.trials = func(requests []trial.Request) {
			for _, r := range requests {
				tried = append(tried, filepath.Base(r.File.Path))
			}
		}
		mf := v.apart("org_x_a")
		mf.Libraries = append(mf.Libraries, v.lib("org_x_b", manifest.IsolationNone), v.lib("org_x_c", ""))
		mf.Libraries[0].Process = manifest.Process{Memory: 1 << 20, Environment: []manifest.Variable{{Name: "A", Value: "1"}}}
		f := v.manager(func(cfg *manager.Config) {
			cfg.Manifests, cfg.Bindings = []manifest.Manifest{mf}, calculators("org_x_a", "org_x_b", "org_x_c")
		})
		require.NoError(t, f.Start(t.Context()))
		assert.Equal(t, []string{"org_x_b", "org_x_c"}, tried)
		assert.Equal(t, []string{"org_x_b", "org_x_c"}, v.opened)
		assert.Equal(t, map[string]vehicle.Confinement{"org_x_a": {Memory: 1 << 20, Environment: []string{"A=1"}}}, v.allowed)
		var told []manifest.Isolation
		for _, s := range f.Modules() {
			told = append(told, s.Isolation)
		}
		assert.Equal(t, []manifest.Isolation{manifest.IsolationProcess, "", ""}, told)
		assert.Equal(t, manifest.IsolationProcess, f.Libraries()[0].Isolation)
		a, _ := f.Module("org_x_a")
		assert.Equal(t, "required", a.OnFailure)
		answer, err := handles(t, f)[0].Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, answer)
		require.NoError(t, f.Close())
		assert.Zero(t, v.running())
		assert.Equal(t, []string{"org_x_c", "org_x_b", "org_x_a"}, pathsOf(f))
		assert.Equal(t, "closed", f.Libraries()[2].Ended.String())
	})
	t.Run("its modules may use their state folders, whatever else it may not", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a", "org_x_b")
		user := fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid())
		mf.Libraries[0].Process = manifest.Process{ReadOnly: []string{"/etc"}, User: user}
		state := filepath.Join(t.TempDir(), "state")
		f := v.manager(func(cfg *manager.Config) { cfg.StateDir = state })
		require.NoError(t, f.Load(t.Context(), mf))
		dir := filepath.Join(state, "module-org_x_a")
		assert.Equal(t, vehicle.Confinement{ReadOnly: []string{"/etc"}, ReadWrite: []string{dir}, User: user}, v.allowed["org_x_a"])
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		assert.NoDirExists(t, filepath.Join(state, "module-org_x_b"), "one that is not confined makes its own")
	})
	t.Run("the flag isolates what the manifest does not speak of", func(t *testing.T) {
		v := newIsolating(t)
		mf := v.apart("org_x_a")
		mf.Libraries = append(mf.Libraries, v.lib("org_x_b", manifest.IsolationNone), v.lib("org_x_c", ""))
		f := v.manager(func(cfg *manager.Config) { cfg.Isolation = manifest.IsolationProcess })
		require.NoError(t, f.Load(t.Context(), mf))
		assert.Equal(t, []string{"org_x_b"}, v.opened)
		assert.Equal(t, 2, v.running())
	})
	t.Run("an executable is launched, whatever the flag says", func(t *testing.T) {
		v := newIsolating(t)
		v.name = vehicle.Process
		f := v.manager(nil)
		require.NoError(t, f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{v.lib("org_x_a", "")}}))
		assert.Equal(t, 1, v.running())
		assert.Empty(t, v.opened)
	})
	t.Run("one that no manifest uses any more is closed", func(t *testing.T) {
		v := newIsolating(t)
		f := v.manager(nil)
		require.NoError(t, f.Load(t.Context(), v.apart("org_x_a", "org_x_b")))
		require.NoError(t, f.Unload(t.Context(), "org_x_a"))
		assert.Equal(t, 1, v.running())
		assert.Equal(t, []string{"org_x_b", "org_x_a"}, pathsOf(f))
		require.NoError(t, f.Unload(t.Context(), "org_x_b"))
		assert.Equal(t, lifecycle.New, f.State())
		assert.Zero(t, v.running())
	})
	t.Run("they are closed after a verification that goes no further", func(t *testing.T) {
		v := newIsolating(t)
		f := v.manager(func(cfg *manager.Config) { cfg.Bindings = calculators("org_x_a") })
		require.NoError(t, f.Load(t.Context(), v.apart("org_x_a", "org_x_b")))
		require.NoError(t, f.Verify(t.Context()))
		require.NoError(t, f.Close())
		assert.Equal(t, []string{"end org_x_b", "end org_x_a"}, v.journal.Lines()[2:])
	})
	t.Run("one that is gone at teardown is no error of it", func(t *testing.T) {
		v := newIsolating(t)
		f := v.manager(nil)
		require.NoError(t, f.Load(t.Context(), v.apart("org_x_a")))
		manager.MortalForTest(f.Manager, filepath.Join(v.dir, "org_x_a")).(*process).end(&vehicle.GoneError{End: vehicle.EndSignaled, Detail: "signal SIGSEGV"})
		require.NoError(t, f.Close())
		assert.Contains(t, f.Libraries()[0].Ended.String(), "closed")
	})
}

func TestLaunchRefusals(t *testing.T) {
	crashed := &vehicle.GoneError{Library: "/x", PID: 7, End: vehicle.EndSignaled, Detail: "signal SIGSEGV", Said: "segfault in init"}
	starved := &vehicle.GoneError{Library: "/x", PID: 7, End: vehicle.EndMemory, Detail: "over its memory of 1MB"}
	for name, c := range map[string]struct {
		err           error
		rule          finding.Rule
		problem, mend string
	}{
		"that refuses says why": {&vehicle.Refusal{Rule: finding.Handshake, Problem: "it is no library", Mend: "make it one"},
			finding.Handshake, "it is no library", "make it one"},
		"that crashes is named with its last words": {fmt.Errorf("launch: %w", crashed), finding.LibraryOpens,
			"the process of the library ended while it was opened: signal SIGSEGV; it said: segfault in init", "look at what the library runs"},
		"that eats its memory names the limit": {starved, finding.LibraryOpens, "over its memory of 1MB", `raise "memory"`},
		"that cannot be started says why":      {errors.New("no such user"), finding.LibraryOpens, "could not be opened in a process of its own: no such user", "look at"},
	} {
		t.Run("a library "+name+", and the others are there", func(t *testing.T) {
			v := newIsolating(t)
			v.launch = func(_ context.Context, name string) error {
				if name == "org_x_b" {
					return c.err
				}
				return nil
			}
			f := v.manager(func(cfg *manager.Config) { cfg.Bindings = calculators("org_x_a", "org_x_b", "org_x_c") })
			held := findingsOf(t, f.Load(t.Context(), v.apart("org_x_a", "org_x_b", "org_x_c")))
			require.Len(t, held, 1)
			assert.Equal(t, c.rule, held[0].Rule)
			assert.Equal(t, filepath.Join(v.dir, "org_x_b"), held[0].Library)
			assert.Equal(t, []string{"--modules:1:7", filepath.Join(v.dir, "org_x_b")}, held[0].Path)
			assert.Contains(t, held[0].Problem, c.problem)
			assert.Contains(t, held[0].Mend, c.mend)
			assert.Zero(t, v.running(), "a load that fails leaves no process behind")
			assert.Equal(t, lifecycle.New, f.State())
		})
	}
	t.Run("a launcher that panics costs a finding", func(t *testing.T) {
		v := newIsolating(t)
		v.launch = func(context.Context, string) error { panic("boom") }
		held := findingsOf(t, v.manager(nil).Load(t.Context(), v.apart("org_x_a")))
		require.Len(t, held, 1)
		assert.Contains(t, held[0].Problem, "boom")
	})
	t.Run("all that are refused are told in one run, in the same order each time", func(t *testing.T) {
		var want []finding.Finding
		for range 20 {
			v := newIsolating(t)
			v.launch = func(_ context.Context, name string) error { return errors.New(name + " is broken") }
			held := findingsOf(t, v.manager(nil).Load(t.Context(), v.apart(names(20)...)))
			require.Len(t, held, 20)
			for i := range held {
				held[i].Library, held[i].Path = "", nil
			}
			if want == nil {
				want = held
			}
			require.Equal(t, want, held)
		}
	})
}

func TestLaunchLimits(t *testing.T) {
	t.Run("one that hangs is named after its limit, and the others do not wait for theirs", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newIsolating(t)
			v.launch = func(ctx context.Context, name string) error {
				if name == "org_x_b" {
					<-ctx.Done()
					return ctx.Err()
				}
				return nil
			}
			f := v.manager(func(cfg *manager.Config) { cfg.Limits = manifest.Limits{Open: 3 * time.Second} })
			began := time.Now()
			held := findingsOf(t, f.Load(t.Context(), v.apart("org_x_a", "org_x_b", "org_x_c")))
			assert.Equal(t, 3*time.Second, time.Since(began))
			require.Len(t, held, 1)
			assert.Equal(t, finding.LibraryOpens, held[0].Rule)
			assert.Contains(t, held[0].Problem, "the library was not open after 3s")
			assert.Contains(t, held[0].Mend, "--module_open_limit")
			assert.Zero(t, v.running())
		})
	})
	t.Run("the limit is that of the library", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newIsolating(t)
			v.launch = func(ctx context.Context, name string) error {
				select {
				case <-time.After(5 * time.Second):
					return nil
				case <-ctx.Done():
					return ctx.Err()
				}
			}
			mf := v.apart("org_x_a", "org_x_b")
			mf.Libraries[0].Limits.Open = 6 * time.Second
			held := findingsOf(t, v.manager(func(cfg *manager.Config) { cfg.Limits = manifest.Limits{Open: time.Second} }).Load(t.Context(), mf))
			require.Len(t, held, 1)
			assert.Equal(t, filepath.Join(v.dir, "org_x_b"), held[0].Library)
		})
	})
	t.Run("one that heeds nothing is abandoned, and ended when it comes late", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newIsolating(t)
			release := make(chan struct{})
			v.launch = func(_ context.Context, name string) error {
				if name == "org_x_a" {
					<-release
				}
				return nil
			}
			f := v.manager(func(cfg *manager.Config) { cfg.Limits = manifest.Limits{Open: time.Second} })
			held := findingsOf(t, f.Load(t.Context(), v.apart("org_x_a", "org_x_b")))
			require.Len(t, held, 1)
			assert.Contains(t, held[0].Problem, "was not open after 1s")
			require.NoError(t, f.Close())
			close(release)
			_, err := f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
				ended, ok := e.(lifecycle.StepEnded)
				return ok && ended.Step == "close" && filepath.Base(ended.Library) == "org_x_a"
			})
			require.NoError(t, err)
			assert.Zero(t, v.running(), "a late process is ended")
		})
	})
	t.Run("processes are started side by side, and not all at once", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			v := newIsolating(t)
			var now, most atomic.Int64
			v.launch = func(context.Context, string) error {
				n := now.Add(1)
				defer now.Add(-1)
				for {
					if seen := most.Load(); n <= seen || most.CompareAndSwap(seen, n) {
						break
					}
				}
				time.Sleep(time.Second) // of the bubble
				return nil
			}
			f := v.manager(nil)
			began := time.Now()
			require.NoError(t, f.Load(t.Context(), v.apart(names(manager.SideBySide()*3)...)))
			assert.EqualValues(t, manager.SideBySide(), most.Load())
			assert.Equal(t, 3*time.Second, time.Since(began))
			assert.GreaterOrEqual(t, manager.SideBySide(), 4)
			require.NoError(t, f.Close())
		})
	})
}

func TestLaunchCancelled(t *testing.T) {
	// halfway calls back when two processes are there and others are being started, which
	// wait for their end.
	halfway := func(t *testing.T, v *isolating, f fixture, then func()) {
		v.launch = func(ctx context.Context, name string) error {
			if name == "org_x_0000" || name == "org_x_0002" {
				return nil
			}
			<-ctx.Done()
			return ctx.Err()
		}
		go func() {
			for _, at := range []string{"org_x_0000 ended", "org_x_0002 ended", "org_x_0001 begun", "org_x_0003 begun"} {
				_, err := f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
					began, begun := e.(lifecycle.StepBegan)
					_, over := e.(lifecycle.StepEnded)
					return begun && filepath.Base(began.Library)+" begun" == at || over && filepath.Base(e.Head().Library)+" ended" == at
				})
				assert.NoError(t, err)
			}
			then()
		}()
	}
	t.Run("a load that is cancelled leaves no process, and begins no more", func(t *testing.T) {
		v := newIsolating(t)
		ctx, cancel := context.WithCancel(t.Context())
		f := v.manager(nil)
		halfway(t, v, f, cancel)
		err := f.Load(ctx, v.apart(names(100)...))
		require.ErrorIs(t, err, context.Canceled)
		assert.Zero(t, v.running())
		assert.Empty(t, f.Libraries())
		assert.Equal(t, lifecycle.New, f.State())
		assert.Equal(t, []string{"end org_x_0002", "end org_x_0000"}, slices.DeleteFunc(v.journal.Lines(), func(l string) bool { return !strings.HasPrefix(l, "end") }))
		assert.LessOrEqual(t, len(v.allowed), manager.SideBySide()+2)
		require.NoError(t, f.Load(t.Context()), "it can be tried again")
	})
	t.Run("a load during which the manager is closed leaves no process", func(t *testing.T) {
		v := newIsolating(t)
		closed := make(chan error, 1)
		f := v.manager(nil)
		halfway(t, v, f, func() { closed <- f.Close() })
		require.ErrorIs(t, f.Load(t.Context(), v.apart(names(20)...)), lifecycle.ErrClosed)
		require.NoError(t, <-closed)
		assert.Zero(t, v.running())
		assert.Equal(t, lifecycle.Down, f.State())
	})
}
