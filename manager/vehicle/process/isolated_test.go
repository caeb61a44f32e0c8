package process_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// compile makes a native library of the vehicle's own samples.
func compile(t testing.TB, source string, args ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "library.so")
	line := append([]string{"-O1", "-fPIC", "-shared", "-pthread", "-D_GNU_SOURCE", "-I../../../facade/include", "-o", out}, args...)
	compiler := "gcc"
	if filepath.Ext(source) == ".cpp" {
		compiler, line = "g++", append(line, "-std=c++17")
	}
	said, err := exec.Command(compiler, append(line, filepath.Join("../native/testdata", source))...).CombinedOutput()
	require.NoError(t, err, string(said))
	return out
}

func TestNative(t *testing.T) {
	x := newFixture()
	path := compile(t, "behave.c")
	m, d, err := x.tryLaunch(t, path, vehicle.Confinement{})
	require.NoError(t, err, x.said)
	t.Cleanup(func() { assert.NoError(t, m.Close()) })

	t.Run("it remains a native library, and says that it is isolated", func(t *testing.T) {
		assert.Equal(t, vehicle.Native, d.Vehicle)
		assert.Contains(t, d.Build, vehicle.Setting{Key: "isolation", Value: "process"})
		assert.True(t, d.Complete)
	})
	t.Run("an instance answers", func(t *testing.T) {
		n, err := create[calculator.Calculator](t, m, "good", &daemon{}).Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, int32(75), n)
	})
	t.Run("it is told what the daemon has", func(t *testing.T) {
		host := &daemon{book: &book{}, folder: t.TempDir(), modules: []facade.ModuleInfo{{Name: "other", Role: "Calculator", Version: "1.0.0"}}}
		i, err := m.Create(t.Context(), "says", host, parameters("key", "value"))
		require.NoError(t, err)
		require.NoError(t, i.Destroy(t.Context()))
		said := host.book.String()
		for _, part := range []string{"key=value", "state " + host.folder + ", folder 1", "beside other Calculator 1.0.0", "last words"} {
			assert.Contains(t, said, part)
		}
	})
	t.Run("its own check and its errors come across", func(t *testing.T) {
		require.NoError(t, m.Compatible(t.Context(), "good", &daemon{}))
		require.EqualError(t, m.Compatible(t.Context(), "reason", &daemon{}), "0 modules, first none  in Mesos 1.12.0")
		_, err := m.Create(t.Context(), "reason", &daemon{}, nil)
		require.ErrorContains(t, err, "no disk left")
		i, err := m.Create(t.Context(), "destroy_fails", &daemon{}, nil)
		require.NoError(t, err)
		require.ErrorContains(t, i.Destroy(t.Context()), "the disk is full")
	})
	t.Run("messages beyond count are bounded, and it goes on", func(t *testing.T) {
		host := &daemon{book: &book{}}
		create[calculator.Calculator](t, m, "floods", host)
		assert.Less(t, len(host.book.String()), 32<<20)
	})

	for call, b := range map[string]int64{"SIGSEGV": -2, "SIGABRT": -3} {
		t.Run("a crash by "+call+" ends the process alone, and is told", func(t *testing.T) {
			m := x.launch(t, path)
			_, err := create[calculator.Calculator](t, m, "good", &daemon{}).Compute(t.Context(), 0, b)
			g := gone(t, err, m)
			assert.Equal(t, "good", g.Module)
			assert.Equal(t, vehicle.EndSignaled, g.End)
			assert.Contains(t, g.Detail, call)
			assert.Contains(t, g.Said, call+" in native code that cannot be stopped: one of the modules")
			again, err := m.Again(t.Context())
			require.NoError(t, err)
			t.Cleanup(func() { assert.NoError(t, again.Close()) })
			_, err = create[calculator.Calculator](t, again, "good", &daemon{}).Compute(t.Context(), 0, 0)
			require.NoError(t, err)
		})
	}
	t.Run("a constructor that crashes, on whatever thread", func(t *testing.T) {
		for _, name := range []string{"segv", "segv_thread"} {
			m := x.launch(t, path)
			_, err := m.Create(t.Context(), name, &daemon{}, nil)
			assert.Equal(t, vehicle.EndSignaled, gone(t, err, m).End)
		}
	})
}

// A library that breaks while it is opened.
func TestNativeOpens(t *testing.T) {
	for init, want := range map[string]struct{ end, detail string }{
		"*(volatile int*)8=1": {"signaled", "SIGSEGV"},
		"abort()":             {"signaled", "SIGABRT"},
		"exit(3)":             {"exited", "exit status 3"},
	} {
		t.Run(init, func(t *testing.T) {
			_, _, err := newFixture().tryLaunch(t, compile(t, "init.c", "-DINIT="+init), vehicle.Confinement{})
			g := gone(t, err, nil)
			assert.Equal(t, want.end, g.End.String())
			assert.Contains(t, g.Detail, want.detail)
		})
	}
	t.Run("and one that the loader does not open is refused with its words", func(t *testing.T) {
		x := newFixture()
		f := look(t, compile(t, "init.c", "-DINIT="))
		require.NoError(t, os.Truncate(f.Path, f.Size/2))
		f = look(t, f.Path)
		_, _, err := x.Launch(t.Context(), f, vehicle.Description{Vehicle: vehicle.Native, Complete: true}, vehicle.Confinement{})
		var r *vehicle.Refusal
		require.ErrorAs(t, err, &r)
	})
	t.Run("a description that the file does not hold is completed", func(t *testing.T) {
		m, d, err := newFixture().tryLaunch(t, compile(t, "lambda.cpp", "-std=c++11"), vehicle.Confinement{})
		require.NoError(t, err)
		defer func() { assert.NoError(t, m.Close()) }()
		assert.True(t, d.Complete)
		assert.NotEmpty(t, d.Modules)
	})
}

func TestNativeAgain(t *testing.T) {
	x := newFixture()
	path := compile(t, "behave.c")
	m := x.launch(t, path)
	require.NoError(t, os.Remove(path))
	require.NoError(t, os.WriteFile(path, []byte("another"), 0o600))
	require.NoError(t, syscall.Kill(m.PID(), syscall.SIGKILL))
	awaitGone(t, m)
	again, err := m.Again(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { assert.NoError(t, again.Close()) })
	n, err := create[calculator.Calculator](t, again, "good", &daemon{}).Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.Equal(t, int32(75), n)
	left, err := filepath.Glob(filepath.Join(os.TempDir(), "mms-library-*"))
	require.NoError(t, err)
	assert.Empty(t, left, "no copies are left")
}

func TestUnknownVehicle(t *testing.T) {
	x := newFixture()
	_, _, err := x.Launch(t.Context(), look(t, build(t, "hello")), vehicle.Description{Vehicle: "balloon"}, vehicle.Confinement{})
	var r *vehicle.Refusal
	require.ErrorAs(t, err, &r)
	assert.Equal(t, finding.LibraryOpens, r.Rule)
	assert.Contains(t, r.Problem, `knows no vehicle "balloon"`)
}

// A Go plugin is carried by a child of the daemon that it was built for, also when its
// file is not there any more.
func TestGoPlugin(t *testing.T) {
	host := build(t, "host")
	plugin := filepath.Join(t.TempDir(), "plugin.so")
	said, err := exec.Command("go", "build", "-buildmode=plugin", "-o", plugin, "../../trial/testdata/plugins/good").CombinedOutput()
	require.NoError(t, err, string(said))
	said, err = exec.Command(host, plugin).CombinedOutput()
	require.NoError(t, err, string(said))
	assert.Equal(t, "goplugin {isolation process}\norg_example_adder 75\norg_example_adder 75\n", string(said))
}
