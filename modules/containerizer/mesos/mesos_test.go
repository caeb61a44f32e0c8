package mesos_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// TestMain is the shim as well: a test's launcher_dir holds a link to this binary.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == mesos.Program {
		os.Exit(shim.Main(os.Args[1:]))
	}
	os.Exit(m.Run())
}

func launcherDir(t testing.TB) string {
	self, err := os.Executable()
	require.NoError(t, err)
	folder := t.TempDir()
	require.NoError(t, os.Symlink(self, filepath.Join(folder, mesos.Program)))
	return folder
}

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, mesos.Library, mesos.Name, moduletest.Parameter(mesos.Name, "launcher_dir", launcherDir(t)))
}
