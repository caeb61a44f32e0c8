package trial

import (
	"fmt"
	"math"
	"os"
	"runtime"
	"strconv"

	"golang.org/x/sys/unix"
)

// raise moves a descriptor up, out of the way, and keeps it from programs that a
// library starts. What the parent has passed stays in place, as a decoy.
func raise(fd int) (int, error) {
	const above = 200 // below the usual limit of 1024, or of 256
	high, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, above)
	if err != nil {
		return 0, fmt.Errorf("duplicate descriptor %d: %w", fd, err)
	}
	return high, nil
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

// own are descriptors of the child, by which it knows a library that closes or
// replaces what it has not opened: in the daemon these would be its listeners, its
// log, and what Go's runtime waits with.
type own map[int]file

type file struct{ device, inode uint64 }

// claim takes the descriptors, and the low ones that the parent has passed. These
// are turned into the requests: nothing is told to whoever writes there.
func claim(fds ...int) (own, error) {
	if err := unix.Dup3(requestDescriptor, reportDescriptor, unix.O_CLOEXEC); err != nil {
		return nil, fmt.Errorf("replace descriptor %d: %w", reportDescriptor, err)
	}
	unix.CloseOnExec(requestDescriptor)
	o := own{}
	for _, fd := range append(fds, reportDescriptor, requestDescriptor) {
		f, err := at(fd)
		if err != nil {
			return nil, fmt.Errorf("look at descriptor %d: %w", fd, err)
		}
		o[fd] = f
	}
	return o, nil
}

func (o own) untouched() bool {
	for fd, f := range o {
		if now, err := at(fd); err != nil || now != f {
			return false
		}
	}
	return true
}

func at(fd int) (file, error) {
	var s unix.Stat_t
	err := unix.Fstat(fd, &s)
	return file{s.Dev, s.Ino}, err
}

// apart starts a thread that does jobs in turn and whose descriptors are a copy of
// the process's: C code that closes them there, in the thread itself and in those
// that it starts, leaves Go's runtime the ones that it waits with, without which it
// would end the process at a moment of its own. Go code cannot be kept apart: it
// opens a file on one thread and reads it on another. The copy is made before apart
// returns: it would keep open what is closed in the meantime, such as the end of a pipe
// whose other end somebody reads.
func apart() chan<- func() {
	jobs, copied := make(chan func()), make(chan struct{})
	go func() {
		// The thread is kept, even from ending: libraries leave destructors
		// for that which are closed with them.
		runtime.LockOSThread()
		if unix.Unshare(unix.CLONE_FILES) != nil {
			// Some sandboxes forbid the one, some kernels do not know the
			// other. Without either, the runtime may be the first to notice.
			_ = unix.CloseRange(math.MaxUint32, math.MaxUint32, unix.CLOSE_RANGE_UNSHARE)
		}
		close(copied)
		for job := range jobs {
			job()
		}
	}()
	<-copied
	return jobs
}
