// Package process is the vehicle that runs a library in a process of its own: an
// executable that "mesos-module build --as=process" made, or a library of any other
// vehicle, carried by a child of the daemon's own binary. A crash, a leak or an endless
// loop of the library is then the process's and not the daemon's.
//
// The process is started from the very file that was looked at, and has one connection,
// to the daemon, that nobody else has. Whatever comes from it is untrusted.
package process

import (
	"context"
	"log/slog"
	"reflect"
	"time"

	"github.com/mesos-modules/mms/manager/finding"
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
type Vehicle struct {
	o       Options
	leaving time.Duration // how long a process that was asked to end may take
}

var (
	_ vehicle.Vehicle  = (*Vehicle)(nil)
	_ vehicle.Launcher = (*Vehicle)(nil)
)

// New returns the vehicle. It opens and starts nothing.
func New(o Options) *Vehicle {
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return &Vehicle{o: o, leaving: 5 * time.Second}
}

// Name implements vehicle.Vehicle.
func (v *Vehicle) Name() string { return vehicle.Process }

// Open implements vehicle.Vehicle: it launches the library, without limits. What the
// library says of itself has to be what d says.
func (v *Vehicle) Open(ctx context.Context, f vehicle.File, d vehicle.Description) (vehicle.Library, error) {
	m, found, err := v.Launch(ctx, f, d, vehicle.Confinement{})
	if err != nil {
		return nil, err
	}
	if d.Complete && !reflect.DeepEqual(found.Modules, d.Modules) {
		_ = m.Close() // it is refused in any case
		return nil, changed()
	}
	return m, nil
}

// Describe implements vehicle.Vehicle: it launches the library, and closes it again.
func (v *Vehicle) Describe(f vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	m, d, err := v.Launch(context.Background(), f, d, vehicle.Confinement{})
	if err != nil {
		return d, err
	}
	return d, m.Close()
}

func changed() *vehicle.Refusal {
	return &vehicle.Refusal{Rule: finding.LibraryOpens, Problem: "the library says something else of itself each time it is started",
		Mend: "declare modules by constants only"}
}
