package spawn

import (
	"context"
	"crypto/rand"
	"errors"
	"math"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// start starts a process on the thread that it is called by.
func start(ctx context.Context, s Spec) (*Process, error) {
	if err := context.Cause(ctx); err != nil {
		return nil, err
	}
	if err := s.Image.runnable(); err != nil {
		return nil, err
	}
	l := &launch{spec: s, token: rand.Text()}
	defer l.close()
	if err := l.prepare(); err != nil {
		return nil, s.failed(err)
	}
	p, err := l.fork()
	if err != nil {
		if l.limits != nil {
			l.limits.Clear()
		}
		return nil, s.failed(err)
	}
	if err = l.taken(ctx); err == nil {
		err = s.Image.Unchanged()
	}
	cause := context.Cause(ctx)
	if err == nil && cause == nil {
		return p, nil
	}
	p.Kill(vehicle.EndUnknown, "")
	p.watch()
	if cause != nil {
		return nil, cause
	}
	return nil, s.failed(err)
}

// launch holds what is needed until the process runs.
type launch struct {
	spec   Spec
	token  string
	limits *confine.Limits
	report *os.File // of limits

	opened []*os.File // to be closed at the end
	reads  []*os.File // our ends of the pipes, until somebody owns them
	files  []*os.File // of the process
	image  int        // descriptor that is run
	path   string
	args   []string
	env    []string
}

func (l *launch) close() {
	for _, f := range append(l.opened, l.reads...) {
		_ = f.Close() // the process has its own
	}
}

// prepare opens all that the process is to have.
func (l *launch) prepare() error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	l.opened = append(l.opened, null)
	l.files = []*os.File{null}
	for range 2 {
		ours, theirs, err := pipe()
		if err != nil {
			return err
		}
		l.reads, l.opened = append(l.reads, ours), append(l.opened, theirs)
		l.files = append(l.files, theirs)
	}
	l.files = append(l.files, l.spec.Extra...)
	l.env = environment(l.token, l.spec.Confinement.Environment)
	l.args = append([]string{l.spec.Name}, l.spec.Args...)

	run := l.spec.Image.file
	if l.spec.Confinement.Confined() {
		if run, err = l.confine(); err != nil {
			return err
		}
	}
	above, err := l.clear(run)
	if err != nil {
		return err
	}
	l.image = above
	l.path = "/proc/self/fd/" + strconv.Itoa(above)
	return keepOwn()
}

// confine has the daemon's own binary run first, which puts the limits on.
func (l *launch) confine() (*os.File, error) {
	own, err := Own("")
	if err != nil {
		return nil, err
	}
	l.opened = append(l.opened, own.file)
	if l.limits, err = confine.Prepare(l.spec.Confinement); err != nil {
		return nil, err
	}
	order, err := l.limits.Order(l.env)
	if err != nil {
		return nil, err
	}
	l.opened = append(l.opened, order)
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	l.report, l.opened = read, append(l.opened, read, write)
	l.args = append([]string{l.args[0], confine.Argument, strconv.Itoa(len(l.spec.Extra))}, l.args...)
	l.files = append(l.files, l.spec.Image.file, order, write)
	l.env = confine.Environment()
	return own.file, nil
}

// pipe is a pipe whose end for us has deadlines and whose other end waits.
func pipe() (ours, theirs *os.File, err error) {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC); err != nil {
		return nil, nil, err
	}
	theirs = os.NewFile(uintptr(fds[1]), "pipe")
	if err := unix.SetNonblock(fds[0], true); err != nil {
		_ = unix.Close(fds[0])
		return nil, nil, errors.Join(err, theirs.Close())
	}
	return os.NewFile(uintptr(fds[0]), "pipe"), theirs, nil
}

// clear puts the file that is run where nothing gets in its way: when the process puts
// its descriptors in order, it uses numbers from the highest of them on for a while.
func (l *launch) clear(run *os.File) (int, error) {
	highest := len(l.files)
	for _, f := range l.files {
		highest = max(highest, int(f.Fd()))
	}
	fd, err := unix.FcntlInt(run.Fd(), unix.F_DUPFD_CLOEXEC, highest+len(l.files)+2)
	if err == unix.EINVAL {
		err = unix.EMFILE // above the limit
	}
	if err != nil {
		return 0, err
	}
	l.opened = append(l.opened, os.NewFile(uintptr(fd), "image"))
	return fd, nil
}

// keepOwn marks all that this process has open so that no program inherits it. What Go
// opens is; what whoever started the daemon has left open, or a native library has
// opened, may be not.
func keepOwn() error {
	err := unix.CloseRange(3, math.MaxInt32, unix.CLOSE_RANGE_CLOEXEC)
	if err != unix.ENOSYS && err != unix.EINVAL {
		return err
	}
	// Linux before 5.11.
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
	return nil
}

// fork starts the process.
func (l *launch) fork() (*Process, error) {
	fds := make([]uintptr, len(l.files))
	for i, f := range l.files {
		fds[i] = f.Fd()
	}
	handle := -1
	pid, err := syscall.ForkExec(l.path, l.args, &syscall.ProcAttr{
		Env:   l.env,
		Files: fds,
		Sys: &syscall.SysProcAttr{
			Setpgid: true,
			// The process looks whether the daemon is still there when it has said so.
			Pdeathsig: syscall.SIGKILL,
			PidFD:     &handle,
		},
	})
	if err != nil {
		return nil, err
	}
	if handle < 0 {
		_ = unix.Kill(-pid, unix.SIGKILL)
		_, _ = syscall.Wait4(pid, nil, 0, nil)
		return nil, errNoHandle
	}
	p := &Process{
		pid: pid, handle: handle, token: l.token, limits: l.limits,
		done: make(chan struct{}), cleared: make(chan struct{}),
	}
	p.output = newOutput(l.reads[0], l.reads[1], l.spec.Lines)
	l.reads = nil
	return p, nil
}

// taken waits until the image has taken over from what put the limits on.
func (l *launch) taken(ctx context.Context) error {
	if l.report == nil {
		return nil
	}
	for _, f := range l.opened {
		if f != l.report {
			_ = f.Close() // the process has its own
		}
	}
	stop := context.AfterFunc(ctx, func() { _ = l.report.Close() }) // nothing was written
	defer stop()
	return confine.Answer(l.report)
}

var errNoHandle = errors.New("the kernel has no pidfd (Linux 5.3 or later is needed)")
