package native

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
)

func TestSignals(t *testing.T) {
	t.Run("in a trial child end it by their number", func(t *testing.T) {
		for _, c := range []struct{ library, want string }{
			{"null.so", "signal: segmentation fault"}, {"abort.so", "signal: aborted"}, {"exit.so", "exit status 3"}, {"sound.so", "exit status 0"},
		} {
			out, errs, state := runChild(t, c.library)
			assert.Equal(t, c.want, strings.TrimSuffix(state.String(), " (core dumped)"), "%s %s", c.library, errs)
			assert.Empty(t, out)
			assert.Empty(t, errs)
		}
	})
	t.Run("a trial child describes what only an open library says", func(t *testing.T) {
		out, errs, state := runChild(t, "lambda11.so")
		assert.True(t, state.Success(), errs)
		assert.Equal(t, "org_example_lambda Calculator\n", out)
	})
	for _, c := range []struct{ module, want string }{
		{"segv", "mesos: SIGSEGV in native code that cannot be stopped: the constructor of module segv, library "},
		{"aborts", "mesos: SIGABRT in native code that cannot be stopped: the constructor of module aborts, library "},
		{"good segv", "mesos: SIGSEGV in native code that cannot be stopped: one of the modules aborts, destroy_fails, destroy_fails_silently, endless, floods, garbage, good, no_table, …, code of library "},
		{"good abort", "mesos: SIGABRT in native code that cannot be stopped: one of the modules aborts, destroy_fails, destroy_fails_silently, endless, floods, garbage, good, no_table, …, code of library "},
		{"segv_thread", "mesos: SIGSEGV in native code that cannot be stopped: one of the modules aborts, destroy_fails, destroy_fails_silently, endless, floods, garbage, good, no_table, …, code of library "},
	} {
		t.Run("in a daemon name the module: "+c.module, func(t *testing.T) {
			_, errs, state := runChild(t, "behave.so "+c.module)
			assert.False(t, state.Success())
			assert.Contains(t, errs, c.want+filepath.Join(libraries, "behave.so")+"\n")
			assert.Equal(t, 1, strings.Count(errs, "mesos: "), errs)
		})
	}
	t.Run("Go's own report follows", func(t *testing.T) {
		_, errs, state := runChild(t, "behave.so segv")
		assert.Contains(t, errs, "SIGSEGV: segmentation violation")
		assert.Contains(t, errs, "Create")
		assert.Equal(t, 2, state.ExitCode())
	})
	t.Run("nil pointers in Go still panic, and are no module's", func(t *testing.T) {
		entered.Guard()
		entered.Guard()
		var nothing *vehicle.Module
		assert.Panics(t, func() { _ = nothing.Name[0] })
		restore := PlainSignals()
		restore()
		restore()
		assert.Panics(t, func() { _ = nothing.Name[0] })
	})
}

func TestLibraryWithASignalHandler(t *testing.T) {
	t.Run("that calls the one before it does not make the two call each other for ever", func(t *testing.T) {
		out, errs, state := runChild(t, "chains.so nil")
		assert.Equal(t, "exit status 0", state.String(), errs)
		assert.Equal(t, "runtime error: invalid memory address or nil pointer dereference\n", out)
	})
}
