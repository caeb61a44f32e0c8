// Package trial opens libraries in a child process before the daemon does, so
// that one which crashes, exits or hangs while it is opened costs a finding and
// not the daemon.
//
// The child is the daemon's own binary, since a Go plugin opens in no other. All
// libraries share one child, which reports before and after each. So the parent
// knows at once which library took the child along, and a fresh child goes on
// with those that follow. The binary's main calls Main first thing.
//
// The child has a process group of its own, which is killed whole, no standard
// input and no core file, and it dies with the daemon. It inherits no socket
// and no other descriptor of the daemon. What a library writes to standard error
// while it is opened is kept, within bounds, for the message about it.
package trial

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// DefaultLimit is how long a library may take to open when a request names no
// limit.
const DefaultLimit = 10 * time.Second

// Request asks for one library to be opened. It crosses to the child as JSON.
type Request struct {
	File        vehicle.File        `json:"file"`
	Vehicle     string              `json:"vehicle"` // the name of one that Main is given
	Description vehicle.Description `json:"description"`
	Limit       time.Duration       `json:"-"` // zero means DefaultLimit
}

// Verdict is what came of a request. Err is a *vehicle.Refusal when the library
// cannot be used; otherwise Description is complete.
type Verdict struct {
	Description vehicle.Description
	Err         error
}

// Options of a trial. The zero value is what a daemon wants.
type Options struct {
	// Executable is the binary to run as the child; empty means the one that
	// is running, also where its file has been replaced meanwhile.
	Executable string
}

// Run has all libraries opened in turn by children and returns one verdict per
// request, in their order. Libraries that hang add up to the sum of their limits.
// An error means that no child could be run, or that ctx ended: the children are
// then gone, and nothing is known. Run may be called from several goroutines.
func Run(ctx context.Context, requests []Request, o Options) ([]Verdict, error) {
	// The kernel kills the child when the thread that started it ends, so this
	// goroutine keeps its thread until the last child is gone.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	verdicts := make([]Verdict, len(requests))
	for done := 0; done < len(requests); {
		n, err := runChild(ctx, requests[done:], verdicts[done:], o)
		if err != nil {
			return nil, fmt.Errorf("trial of %d libraries: %w", len(requests), err)
		}
		done += n
	}
	return verdicts, nil
}

// Longest is how long a trial of one library with this limit can take: it may have
// to wait for a child of its own. A trial of several takes their sum at most.
func Longest(limit time.Duration) time.Duration { return startLimit + Request{Limit: limit}.limit() }

func (r Request) limit() time.Duration {
	if r.Limit <= 0 {
		return DefaultLimit
	}
	return r.Limit
}
