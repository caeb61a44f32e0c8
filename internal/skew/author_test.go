package skew_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/pluginbuild"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// author writes an author's Go module that is built with a copy of the module system.
// sources are packages by name, of one file each.
func author(t *testing.T, mms, mod string, sources map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "go.mod"), "module example.org/author\n\ngo 1.26.0\n\nrequire github.com/mesos-modules/mms v1.0.0\n\nreplace github.com/mesos-modules/mms => "+mms+"\n"+mod)
	sums, err := os.ReadFile(filepath.Join(mms, "go.sum"))
	require.NoError(t, err)
	write(t, filepath.Join(dir, "go.sum"), string(sums))
	for name, source := range sources {
		write(t, filepath.Join(dir, name, name+".go"), source)
	}
	command(t, dir, "go", "list", "-mod=mod", "-deps", "./...") // which completes go.mod
	return dir
}

// program builds a package of an author's as a program, and returns its path.
func program(t *testing.T, dir, pkg string, flags ...string) string {
	t.Helper()
	result, err := pluginbuild.Build(t.Context(), pluginbuild.Request{
		Package: "./" + pkg, As: vehicle.Process, Dir: dir, Env: environment(),
		Output: filepath.Join(t.TempDir(), pkg), Flags: flags,
	})
	require.NoError(t, err)
	return result.Output
}
