// Package spawn starts the process of a library, watches it, and ends it with all that
// it has left behind.
//
// What is run is a descriptor and not a path: the very file that was looked at. The
// process has a group of its own, nothing to read from, a clean environment and the
// descriptors that it was given, no others. What it prints comes back in lines.
//
// Every process has a goroutine that keeps a thread for itself. The thread starts the
// process and waits for its death, for the kernel kills a process that asked for it
// when the thread that started it ends: here this is when the daemon does. So there is
// nothing that all processes share, and nothing left when they are gone.
package spawn

import (
	"context"
	"os"
	"runtime"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Spec is what to start.
type Spec struct {
	// Image is the file that is run. Start checks that it has not changed, before and
	// after. It may be closed when Start has returned, and be started again before.
	Image *Image

	// Args are the arguments, without the name of the program, which is Name.
	Name string
	Args []string

	// Extra are given to the process as descriptors 3 and up. They remain the
	// caller's, who closes them after Start.
	Extra []*os.File

	Confinement vehicle.Confinement

	// Lines is told what the process prints, a line at a time, without its end. stream
	// is Stdout or Stderr; each comes from a goroutine of its own. A line is valid UTF-8
	// without control characters, of at most MaxLine bytes; of a flood some are left
	// out, which is said in their place. It should not block: the process waits
	// meanwhile. Its last call is before Done, unless it takes a tenth of a second
	// then. Nil: nobody wants to know.
	Lines func(stream, line string)
}

// Names of the streams.
const (
	Stdout = "stdout"
	Stderr = "stderr"
)

// Start starts a process and returns when the image has taken over in it, or could not.
// Then nothing is left, and the error is a *StartError, or wraps the cause of ctx. What
// happens to ctx afterwards does not matter to the process.
func Start(ctx context.Context, s Spec) (*Process, error) {
	type answer struct {
		p   *Process
		err error
	}
	started := make(chan answer, 1)
	go func() {
		// The kernel kills the process when this thread ends, so the goroutine keeps it
		// until the process is gone.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		p, err := start(ctx, s)
		if err == nil {
			defer p.watch() // when the caller knows
		}
		started <- answer{p, err}
	}()
	a := <-started
	return a.p, a.err
}

// StartError is why a process could not be started.
type StartError struct {
	Path    string // of the image
	Problem string
	Mend    string // may be empty
	Cause   error  // may be nil
}

func (e *StartError) Error() string {
	text := e.Path + " cannot be started: " + e.Problem
	if e.Mend != "" {
		text += "; " + e.Mend
	}
	return text
}

func (e *StartError) Unwrap() error { return e.Cause }
