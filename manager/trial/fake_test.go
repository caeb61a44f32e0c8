package trial_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// fake is a vehicle whose libraries are not there: what happens when one is
// opened is written in its path.
type fake struct{}

func (fake) Name() string { return "fake" }

func (fake) Recognise(vehicle.File) (vehicle.Description, bool, error) {
	return vehicle.Description{}, false, nil
}

func (fake) Open(context.Context, vehicle.File, vehicle.Description) (vehicle.Library, error) {
	return nil, errors.New("it is opened by children only")
}

func (fake) Describe(f vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	switch f.Path {
	case "good":
		d.Complete = true
		d.Modules = []vehicle.Module{{Name: "m", Requires: []facade.Requirement{{Module: "n", Version: ">1"}}}}
		return d, nil
	case "refused":
		return d, &vehicle.Refusal{Rule: finding.Handshake, Problem: "p", Mend: "m", Cause: errors.New("c")}
	case "error":
		return d, errors.New("it is broken")
	case "endless error":
		return d, errors.New(strings.Repeat("\xff", 1<<20))
	case "huge":
		d.MinMesos = strings.Repeat("x", 9<<20)
		return d, nil
	case "large":
		d.MinMesos = strings.Repeat("x", 1<<20)
		return d, nil
	case "goexit":
		runtime.Goexit()
	case "panic":
		panic("there is no bottom")
	case "panic elsewhere":
		done := make(chan struct{})
		go func() { panic(errors.New("in the background\x1b[31m")) }()
		<-done
	case "exit":
		os.Exit(5)
	case "closes low descriptors":
		return d, errors.Join(unix.Close(3), unix.Close(4))
	case "closes what the runtime waits with":
		return d, closePoller()
	}
	return d, nil
}

// closePoller closes what the runtime waits for files with, which it notices when
// a collection ends.
func closePoller() error {
	paths, err := filepath.Glob("/proc/self/fd/*")
	for _, path := range paths {
		if to, _ := os.Readlink(path); to == "anon_inode:[eventpoll]" {
			fd, _ := strconv.Atoi(filepath.Base(path))
			err = errors.Join(err, unix.Close(fd))
		}
	}
	runtime.GC()
	return err
}
