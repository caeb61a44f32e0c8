// Package serve is what runs in the process of a library: it answers the daemon's
// calls on the library's modules, and gives the modules a host that reaches back to
// the daemon.
//
// An executable that "mesos-module build --as=process" makes is a main package which
// calls Main. A daemon's own binary calls Isolated at the beginning of its main, and so
// can carry any library of another vehicle in a process of its own.
//
// An author's program links this package, so it imports as little as it can.
package serve

import (
	"fmt"
	"os"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// ChildArgument is the only argument of a process that serves a library. The
// connection to the daemon is then ControlDescriptor.
const (
	ChildArgument     = "-mms-process-child"
	ControlDescriptor = 3
)

// Main serves the modules of a library that is linked into the program, until the
// daemon ends the process or is gone. It is all that main does, and never returns.
//
// Started by hand, it says on standard error what the program is and ends it with
// status 2.
func Main(library facade.Library) {
	fmt.Fprintln(os.Stderr, byHand)
	os.Exit(2)
}

// Isolated turns the process into one that carries a single library if it was started
// as such, and reports whether it was: main then returns at once. The daemon says which
// library, and which of the vehicles opens it. It stands at the very beginning of main,
// beside trial.Main.
func Isolated(vehicles ...vehicle.Vehicle) (ran bool) { return false }

// byHand is what tells a program that serves a library from all others: a daemon looks
// for its first words in the file. They are linked only where Main is.
const byHand = "mms-process-library/1: this program is a library of Mesos modules. It is not run by hand: name it in a daemon's --modules."
