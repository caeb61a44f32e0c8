package serve

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

// control takes the connection to the daemon. It is moved up, out of the way of libraries
// that close or replace low descriptors by mistake; what the daemon has passed stays in
// place as a decoy.
func control() (*os.File, error) {
	var s syscall.Stat_t
	if err := syscall.Fstat(protocol.Control, &s); err != nil || s.Mode&syscall.S_IFMT != syscall.S_IFSOCK {
		return nil, errors.New("descriptor 3 is no connection to a daemon")
	}
	syscall.CloseOnExec(protocol.Control)
	high, err := raise(protocol.Control)
	if err != nil {
		return nil, err
	}
	decoy, err := syscall.Open(os.DevNull, syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", os.DevNull, err)
	}
	err = syscall.Dup3(decoy, protocol.Control, syscall.O_CLOEXEC)
	_ = syscall.Close(decoy) // a copy stays
	return os.NewFile(uintptr(high), "connection to the daemon"), err
}

// raise duplicates a descriptor above those that are handed out first, as far as the limit
// of open files lets it.
func raise(fd int) (int, error) {
	const duplicate = 1030 // F_DUPFD_CLOEXEC, on every machine
	var errno syscall.Errno
	for _, above := range []uintptr{200, 50, 20, 0} {
		var high uintptr
		if high, _, errno = syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), duplicate, above); errno == 0 {
			return int(high), nil
		}
	}
	return 0, fmt.Errorf("duplicate descriptor %d: %w", fd, errno)
}

// closeInherited closes what whoever started the daemon has left open. What Go opens is
// closed by exec, so all that is not marked so comes from outside.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return // no procfs
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= protocol.Control {
			continue
		}
		flags, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_GETFD, 0)
		if errno == 0 && flags&syscall.FD_CLOEXEC == 0 {
			_ = syscall.Close(fd) // it was passed by mistake: nothing to be done
		}
	}
}
