package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// stage is what the process does to itself before it becomes the command, in this order.
// Arguments and environment are its own already.
type stage struct {
	Path         string
	Enter        bool // the mount namespace of the file enterFile
	EnterRoot    string
	Terminal     bool // its input is a terminal
	Root         string
	Pivot        bool // of the whole mount namespace; else of this process
	Limits       []Limit
	Capabilities *Capabilities
	User         *User
	Directory    string

	NoNewPrivileges bool
}

// execute sets what a fork cannot, and becomes the command. It returns only when that
// fails.
func execute(arguments []string) int {
	runtime.LockOSThread() // most of it belongs to the thread that becomes the command
	var s stage
	if len(arguments) == 0 {
		return complain("run the command", errors.New("it has no arguments"))
	}
	if err := described(&s); err != nil {
		return complain("read the description of the command", err)
	}
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"enter the mount namespace of the parent", s.enter},
		{"change the root to " + s.Root, s.changeRoot},
		{"limit the resources of the process", s.limit},
		{"limit the capabilities", s.Capabilities.bound},
		{"keep the capabilities", s.Capabilities.keep},
		{"change the user", s.become},
		{"take the capabilities", func() error { return s.Capabilities.take(s.User) }},
		{"enter the working directory " + s.Directory, s.changeFolder},
		// The kernel forgets this with a change of the user.
		{"end with the shim", func() error { return unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0) }},
		{"give up new privileges", s.giveUp},
	} {
		if err := step.do(); err != nil {
			return complain(step.what, err)
		}
	}
	path, err := lookUp(Command{Path: s.Path, Environment: os.Environ()})
	if err == nil {
		err = syscall.Exec(path, arguments, os.Environ())
	}
	return complain("run "+s.Path, err)
}

// soon is how often somebody looks who enters a mount namespace before its root has
// changed.
const soon = 5 * time.Millisecond

// enter enters the mount namespace of another container, once nothing of the host's is
// to be seen there: it may be just about to begin.
func (s *stage) enter() error {
	if !s.Enter {
		return nil
	}
	defer unix.Close(enterFile)
	if err := unix.Unshare(unix.CLONE_FS); err != nil { // the program's other threads stay
		return err
	}
	for ; ; time.Sleep(soon) {
		if err := unix.Setns(enterFile, unix.CLONE_NEWNS); err != nil {
			return err
		}
		if s.EnterRoot == "" {
			return nil
		}
		if _, err := os.Lstat(s.EnterRoot); errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENOTDIR) {
			return nil
		}
	}
}

func (s *stage) changeRoot() error {
	switch {
	case s.Root == "":
		return nil
	case s.Pivot:
		if err := s.console(); err != nil {
			return fmt.Errorf("show the terminal: %w", err)
		}
		return pivot(s.Root)
	default:
		return errors.Join(unix.Chroot(s.Root), unix.Chdir("/"))
	}
}

// console shows the container its terminal, which is one of the host's.
func (s *stage) console() error {
	if !s.Terminal {
		return nil
	}
	terminal, err := os.Readlink("/proc/self/fd/0")
	if err != nil {
		return err
	}
	return Mount{Source: Place{Path: terminal}, Target: Place{Base: s.Root, Path: "/dev/console"}, Flags: unix.MS_BIND}.do()
}

// limit goes through the syscall package for open files, whose limit Go restores
// otherwise when it becomes another program.
func (s *stage) limit() error {
	for _, l := range s.Limits {
		if err := syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard}); err != nil {
			return fmt.Errorf("resource %d to %d, %d: %w", l.Resource, l.Soft, l.Hard, err)
		}
	}
	return nil
}

// become changes the user. The groups are of this thread alone: the others end when it
// becomes the command.
func (s *stage) become() error {
	if s.User == nil {
		return nil
	}
	groups := make([]int, len(s.User.Groups))
	for i, g := range s.User.Groups {
		groups[i] = int(g)
	}
	if err := unix.Setgroups(groups); err != nil {
		return err
	}
	if err := unix.Setresgid(int(s.User.GID), int(s.User.GID), int(s.User.GID)); err != nil {
		return err
	}
	return unix.Setresuid(int(s.User.UID), int(s.User.UID), int(s.User.UID))
}

func (s *stage) changeFolder() error {
	if s.Directory == "" {
		return nil
	}
	return unix.Chdir(s.Directory)
}

func (s *stage) giveUp() error {
	if !s.NoNewPrivileges {
		return nil
	}
	return unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
}
