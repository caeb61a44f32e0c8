package spawn

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process/confine"
)

// runnable refuses what the kernel would run in another way than by its content, and
// what it refuses without saying why.
func (i *Image) runnable() error {
	if err := i.Unchanged(); err != nil {
		return err
	}
	refuse := func(problem, mend string) error {
		return &StartError{Path: i.path, Problem: problem, Mend: mend}
	}
	var head [4]byte
	n, _ := i.file.ReadAt(head[:], 0) // a short one is no executable
	switch {
	case string(head[:min(n, 2)]) == "#!":
		return refuse("it is a script, and what runs then is another file, which nobody has looked at", "name the executable that mesos-module build --as=process made")
	case string(head[:n]) != "\x7fELF":
		return refuse("it is no executable", "name the executable that mesos-module build --as=process made")
	}
	info, err := i.file.Stat()
	if err == nil && info.Mode().Perm()&0o111 == 0 {
		return refuse("nobody may execute it", "run chmod +x on it")
	}
	return nil
}

// failed explains why the system started nothing.
func (s Spec) failed(err error) error {
	var refusal *vehicle.Refusal
	var problem *confine.Problem
	var told *StartError
	e := &StartError{Path: s.Image.path, Cause: err}
	switch {
	case errors.As(err, &refusal), errors.As(err, &told):
		return err
	case errors.As(err, &problem):
		e.Problem, e.Mend = problem.Setting+": "+problem.Problem, problem.Mend
	default:
		e.Problem, e.Mend = explain(err)
	}
	return e
}

// explain says what an error of the system means here, and what helps.
func explain(err error) (problem, mend string) {
	number := func(e syscall.Errno) bool { return errors.Is(err, e) }
	switch {
	case number(syscall.ENOEXEC):
		return "it is no executable for this machine", "build it for this operating system and architecture"
	case number(syscall.ENOENT), number(syscall.ELIBBAD):
		return "the program loader that it names is not on this machine", "build it on a system like this one, or with CGO_ENABLED=0"
	case number(syscall.EACCES), number(syscall.EPERM):
		return fmt.Sprintf("the system forbids to run it (%v)", err),
			"let the user of the process execute it, and see that its file system is not mounted noexec"
	case number(syscall.ETXTBSY):
		return "somebody has it open for writing", "wait until it is written, and replace executables by renaming a new file over the old one"
	case number(syscall.EMFILE):
		return "the daemon has as many files open as it may", "raise its limit of open files (ulimit -n, LimitNOFILE=)"
	case number(syscall.ENFILE):
		return "the system has as many files open as it may", "raise the sysctl fs.file-max"
	case number(syscall.EAGAIN):
		return "the system starts no more processes for this user", "raise the limit of processes (ulimit -u, TasksMax=, pids.max), or run fewer"
	case number(syscall.ENOMEM):
		return "the system has no memory for another process", "free memory, or raise the limit of the daemon's control group"
	case number(syscall.E2BIG):
		return "its arguments and environment are too long", "shorten the variables in the manifest"
	case errors.Is(err, fs.ErrClosed):
		return "it is closed", "load it again"
	default:
		return err.Error(), "see what the system says about it"
	}
}
