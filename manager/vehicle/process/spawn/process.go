package spawn

import (
	"context"
	"errors"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// Process is one process that was started. It is safe for concurrent use.
type Process struct {
	pid     int
	done    chan struct{}
	cleared chan struct{}
}

func start(context.Context, Spec) (*Process, error) { return nil, errors.New("no process was started") }

// PID is its number. It may be another's soon after Done.
func (p *Process) PID() int { return p.pid }

// Done is closed when the process has ended, by whatever, and its group has been killed.
// Its last lines have been handed over then.
func (p *Process) Done() <-chan struct{} { return p.done }

// Cleared is closed some milliseconds after Done, when what the process has left behind
// has been killed and its control group is gone.
func (p *Process) Cleared() <-chan struct{} { return p.cleared }

// End is how it ended, once Done is closed: for a *vehicle.GoneError. Said is the end
// of what it wrote to its standard error, or the head of Go's own message when it gave
// up, on one line.
func (p *Process) End() (end vehicle.End, detail, said string) { return vehicle.EndUnknown, "", "" }

// Kill ends the process, its group and what it has left behind. It does not wait. The
// end and the detail are the answer of End if the process has not ended by itself
// before, and if this is the first call.
func (p *Process) Kill(end vehicle.End, detail string) {}
