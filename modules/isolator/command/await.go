package command

import (
	"errors"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// awaitEnd returns when a process has ended, which then still has to be waited for. With
// a handle (a pidfd, which it closes) it takes no thread: a thread for each container is
// what an agent of thousands cannot have. A handle below 0 is none.
func awaitEnd(pid, handle int) {
	if handle >= 0 && awaitHandle(handle) == nil {
		return
	}
	for errors.Is(ended(unix.P_PID, pid, 0), unix.EINTR) {
	}
}

func awaitHandle(handle int) error {
	if err := syscall.SetNonblock(handle, true); err != nil { // else it is not polled
		return errors.Join(err, syscall.Close(handle))
	}
	f := os.NewFile(uintptr(handle), "pidfd")
	defer f.Close()
	conn, err := f.SyscallConn()
	if err != nil {
		return err
	}
	return conn.Read(func(fd uintptr) bool {
		return !errors.Is(ended(unix.P_PIDFD, int(fd), unix.WNOHANG), errRuns)
	})
}

var errRuns = errors.New("the process runs")

// ended asks for the end of a child, and leaves it to be waited for.
func ended(kind, id, options int) error {
	var info unix.Siginfo
	err := unix.Waitid(kind, id, &info, unix.WEXITED|unix.WNOWAIT|options, nil)
	if err == nil && info.Signo == 0 {
		return errRuns
	}
	return err
}
