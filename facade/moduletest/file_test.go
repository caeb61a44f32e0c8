package moduletest

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/roles/calculator"
)

// compiled builds a library of the examples folder.
func compiled(t *testing.T, line ...string) File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "library.so")
	out, err := exec.Command(line[0], append(line[1:], path)...).CombinedOutput()
	require.NoError(t, err, string(out))
	return File(path)
}

func inCPlusPlus(t *testing.T, source string) File {
	return compiled(t, "g++", "-shared", "-fPIC", "-I../include", source, "-o")
}

func TestFile(t *testing.T) {
	t.Run("in C++ is driven like a value", func(t *testing.T) {
		several := inCPlusPlus(t, "../../examples/cpp/several.cpp")
		kit := New(t, several)
		n, err := Load[calculator.Calculator](kit, "org_example_maximum").Compute(t.Context(), 5, 9)
		require.NoError(t, err)
		assert.EqualValues(t, 9, n)
		assert.Len(t, kit.Modules(), 1, "what is not asked for is loaded")
		kit.Close()
		assert.Contains(t, kit.Steps(), "load trial")

		assert.Empty(t, New(t, several).Verify())
		_, err = Load[calculator.Calculator](New(t, several), "org_example_quotient").Compute(t.Context(), 5, 0)
		require.ErrorContains(t, err, "division by zero")
	})
	t.Run("gets the host with its faults", func(t *testing.T) {
		kit := New(t, compiled(t, "gcc", "-shared", "-fPIC", "-I../include", "../../examples/c/difference.c", "-o"), FailStateDir(errBroken))
		require.Len(t, kit.described.Modules, 1)
		Load[calculator.Calculator](kit, kit.described.Modules[0].Name)
		assert.NotEmpty(t, kit.Shown("broken on purpose"))
	})
	t.Run("that is none gives a finding", func(t *testing.T) {
		assert.Equal(t, finding.LibraryFormat, New(t, File("file_test.go")).RequireFinding(finding.LibraryFormat).Rule)
		assert.Equal(t, finding.LibraryFile, New(t, File("absent.so")).RequireFinding(finding.LibraryFile).Rule)
	})
	t.Run("that is a Go plugin of another build is told what to test instead", func(t *testing.T) {
		plugin := compiled(t, "go", "build", "-C", "../../examples/goplugin", "-buildmode=plugin", "-trimpath", "-o")
		_, err := TryLoad[calculator.Calculator](New(t, plugin), "org_example_multiplier")
		var found *finding.Error
		require.ErrorAs(t, err, &found)
		assert.Equal(t, finding.LibraryBuild, found.Findings[0].Rule)
		require.ErrorContains(t, err, "moduletest.New(t, yourpackage.Library)")
	})
	t.Run("wants a TestMain", func(t *testing.T) {
		mainCalled.Store(false)
		defer mainCalled.Store(true)
		assert.Contains(t, outcome(t, func(t testing.TB) { New(t, File("lib.so")) }), "func TestMain(m *testing.M) { moduletest.Main(m) }")
		assert.Empty(t, outcome(t, func(t testing.TB) { New(t, facade.Library{}) }), "a value needs none")
	})
}
