package moduletool

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

// Main is all of the program: the trial child if it was started as one, or else
// what the arguments of the process say. It returns the exit code.
func Main() int {
	if trial.Main(vehicles("")...) {
		return ExitOK
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tool := Tool{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Env: os.Getenv,
		Vehicles: vehicles, Trial: trial.Run,
	}
	return tool.Run(ctx, os.Args[1:])
}

// vehicles recognise the libraries of a daemon. The native one takes what nobody else
// does, so it comes last.
func vehicles(daemon string) []vehicle.Vehicle {
	return []vehicle.Vehicle{goplugin.New(daemon), process.New(process.Options{}), native.New()}
}
