package faults

import (
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// launcher runs libraries in processes of their own.
func launcher() vehicle.Launcher {
	for _, v := range vehicles {
		if l, ok := v.(vehicle.Launcher); ok {
			return l
		}
	}
	return nil
}

// isolatedIn is manifestOf for a library that has a process of its own.
func isolatedIn(library string) manifest.Manifest {
	mf := manifestOf(library)
	mf.Libraries[0].Isolation = manifest.IsolationProcess
	mf.Libraries[0].Process.Environment = []manifest.Variable{{Name: "GATE", Value: os.Getenv("GATE")}}
	return mf
}

// TestIsolatedLibraryFaults holds that a library in a process of its own is found out as
// it is in the daemon: by the same rules, with the same words.
func TestIsolatedLibraryFaults(t *testing.T) {
	for _, f := range libraryFaults() {
		if hanging[f.what].Create != 0 {
			continue // below
		}
		t.Run(f.what, func(t *testing.T) { f.run(t, isolatedIn) })
	}
}

// TestIsolatedHangs holds that what hangs ends with its process: nothing is left, as it
// is of a library in the daemon.
func TestIsolatedHangs(t *testing.T) {
	for _, c := range []struct{ what, statement, says string }{
		{"constructor that hangs", "CREATE=hang()", "create"},
		{"close that hangs", "DESTROY=hang()", "close"},
	} {
		t.Run(c.what, func(t *testing.T) {
			gate(t)
			library := faulty(t, c.statement)
			before := holding(t)
			m, events := newManager(t, isolatedIn(library), hanging[c.what])
			err := m.Start(t.Context())
			if c.says == "close" {
				require.NoError(t, err)
				err = m.Close()
			}
			require.ErrorContains(t, err, name)
			require.ErrorContains(t, err, c.says)
			_ = m.Close()
			for _, abandoned := range lifecycle.Of[lifecycle.StepAbandoned](events.Events()) {
				_, err := events.Wait(t.Context(), func(e lifecycle.Event) bool {
					late, ok := e.(lifecycle.StepReturnedLate)
					return ok && late.Step == abandoned.Step
				})
				require.NoError(t, err, "the end of its process ends the step")
			}
			requireNothingBehind(t, before, library)
		})
	}
}

// TestIsolatedCalls holds that a call that would end the daemon costs an error.
func TestIsolatedCalls(t *testing.T) {
	for _, c := range []struct{ what, statement, says string }{
		{"dereferences null", "*(volatile int*)0=1", "SIGSEGV"},
		{"aborts", "abort()", "SIGABRT"},
		{"exits", "_exit(3)", "3"},
		{"kills its process", "kill(getpid(),SIGKILL)", "SIGKILL"},
	} {
		t.Run("call that "+c.what, func(t *testing.T) {
			library := faulty(t, "COMPUTE=if(b==7){"+c.statement+";}")
			before := holding(t)
			mf := isolatedIn(library)
			mf.Libraries[0].Process.Restart.Backoff = 1
			m, events := newManager(t, mf, manifest.Limits{})
			require.NoError(t, m.Start(t.Context()))
			held, _, err := manager.LoadModule[calculator.Calculator](t.Context(), m, name)
			require.NoError(t, err)
			_, err = held.Compute(t.Context(), 0, 7)
			var gone *vehicle.GoneError
			require.ErrorAs(t, err, &gone)
			assert.Equal(t, name, gone.Module)
			assert.Contains(t, gone.Detail, c.says)
			assert.Equal(t, library, gone.Library)
			restarted(t, events)
			sum, err := held.Compute(t.Context(), 2, 3)
			require.NoError(t, err)
			assert.Equal(t, int32(5), sum)
			require.NoError(t, m.Close())
			requireNothingBehind(t, before, library)
		})
	}
}

func restarted(t *testing.T, events *lifecycle.Recorder) {
	t.Helper()
	_, err := events.Wait(t.Context(), func(e lifecycle.Event) bool {
		_, ok := e.(lifecycle.ModuleRestarted)
		return ok
	})
	require.NoError(t, err)
}
