// Command mesos-master is the Mesos master: an fx app made of flags, the module system,
// the master and an HTTP face. "mesos-master --help" says the rest, the exit status included.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/master"
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
		Daemon: roles.Master, Version: mesosVersion, Builtin: modules.Master(), Core: &master.Plug{},
		Args: os.Args[1:], Env: os.Environ(), Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}
