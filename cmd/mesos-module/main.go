// Command mesos-module looks at libraries of Mesos modules, builds them, begins new
// ones, and asks a daemon what it would make of them. "mesos-module --help" says the
// rest, the exit codes included.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mesos-modules/mms/internal/moduletool"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
)

func vehicles(daemon string) []vehicle.Vehicle {
	return []vehicle.Vehicle{goplugin.New(daemon), native.New()}
}

func main() {
	if trial.Main(vehicles("")...) {
		return // it was started to try libraries out
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tool := moduletool.Tool{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Getenv,
		Vehicles: vehicles, Trial: trial.Run,
	}
	os.Exit(tool.Run(ctx, os.Args[1:]))
}
