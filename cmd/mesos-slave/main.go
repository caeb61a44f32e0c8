// Command mesos-slave is the Mesos slave: an fx app made of flags, the module system,
// the agent and an HTTP face. "mesos-slave --help" says the rest, the exit status included.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/slave"
	"github.com/mesos-modules/mms/modules"
	"github.com/mesos-modules/mms/roles"
)

// mesosVersion is a variable, so that tests link daemons of other releases (-ldflags -X).
var mesosVersion = facade.MesosVersion

func main() {
	if daemon.Child() {
		return // a daemon has started it, for a library
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, daemon.Signals()...)
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // who reads the log may go away without taking the daemon along
	os.Exit(daemon.Run(context.Background(), daemon.Options{
		Daemon: roles.Slave, Version: mesosVersion, Builtin: modules.Slave(), Core: &slave.Plug{},
		Args: os.Args[1:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}
