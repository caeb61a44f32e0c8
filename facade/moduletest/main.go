package moduletest

import (
	"os"
	"sync/atomic"
	"testing"

	"github.com/mesos-modules/mms/manager/trial"
)

// mainCalled is of the process: whether its main can be the trial child.
var mainCalled atomic.Bool

// Main runs the tests and exits. It is for packages that test library files:
//
//	func TestMain(m *testing.M) { moduletest.Main(m) }
//
// If the process is the child in which libraries are opened first, it does that
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
	return trial.Main(vehicles()...)
}
