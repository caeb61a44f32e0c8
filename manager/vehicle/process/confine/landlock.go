package confine

import (
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// landlockVersion is that of the kernel's interface. An error says why there is none.
func landlockVersion() (int, error) {
	v, _, err := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	switch err {
	case 0:
		return int(v), nil
	case unix.ENOSYS:
		return 0, errors.New("it has no landlock")
	case unix.EOPNOTSUPP:
		return 0, errors.New("its landlock is switched off")
	default:
		return 0, err
	}
}

// What is allowed to files, and beyond that to folders.
const (
	readFile  = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_EXECUTE
	writeFile = unix.LANDLOCK_ACCESS_FS_READ_FILE | unix.LANDLOCK_ACCESS_FS_WRITE_FILE | unix.LANDLOCK_ACCESS_FS_TRUNCATE | unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	readDir   = unix.LANDLOCK_ACCESS_FS_READ_DIR
	writeDir  = readDir | unix.LANDLOCK_ACCESS_FS_REMOVE_DIR | unix.LANDLOCK_ACCESS_FS_REMOVE_FILE | unix.LANDLOCK_ACCESS_FS_MAKE_CHAR |
		unix.LANDLOCK_ACCESS_FS_MAKE_DIR | unix.LANDLOCK_ACCESS_FS_MAKE_REG | unix.LANDLOCK_ACCESS_FS_MAKE_SOCK |
		unix.LANDLOCK_ACCESS_FS_MAKE_FIFO | unix.LANDLOCK_ACCESS_FS_MAKE_BLOCK | unix.LANDLOCK_ACCESS_FS_MAKE_SYM | unix.LANDLOCK_ACCESS_FS_REFER
)

// handled are all rights on files that a version knows: one that is not handled is not
// restricted.
func handled(version int) uint64 {
	all := uint64(readFile | writeFile | writeDir)
	if version < 2 {
		all &^= unix.LANDLOCK_ACCESS_FS_REFER
	}
	if version < 3 {
		all &^= unix.LANDLOCK_ACCESS_FS_TRUNCATE
	}
	if version < 5 {
		all &^= unix.LANDLOCK_ACCESS_FS_IOCTL_DEV
	}
	return all
}

// Everybody's: what a program needs to be loaded and to start, where it is there.
var (
	needed  = []string{"/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/dev/random", "/dev/urandom"}
	devices = []string{"/dev/null", "/dev/zero", "/dev/full"}
)

// rules makes the rules: the paths of the order, what everybody needs, and the files
// that the process has open already. It returns their descriptor.
func (p passed) rules(o order) (int, error) {
	version, err := landlockVersion()
	if err != nil {
		return 0, err
	}
	attr := unix.LandlockRulesetAttr{Handled_access_fs: handled(version)}
	if version >= 6 {
		// Nor can it send signals to the daemon, or talk to who listens without a file.
		attr.Scoped = unix.LANDLOCK_SCOPE_SIGNAL | unix.LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET
	}
	fd, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr), 0)
	if errno != 0 {
		return 0, fmt.Errorf("make rules: %w", errno)
	}
	r := ruleset{fd: int(fd), handled: attr.Handled_access_fs}
	for _, path := range o.ReadOnly {
		err = errors.Join(err, r.allow(path, readFile|readDir))
	}
	for _, path := range o.ReadWrite {
		err = errors.Join(err, r.allow(path, writeFile|writeDir))
	}
	for _, path := range needed {
		if e := r.allow(path, readFile|readDir); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	for _, path := range devices {
		if e := r.allow(path, writeFile); !errors.Is(e, os.ErrNotExist) {
			err = errors.Join(err, e)
		}
	}
	for fd := 3; fd <= p.image; fd++ {
		err = errors.Join(err, r.allowOpen(fd))
	}
	return r.fd, err
}

type ruleset struct {
	fd      int
	handled uint64
}

// allow gives rights on a file, or a folder and all below.
func (r ruleset) allow(path string, rights uint64) error {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd) //nolint:errcheck // nothing was written
	if err := r.add(fd, rights); err != nil {
		return &os.PathError{Op: "allow", Path: path, Err: err}
	}
	return nil
}

// allowOpen lets the process open again, to read or run it, a file that it has open.
func (r ruleset) allowOpen(fd int) error {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil || s.Mode&unix.S_IFMT != unix.S_IFREG {
		return err
	}
	err := r.add(fd, readFile)
	if err == unix.EBADFD {
		return nil // a file in memory, to which the rules do not apply
	}
	return err
}

func (r ruleset) add(fd int, rights uint64) error {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return err
	}
	if s.Mode&unix.S_IFMT != unix.S_IFDIR {
		rights &= readFile | writeFile
	}
	attr := unix.LandlockPathBeneathAttr{Allowed_access: rights & r.handled, Parent_fd: int32(fd)}
	_, _, err := unix.Syscall6(unix.SYS_LANDLOCK_ADD_RULE, uintptr(r.fd), unix.LANDLOCK_RULE_PATH_BENEATH, uintptr(unsafe.Pointer(&attr)), 0, 0, 0)
	if err != 0 {
		return err
	}
	return nil
}

// keepTo puts the rules on this thread.
func keepTo(rules int) error {
	if _, _, err := unix.Syscall(unix.SYS_LANDLOCK_RESTRICT_SELF, uintptr(rules), 0, 0); err != 0 {
		return fmt.Errorf("put rules on: %w", err)
	}
	return unix.Close(rules)
}
