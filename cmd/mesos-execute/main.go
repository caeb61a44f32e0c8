// Command mesos-execute runs a command on a cluster and shows what it writes. "mesos-execute --help" says the rest.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/execute"
)

// mesosVersion is a variable, so that tests link programs of other releases (-ldflags -X).
var mesosVersion = facade.MesosVersion

func main() {
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)
	os.Exit(execute.Run(context.Background(), execute.Options{
		Args: os.Args[1:], Version: mesosVersion, Stdout: os.Stdout, Stderr: os.Stderr, Signals: signals,
	}))
}
