package spawn

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// lastWordsLimit is how long the end of a process waits for those who are told its lines.
const lastWordsLimit = 100 * time.Millisecond

// Process is one process that was started. It is safe for concurrent use.
type Process struct {
	pid    int
	handle int // pidfd
	token  string
	limits *confine.Limits // nil: not confined
	output *output

	done    chan struct{}
	cleared chan struct{}

	mu     sync.Mutex
	buried bool // the number may be another's
	killed bool
	why    ending // of Kill

	end ending // after done
}

type ending struct {
	end          vehicle.End
	detail, said string
}

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
func (p *Process) End() (end vehicle.End, detail, said string) {
	select {
	case <-p.done:
		return p.end.end, p.end.detail, p.end.said
	default:
		return vehicle.EndUnknown, "", ""
	}
}

// Kill ends the process, its group and what it has left behind. It does not wait. The
// end and the detail are the answer of End if the process has not ended by itself
// before, and if this is the first call.
func (p *Process) Kill(end vehicle.End, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.buried {
		return
	}
	if !p.killed {
		p.killed, p.why = true, ending{end: end, detail: detail}
	}
	_ = unix.PidfdSendSignal(p.handle, unix.SIGKILL, nil, 0) // it may have ended
	_ = unix.Kill(-p.pid, unix.SIGKILL)                      // the number is its own until it is buried
}

// watch waits for the death and clears up. It is called by the thread that has started
// the process.
func (p *Process) watch() {
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(p.handle), Events: unix.POLLIN}}, -1)
		if err != unix.EINTR {
			break
		}
	}
	status, err := p.bury()
	p.end = p.judge(status, err, p.output.stop(lastWordsLimit))
	close(p.done)

	if p.limits != nil {
		p.limits.Clear()
	}
	killMarked(confine.TokenVariable + "=" + p.token)
	close(p.cleared)
}

// bury kills the group and then reaps the process: before, the number of both is
// nobody else's. The error is that somebody else has done it.
func (p *Process) bury() (status syscall.WaitStatus, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	_ = unix.Kill(-p.pid, unix.SIGKILL) // there may be nobody left
	for {
		if _, err = syscall.Wait4(p.pid, &status, 0, nil); err != syscall.EINTR {
			break
		}
	}
	p.buried = true
	_ = unix.Close(p.handle) // nothing was written
	return status, err
}

// output is what reads the two streams.
type output struct {
	pipes   []*os.File
	readers sync.WaitGroup
	said    said // of standard error
}

func newOutput(stdout, stderr *os.File, tell func(stream, line string)) *output {
	o := &output{pipes: []*os.File{stdout, stderr}}
	o.read(stdout, Stdout, tell, func([]byte) {})
	o.read(stderr, Stderr, tell, o.said.write)
	return o
}

func (o *output) read(pipe *os.File, stream string, tell func(stream, line string), keep func([]byte)) {
	l := &lines{now: time.Now}
	if tell != nil {
		l.tell = func(line string) { tell(stream, line) }
	}
	o.readers.Go(func() {
		follow(pipe, func(text []byte) {
			keep(text)
			l.write(text)
		})
		l.close()
	})
}

// stop takes what has been said, closes the pipes and returns what was said last. It
// waits for a reader no longer than that: one whose listener hangs is left to it, and
// nil is returned.
func (o *output) stop(limit time.Duration) *said {
	for _, pipe := range o.pipes {
		_ = pipe.SetReadDeadline(time.Unix(0, 1)) // pipes have deadlines
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		o.readers.Wait()
		for _, pipe := range o.pipes {
			_ = pipe.Close() // nothing was written
		}
	}()
	select {
	case <-read:
		return &o.said
	case <-time.After(limit):
		return nil
	}
}
