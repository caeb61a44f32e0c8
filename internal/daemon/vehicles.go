package daemon

import (
	"log/slog"

	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
	library "github.com/mesos-modules/mms/manager/vehicle/process/serve"
)

// Child turns the process into what [Run] may have started it as, instead of a daemon,
// and reports whether it was something: main then returns at once. It stands at the very
// beginning of main, of tests too that run a daemon: the binary tries libraries out,
// carries one that runs in a process of its own, and puts limits on itself before it
// becomes such a library's program.
func Child() bool {
	if confine.Main() {
		return true
	}
	opening := []vehicle.Vehicle{goplugin.New(""), native.New()}
	// A daemon's own programs need no trial; mesos-module has them tried.
	return library.Isolated(opening...) || trial.Main(append(opening, process.New(process.Options{}))...)
}

// Vehicles are those of the daemons. What the processes of libraries print goes to log.
func Vehicles(log *slog.Logger) []vehicle.Vehicle {
	// The native one takes what nobody else does.
	return []vehicle.Vehicle{goplugin.New(""), process.New(process.Options{Logger: log}), native.New()}
}

// launcher is the one of them that runs libraries in processes of their own.
func launcher(vehicles []vehicle.Vehicle) vehicle.Launcher {
	for _, v := range vehicles {
		if l, ok := v.(vehicle.Launcher); ok {
			return l
		}
	}
	return nil
}
