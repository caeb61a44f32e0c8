package trial

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// Main turns the process into the trial child if it was started as one, and
// reports whether it was: main then returns at once. It stands at the very
// beginning of main, before flags are read and anything is opened.
func Main(vehicles ...vehicle.Vehicle) (ran bool) {
	if len(os.Args) != 2 || os.Args[1] != childArgument {
		return false
	}
	c, err := newChild(vehicles)
	if err != nil {
		fmt.Fprintln(os.Stderr, "trial child:", err)
		os.Exit(exitNoReport)
	}
	c.serve()
	return true
}

// child opens libraries, any of which may end it.
type child struct {
	vehicles map[string]vehicle.Vehicle
	requests []Request
	reports  int // descriptor
	output   int // descriptor
	pid      int
}

func newChild(vehicles []vehicle.Vehicle) (*child, error) {
	// A crash here is expected: nobody wants a core file of it. The limit does
	// not reach cores that are piped to a collector, so forbid dumps as well.
	if err := unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{}); err != nil {
		return nil, fmt.Errorf("forbid core files: %w", err)
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return nil, fmt.Errorf("forbid core dumps: %w", err)
	}
	closeInherited()

	c := &child{vehicles: map[string]vehicle.Vehicle{}, pid: os.Getpid()}
	for _, v := range vehicles {
		c.vehicles[v.Name()] = v
	}
	requests := os.NewFile(requestDescriptor, "requests")
	content, err := io.ReadAll(requests)
	if err := errors.Join(err, requests.Close()); err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	if err := json.Unmarshal(content, &c.requests); err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	// Low descriptors are those that libraries close or replace by mistake.
	if c.reports, err = raise(reportDescriptor); err != nil {
		return nil, err
	}
	c.output, err = raise(int(os.Stderr.Fd()))
	return c, err
}

// raise moves a descriptor up, out of the way, and keeps it from programs that a
// library starts. The standard ones stay where they are as well.
func raise(fd int) (int, error) {
	const above = 200 // below the usual limit of 1024, or of 256
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, above)
	if err != nil {
		return 0, fmt.Errorf("duplicate descriptor %d: %w", fd, err)
	}
	if fd > 2 {
		err = unix.Close(fd)
	}
	return high, err
}

// closeInherited closes what whoever started the daemon has left open: sockets
// above all. What Go opens is closed by exec, so all that is not marked so comes
// from outside.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return // no procfs
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= requestDescriptor {
			continue
		}
		if flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0); err == nil && flags&unix.FD_CLOEXEC == 0 {
			_ = unix.Close(fd) // it was passed by mistake: nothing to be done
		}
	}
}

func (c *child) serve() {
	for i, r := range c.requests {
		// The parent reads what follows as the output of this library.
		_, _ = unix.Seek(c.output, 0, io.SeekStart) // costs a message, at worst
		c.report(report{Index: i})
		answer := c.open(r)
		answer.Index, answer.End = i, true
		c.report(answer)
	}
}

// open has a library described on a goroutine of its own, which the library may
// end. After that, or a panic, it has left locks taken, and the child is spent.
func (c *child) open(r Request) report {
	v, ok := c.vehicles[r.Vehicle]
	if !ok {
		return report{Refusal: pack(fmt.Errorf("the trial child knows no vehicle %q", r.Vehicle))}
	}
	answer := spent("an initialiser called runtime.Goexit while the library was opened")
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if value := recover(); value != nil {
				answer = spent("an initialiser panicked while the library was opened: %s%s", oneLine(fmt.Sprint(value)), panicked())
			}
		}()
		d, err := v.Describe(r.File, r.Description)
		answer = report{Description: d, Refusal: pack(err)}
	}()
	<-done
	return answer
}

func spent(format string, args ...any) report {
	return report{Spent: true, Refusal: pack(&vehicle.Refusal{
		Rule:    finding.LibraryOpens,
		Problem: fmt.Sprintf(format, args...),
		Mend:    mendOpens,
	})}
}

// panicked says where; it is called by the function that recovers.
func panicked() string {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(3, callers[:])])
	for {
		frame, more := frames.Next()
		if frame.Function != "" && !strings.HasPrefix(frame.Function, "runtime.") {
			return fmt.Sprintf(" (%s, %s:%d)", frame.Function, filepath.Base(frame.File), frame.Line)
		}
		if !more {
			return ""
		}
	}
}

// report writes one line. A copy of the process that a library has forked off
// comes here as well, and is to say nothing.
func (c *child) report(r report) {
	if os.Getpid() != c.pid {
		os.Exit(0)
	}
	line, err := json.Marshal(r)
	if err == nil && len(line) >= maxReport {
		err = fmt.Errorf("the library's description has %d bytes, and %d are allowed", len(line), maxReport)
	}
	if err != nil {
		line, err = json.Marshal(report{Index: r.Index, End: r.End, Refusal: pack(err)})
	}
	for line = append(line, '\n'); err == nil && len(line) > 0; {
		var n int
		n, err = unix.Write(c.reports, line)
		if err == unix.EINTR {
			err = nil
			continue
		}
		line = line[max(n, 0):]
	}
	if err != nil {
		os.Exit(exitNoReport)
	}
}
