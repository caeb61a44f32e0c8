package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// keepToItself keeps the shim's files from what it runs: its socket, and whatever the
// agent was started with and did not know of.
func keepToItself() {
	const first = 3 // behind standard error
	if unix.CloseRange(first, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC) == nil {
		return
	}
	all, err := os.ReadDir("/proc/self/fd") // before Linux 5.11
	if err != nil {
		syscall.CloseOnExec(Socket)
		return
	}
	for _, e := range all {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd >= first {
			syscall.CloseOnExec(fd)
		}
	}
}

// start runs a command that comes before, as the shim's user.
func (s *shim) start(c Command) (int, error) {
	path, err := lookUp(c, "")
	if err != nil {
		return 0, err
	}
	return syscall.ForkExec(path, c.Arguments, &syscall.ProcAttr{
		Dir: s.config.Directory, Env: c.Environment, Files: []uintptr{0, 1, 2},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
}

// startMain runs the container's command. It is to die with the shim: the signal for that
// counts the thread that made the process, and the threads of a Go program stay.
func (s *shim) startMain() (int, error) {
	c := s.config
	command := c.Command
	path, err := lookUp(command, c.Root)
	if err != nil {
		return 0, err
	}
	attributes := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if len(c.Limits) == 0 && !c.NoNewPrivileges {
		attributes.Chroot = c.Root
		if c.User != nil {
			attributes.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID, Groups: c.User.Groups}
		}
		return s.io.fork(c, path, command, attributes)
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return 0, err
	}
	text, err := json.Marshal(stage{Path: path, Root: c.Root, Directory: c.Directory,
		User: c.User, Limits: c.Limits, NoNewPrivileges: c.NoNewPrivileges})
	if err != nil {
		return 0, err
	}
	command.Arguments = append([]string{"mesos-containerizer", "execute", string(text)}, command.Arguments...)
	return s.io.fork(c, self, command, attributes)
}

// stage is what the process does to itself before it becomes the command. Arguments and
// environment are its own already.
type stage struct {
	Path            string
	Root, Directory string
	User            *User
	Limits          []Limit
	NoNewPrivileges bool
}

// execute sets what a fork cannot, and becomes the command. It returns only when that
// fails.
func execute(arguments []string) int {
	runtime.LockOSThread() // some of it belongs to the thread that becomes the command
	var s stage
	if len(arguments) < 2 {
		return complain("run the command", errors.New("there is no description of it"))
	}
	if err := json.Unmarshal([]byte(arguments[0]), &s); err != nil {
		return complain("read the description of the command", err)
	}
	for _, l := range s.Limits {
		if err := setLimit(l); err != nil {
			return complain(fmt.Sprintf("limit resource %d of the process to %d, %d", l.Resource, l.Soft, l.Hard), err)
		}
	}
	if s.Root != "" {
		if err := errors.Join(syscall.Chroot(s.Root), os.Chdir(s.Directory)); err != nil {
			return complain("change the root to "+s.Root, err)
		}
	}
	if err := become(s.User); err != nil {
		return complain("change the user", err)
	}
	// The kernel forgets this with a change of the user.
	if err := unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGKILL), 0, 0, 0); err != nil {
		return complain("end with the shim", err)
	}
	if s.NoNewPrivileges {
		if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return complain("give up new privileges", err)
		}
	}
	return complain("run "+s.Path, syscall.Exec(s.Path, arguments[1:], os.Environ()))
}

// setLimit goes through the syscall package for open files, whose limit Go restores
// otherwise when it becomes another program.
func setLimit(l Limit) error {
	return syscall.Setrlimit(l.Resource, &syscall.Rlimit{Cur: l.Soft, Max: l.Hard})
}

func become(u *User) error {
	if u == nil {
		return nil
	}
	groups := make([]int, len(u.Groups))
	for i, g := range u.Groups {
		groups[i] = int(g)
	}
	if err := syscall.Setgroups(groups); err != nil {
		return err
	}
	if err := syscall.Setgid(int(u.GID)); err != nil {
		return err
	}
	return syscall.Setuid(int(u.UID))
}

// lookUp finds the program as execvp does, below root.
func lookUp(c Command, root string) (string, error) {
	if strings.Contains(c.Path, "/") {
		return c.Path, nil
	}
	if c.Path == "" {
		return "", errors.New("the command is empty")
	}
	for _, folder := range strings.Split(variable(c.Environment, "PATH"), ":") {
		if folder == "" {
			folder = "."
		}
		path := filepath.Join(folder, c.Path)
		if !filepath.IsAbs(folder) {
			path = "./" + path
		}
		info, err := os.Stat(filepath.Join(root, path))
		if err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w in the PATH %q", fs.ErrNotExist, variable(c.Environment, "PATH"))
}

// variable returns the last value of a variable.
func variable(environment []string, key string) (value string) {
	for _, e := range environment {
		if k, v, ok := strings.Cut(e, "="); ok && k == key {
			value = v
		}
	}
	return value
}
