package spawn

import (
	"cmp"
	"fmt"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/stout"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// exitGaveUp is the exit status of Go's programs that panic or throw.
const exitGaveUp = 2

// outOfMemory are the words of those who were refused memory: Go's runtime, C++, the
// dynamic loader.
var outOfMemory = []string{
	"out of memory", "cannot allocate memory", "Cannot allocate memory", "std::bad_alloc", "failed to create new OS thread",
}

// judge says how the process ended. unknown is why its status says nothing, last what it
// said; nil if nobody knows.
func (p *Process) judge(status syscall.WaitStatus, unknown error, last *said) ending {
	p.mu.Lock()
	why, killed := p.why, p.killed
	p.mu.Unlock()

	gave := status.Signaled() && status.Signal() == syscall.SIGABRT || status.ExitStatus() == exitGaveUp
	var e ending
	if last != nil {
		e.said = last.quote(gave)
	}
	switch {
	case unknown != nil && killed:
		e.end, e.detail = why.end, why.detail
	case unknown != nil:
		e.end, e.detail = vehicle.EndUnknown, fmt.Sprintf("its exit status is not known: %v", unknown)
	case killed && status.Signaled() && status.Signal() == syscall.SIGKILL:
		e.end, e.detail = why.end, why.detail
	case p.starved(status, e.said):
		e.end, e.detail = vehicle.EndMemory, fmt.Sprintf("over its memory of %v (%s)", stout.Bytes(p.limits.Memory()), fate(status))
	case status.Signaled():
		e.end, e.detail = vehicle.EndSignaled, fate(status)
	default:
		e.end, e.detail = vehicle.EndExited, fate(status)
	}
	return e
}

// starved is whether it ended because of its limit of memory. A control group counts
// what it has killed; else the process was refused memory, and only its last words tell.
func (p *Process) starved(status syscall.WaitStatus, said string) bool {
	switch {
	case p.limits == nil || p.limits.Memory() == 0:
		return false
	case p.limits.Counted():
		return status.Signaled() && status.Signal() == syscall.SIGKILL && p.limits.Starved()
	case status.Exited() && status.ExitStatus() == 0:
		return false
	}
	for _, words := range outOfMemory {
		if strings.Contains(said, words) {
			return true
		}
	}
	return false
}

func fate(status syscall.WaitStatus) string {
	if status.Signaled() {
		return "signal " + cmp.Or(unix.SignalName(status.Signal()), fmt.Sprint(int(status.Signal())))
	}
	return fmt.Sprintf("exit status %d", status.ExitStatus())
}
