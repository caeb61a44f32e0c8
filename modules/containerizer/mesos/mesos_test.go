package mesos_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/internal/shimtest"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
)

// built is the folder with the shim.
var built string

func TestMain(m *testing.M) {
	folder, remove, err := shimtest.Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = folder
	code := m.Run()
	remove()
	os.Exit(code)
}

func launcherDir(t testing.TB) string { return shimtest.Dir(t, built) }

func TestConformance(t *testing.T) {
	moduletest.Conformance(t, mesos.Library, mesos.Name, moduletest.Parameter(mesos.Name, "launcher_dir", launcherDir(t)))
}
