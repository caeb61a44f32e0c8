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
	"github.com/mesos-modules/mms/manager/vehicle/process/bridge"
	"github.com/mesos-modules/mms/manager/vehicle/process/link"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
	"github.com/mesos-modules/mms/manager/vehicle/process/wire"
)

// Exit statuses of a process that serves a library.
const (
	exitByHand = 2 // it was not started by a daemon
	exitLost   = 3 // the connection to the daemon is lost, or was never there
)

// Main serves the modules of a library that is linked into the program, until the
// daemon ends the process or is gone. It is all that main does, and never returns.
//
// Started by hand, it says on standard error what the program is and ends it with
// status 2.
func Main(library facade.Library) {
	if !started() {
		fmt.Fprintln(os.Stderr, byHand)
		os.Exit(exitByHand)
	}
	os.Exit(serve(linked(library)))
}

// Isolated turns the process into one that carries a single library if it was started
// as such, and reports whether it was: main then returns at once. The daemon says which
// library, and which of the vehicles opens it. It stands at the very beginning of main,
// beside trial.Main.
func Isolated(vehicles ...vehicle.Vehicle) (ran bool) {
	if !started() {
		return false
	}
	os.Exit(serve(carried(vehicles)))
	return true
}

// byHand is what tells a program that serves a library from all others: a daemon looks
// for its first words in the file. They are linked only where Main is.
const byHand = "mms-process-library/1: this program is a library of Mesos modules and is not run by hand: name it in the --modules of a daemon."

func started() bool { return len(os.Args) == 2 && os.Args[1] == protocol.Argument }

// serve answers the daemon until one of the two ends the connection, and returns the exit
// status.
func serve(open opener) int {
	closeInherited()
	control, err := control()
	if err != nil {
		return lost(err)
	}
	s := newServer(open)
	c := wire.NewConn(wire.Config{Root: s, Hello: wire.Hello{Mesos: facade.MesosVersion, Roles: bridge.Roles()}})
	// The daemon is trusted, and its signs of life are not to wait behind other calls.
	if err := c.Start(control, link.Options{MaxCalls: 1 << 20}); err != nil {
		return lost(err)
	}
	<-c.Done()
	if s.leaving.Load() {
		return 0
	}
	return lost(c.Err())
}

func lost(err error) int {
	fmt.Fprintln(os.Stderr, "the connection to the daemon is lost:", err)
	return exitLost
}
