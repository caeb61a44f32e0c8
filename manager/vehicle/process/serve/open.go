package serve

import (
	"fmt"
	"os"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

// opener opens the one library that the process is for, and says what it says of itself.
type opener func(protocol.Opening) (vehicle.Library, vehicle.Description, error)

// linked is the opener of a library that is part of the program.
func linked(library facade.Library) opener {
	return func(protocol.Opening) (vehicle.Library, vehicle.Description, error) {
		return golib.Open(library), golib.Describe(vehicle.Process, library), nil
	}
}

// carried opens a library file by the vehicle that the daemon names.
func carried(vehicles []vehicle.Vehicle) opener {
	return func(o protocol.Opening) (vehicle.Library, vehicle.Description, error) {
		for _, v := range vehicles {
			if v.Name() == o.Vehicle {
				if v, ok := v.(loner); ok {
					v.Alone()
				}
				return open(v, o)
			}
		}
		return nil, vehicle.Description{}, fmt.Errorf("this daemon's child knows no vehicle %q", o.Vehicle)
	}
}

// loner is a vehicle that does otherwise in a process which carries a single library.
type loner interface{ Alone() }

// open opens the file by its path: a library finds others beside it by that. The daemon
// keeps the file open, so nobody else can get its number, and the file that has it is the
// one that the daemon has looked at.
func open(v vehicle.Vehicle, o protocol.Opening) (library vehicle.Library, d vehicle.Description, err error) {
	if err := same(o.File); err != nil {
		return nil, d, err
	}
	d = o.Description
	if !d.Complete {
		if d, err = v.Describe(o.File, d); err != nil {
			return nil, d, err
		}
	}
	if library, err = v.Open(background, o.File, d); err != nil {
		return nil, d, err
	}
	return library, d, same(o.File)
}

// same reports that the path leads to another file now.
func same(f vehicle.File) error {
	info, err := os.Stat(f.Path)
	if err == nil {
		if s, ok := info.Sys().(*syscall.Stat_t); ok && (vehicle.Identity{Device: s.Dev, Inode: s.Ino}) == f.Identity {
			return nil
		}
	}
	return &vehicle.Refusal{Rule: finding.LibraryFile, Problem: f.Path + " is another file now than the one that was verified", Cause: err,
		Mend: "load it again, and replace libraries by renaming a new file over the old one"}
}
