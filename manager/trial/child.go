package trial

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
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
	own      own
	apart    chan<- func()
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
	if err := c.read(); err != nil {
		return nil, fmt.Errorf("read requests: %w", err)
	}
	// Low descriptors are those that libraries close or replace by mistake.
	var errs [3]error
	c.reports, errs[0] = raise(reportDescriptor)
	c.output, errs[1] = raise(int(os.Stderr.Fd()))
	c.own, errs[2] = claim(c.reports, c.output)
	c.apart = apart()
	return c, errors.Join(errs[:]...)
}

// read takes the requests. Their descriptor stays open.
func (c *child) read() error {
	size, err := unix.Seek(requestDescriptor, 0, io.SeekEnd)
	if err != nil {
		return err
	}
	content := make([]byte, size)
	if n, err := unix.Pread(requestDescriptor, content, 0); err != nil || int64(n) != size {
		return fmt.Errorf("%d of %d bytes: %w", n, size, cmp.Or(err, io.ErrUnexpectedEOF))
	}
	return json.Unmarshal(content, &c.requests)
}

func (c *child) serve() {
	for i, r := range c.requests {
		// The parent reads what follows as the output of this library.
		_, _ = unix.Seek(c.output, 0, io.SeekStart) // costs a message, at worst
		c.report(report{Index: i})
		answer := c.open(r)
		answer.Index, answer.End = i, true
		c.report(answer)
		if answer.Spent {
			return
		}
	}
}

// open has a library described on another goroutine, which the library may end.
// After that, or a panic, it has left locks taken, and the child is spent.
func (c *child) open(r Request) report {
	v, ok := c.vehicles[r.Vehicle]
	if !ok {
		return report{Refusal: pack(fmt.Errorf("the trial child knows no vehicle %q", r.Vehicle))}
	}
	answer := spent("an initialiser called runtime.Goexit while the library was opened")
	done := make(chan struct{})
	describe := func() {
		defer close(done)
		defer c.endCopy()
		defer func() {
			if value := recover(); value != nil {
				answer = spent("an initialiser panicked while the library was opened: %s%s", oneLine(fmt.Sprint(value)), panicked())
			}
		}()
		d, err := v.Describe(r.File, r.Description)
		answer = report{Description: d, Refusal: pack(err)}
		if !c.own.untouched() {
			answer = spent("the library " + closed + " while it was opened")
		}
	}
	if r.Vehicle == vehicle.Native {
		// A collection that began over there would look at descriptors that
		// the library may have closed.
		defer debug.SetGCPercent(debug.SetGCPercent(-1))
		c.apart <- describe
	} else {
		go describe()
	}
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

// endCopy ends the process if it is a copy that a library has forked off: it is to
// say nothing, and has no other thread to go on with.
func (c *child) endCopy() {
	if os.Getpid() != c.pid {
		os.Exit(0)
	}
}

// report writes one line.
func (c *child) report(r report) {
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
