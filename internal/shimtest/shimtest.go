// Package shimtest builds the program that holds containers for tests which start many:
// as it ships, without the race detector, under which a program takes a second to start.
package shimtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/mesos-modules/mms/modules/containerizer/mesos"
)

// Build makes a folder with the program in it, which is a launcher_dir. The caller calls
// remove when no test needs it any more.
func Build() (folder string, remove func(), err error) {
	folder, err = os.MkdirTemp("", "shimtest")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(folder) } // a folder for temporary files
	build := exec.Command("go", "build", "-o", filepath.Join(folder, mesos.Program), "github.com/mesos-modules/mms/cmd/mesos-containerizer")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		remove()
		return "", nil, fmt.Errorf("build %s: %w\n%s", mesos.Program, err, out)
	}
	return folder, remove, nil
}

// Dir returns a folder of the test's own with a link to the program of a folder that
// Build has made.
func Dir(t testing.TB, built string) string {
	t.Helper()
	folder := t.TempDir()
	if err := os.Symlink(filepath.Join(built, mesos.Program), filepath.Join(folder, mesos.Program)); err != nil {
		t.Fatal(err)
	}
	return folder
}
