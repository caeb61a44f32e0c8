package trial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startLimit is how long a child may take between two libraries, and to start.
const startLimit = 20 * time.Second

// session is one child, seen from the parent. All of it happens on one goroutine:
// there is nobody to wait for but the child itself.
type session struct {
	requests []Request
	verdicts []Verdict

	cmd     *exec.Cmd
	output  *os.File
	process int // descriptor, readable when the child has ended
	reports int // descriptor, non-blocking
	cancel  int // descriptor, readable when ctx has ended

	unread   []byte
	next     int  // requests that have been answered
	opening  bool // requests[next] is being opened
	spent    bool
	deadline time.Time
}

// runChild runs one child until it has answered all requests or can go on no more,
// and returns how many verdicts are known now: at least one, unless it fails.
func runChild(ctx context.Context, requests []Request, verdicts []Verdict, o Options) (int, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	s := &session{requests: requests, verdicts: verdicts, process: -1, reports: -1, cancel: -1}
	defer s.close()
	release, err := s.start(ctx, o)
	if err != nil {
		return 0, fmt.Errorf("start the child process: %w", err)
	}
	defer release()

	why, err := s.watch()
	state := s.end()
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if err != nil {
		return 0, err
	}
	if why == ended {
		// What it had reported before it ended is still in the pipe.
		if err := s.read(); err != nil && !errors.Is(err, errDisturbed) {
			return 0, err
		}
	}
	return s.judge(why, state)
}

// start starts the child. release undoes the watch over ctx.
func (s *session) start(ctx context.Context, o Options) (release func(), err error) {
	content, err := json.Marshal(s.requests)
	if err != nil {
		return nil, err
	}
	requests, err := memoryFile("requests", int64(len(content)))
	if err != nil {
		return nil, err
	}
	defer requests.Close() //nolint:errcheck // the child has its own
	if _, err := requests.WriteAt(content, 0); err != nil {
		return nil, err
	}
	if s.output, err = memoryFile("output", maxOutput); err != nil {
		return nil, err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return nil, err
	}
	s.reports = pipe[0]
	childEnd := os.NewFile(uintptr(pipe[1]), "reports")
	defer childEnd.Close() //nolint:errcheck // the child has its own
	if err := unix.SetNonblock(pipe[0], true); err != nil {
		return nil, err
	}
	if s.cancel, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, err
	}

	executable := o.Executable
	if executable == "" {
		executable = "/proc/self/exe"
	}
	s.cmd = &exec.Cmd{
		Path:       executable,
		Args:       []string{os.Args[0], childArgument},
		Env:        append(os.Environ(), "GOTRACEBACK=single"),
		Stderr:     s.output, // not buffered by the C library, so that it belongs to the library being opened
		ExtraFiles: []*os.File{childEnd, requests},
		SysProcAttr: &syscall.SysProcAttr{
			Setpgid:   true,
			Pdeathsig: syscall.SIGKILL,
			PidFD:     &s.process,
		},
	}
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	s.deadline = time.Now().Add(startLimit)
	if s.process < 0 {
		s.end()
		return nil, errors.New("the kernel has no pidfd (Linux 5.3 or later is needed)")
	}

	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		// An eventfd takes eight bytes, of either order.
		_, _ = unix.Write(s.cancel, []byte{1, 1, 1, 1, 1, 1, 1, 1}) // cannot fail before close
	})
	return func() {
		if !stop() {
			<-woken
		}
	}, nil
}

// memoryFile makes a file without a name, of a size that nobody can change.
func memoryFile(name string, size int64) (*os.File, error) {
	fd, err := unix.MemfdCreate("mms-trial-"+name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), name)
	if err = f.Truncate(size); err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// reason is why the parent has stopped watching a child.
type reason int

const (
	finished  reason = iota + 1 // all requests are answered, or the child is spent
	ended                       // the child has ended by itself
	late                        // the deadline has passed
	disturbed                   // what it reports makes no sense
)

// watch follows the child until there is nothing more to learn from it.
func (s *session) watch() (reason, error) {
	reports := int32(s.reports)
	for {
		if s.spent || s.next == len(s.requests) {
			return finished, nil
		}
		fds := []unix.PollFd{
			{Fd: int32(s.cancel), Events: unix.POLLIN},
			{Fd: reports, Events: unix.POLLIN},
			{Fd: int32(s.process), Events: unix.POLLIN},
		}
		left := time.Until(s.deadline)
		n, err := unix.Poll(fds, int(max(left+time.Millisecond-1, 0)/time.Millisecond))
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return 0, fmt.Errorf("wait for the child process: %w", err)
		case n == 0:
			return late, nil
		case fds[0].Revents != 0:
			return ended, nil // the caller looks at ctx first
		case fds[1].Revents&unix.POLLIN != 0:
			if err := s.read(); errors.Is(err, errDisturbed) {
				return disturbed, nil
			} else if err != nil {
				return 0, err
			}
		case fds[1].Revents != 0:
			reports = -1 // closed: poll ignores it, and waits for the end or the deadline
		default:
			return ended, nil
		}
	}
}

var errDisturbed = errors.New("the reports of the trial were disturbed")

// read takes all reports that are there.
func (s *session) read() error {
	var chunk [16 << 10]byte
	for {
		n, err := unix.Read(s.reports, chunk[:])
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.EAGAIN) || (err == nil && n == 0):
			return nil
		case err != nil:
			return fmt.Errorf("read from the child process: %w", err)
		}
		s.unread = append(s.unread, chunk[:n]...)
		for {
			line, rest, whole := bytes.Cut(s.unread, []byte("\n"))
			if !whole {
				break
			}
			s.unread = rest
			if err := s.take(line); err != nil {
				return err
			}
		}
		if len(s.unread) > maxReport {
			return errDisturbed
		}
	}
}

// take acts on one report.
func (s *session) take(line []byte) error {
	var r report
	if err := json.Unmarshal(line, &r); err != nil || r.Index != s.next || r.Index >= len(s.requests) || r.End != s.opening {
		return errDisturbed
	}
	if !r.End {
		s.opening = true
		s.deadline = time.Now().Add(s.requests[s.next].limit())
		return nil
	}
	s.verdicts[s.next] = Verdict{Description: r.Description, Err: r.Refusal.unpack()}
	s.next++
	s.opening, s.spent = false, r.Spent
	s.deadline = time.Now().Add(startLimit)
	return nil
}

// end kills what is left of the child's group and buries the child. The group goes
// first: until the child is buried, its number belongs to nobody else.
func (s *session) end() *os.ProcessState {
	_ = unix.Kill(-s.cmd.Process.Pid, unix.SIGKILL) // it may be gone already
	_ = s.cmd.Wait()                                // the state says more
	return s.cmd.ProcessState
}

func (s *session) close() {
	for _, fd := range []int{s.process, s.reports, s.cancel} {
		if fd >= 0 {
			_ = unix.Close(fd) // nothing was written that anybody waits for
		}
	}
	if s.output != nil {
		_ = s.output.Close()
	}
}

// printed is what the library being opened has printed, as far as there was room.
func (s *session) printed() string {
	end, err := s.output.Seek(0, io.SeekCurrent)
	if err != nil {
		return ""
	}
	content := make([]byte, min(end, maxOutput))
	n, _ := s.output.ReadAt(content, 0) // what can be read of it
	return string(content[:n])
}
