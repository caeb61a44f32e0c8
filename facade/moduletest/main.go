package moduletest

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
)

// mainCalled is of the process: whether its main can be the trial child.
var mainCalled atomic.Bool

// Main runs the tests and exits. It is for packages that test library files:
//
//	func TestMain(m *testing.M) { moduletest.Main(m) }
//
// If the process is a child in which libraries are opened first, or run, it does that
// instead and runs no tests.
func Main(m *testing.M) {
	if Child() {
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// Child is [Main] for packages whose TestMain does more. It stands first in it; if
// it returns true the process was the child, and TestMain returns at once.
func Child() (ran bool) {
	mainCalled.Store(true)
	if confine.Main() {
		return true
	}
	opening := []vehicle.Vehicle{goplugin.New(""), native.New()}
	return serve.Isolated(opening...) || trial.Main(opening...)
}
