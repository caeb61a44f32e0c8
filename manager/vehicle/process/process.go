// Package process is the vehicle that runs a library in a process of its own: an
// executable that "mesos-module build --as=process" made, or a library of any other
// vehicle, carried by a child of the daemon's own binary. A crash, a leak or an endless
// loop of the library is then the process's and not the daemon's.
package process

import (
	"context"
	"errors"
	"log/slog"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Options are what a daemon decides. The zero value is usable.
type Options struct {
	// Executable is run to carry libraries of other vehicles. Its main has to begin with
	// serve.Isolated. Empty: the binary that is running.
	Executable string

	// Logger gets what the processes print, line by line; nil: slog.Default().
	Logger *slog.Logger
}

// Vehicle recognises executables and runs libraries in processes of their own. It is safe
// for concurrent use.
type Vehicle struct{ o Options }

var (
	_ vehicle.Vehicle  = (*Vehicle)(nil)
	_ vehicle.Launcher = (*Vehicle)(nil)
)

// New returns the vehicle. It opens and starts nothing.
func New(o Options) *Vehicle { return &Vehicle{o: o} }

// Name implements vehicle.Vehicle.
func (v *Vehicle) Name() string { return vehicle.Process }

// Recognise implements vehicle.Vehicle. It answers for Go executables; libraries of other
// vehicles are theirs to recognise, also where they are going to be isolated. The
// description is not complete: Launch completes it.
func (v *Vehicle) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	return vehicle.Description{}, false, nil
}

// Open implements vehicle.Vehicle: it launches the library without limits.
func (v *Vehicle) Open(ctx context.Context, f vehicle.File, d vehicle.Description) (vehicle.Library, error) {
	m, _, err := v.Launch(ctx, f, d, vehicle.Confinement{})
	return m, err
}

// Describe implements vehicle.Vehicle: it launches the library, and closes it again.
func (v *Vehicle) Describe(f vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	m, d, err := v.Launch(context.Background(), f, d, vehicle.Confinement{})
	if err != nil {
		return d, err
	}
	return d, m.Close()
}

// Launch implements vehicle.Launcher. Of a library of another vehicle the description
// keeps that vehicle's name, and its Build says "isolation": "process".
func (v *Vehicle) Launch(ctx context.Context, f vehicle.File, d vehicle.Description, c vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	return nil, d, errors.New("no process was started")
}
