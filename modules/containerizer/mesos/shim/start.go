package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
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
	path, err := lookUp(c)
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
	attributes := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if !c.staged() {
		path, err := lookUp(c.Command)
		if err != nil {
			return 0, err
		}
		if c.User != nil {
			attributes.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID, Groups: c.User.Groups}
		}
		return s.io.fork(c, program{path: path, arguments: c.Command.Arguments, folder: c.Directory}, attributes)
	}
	self, text, err := s.second(stage{
		Path: c.Command.Path, Root: c.Root, Pivot: c.MountNamespace && c.Root != "", Enter: c.EnterMounts, EnterRoot: c.EnterRoot, Directory: c.Directory,
		Terminal: c.Terminal, User: c.User, Limits: c.Limits, Capabilities: c.Capabilities, NoNewPrivileges: c.NoNewPrivileges,
	})
	if err != nil {
		return 0, err
	}
	defer text.Close()
	p := program{path: self, arguments: append([]string{"mesos-containerizer", "execute"}, c.Command.Arguments...),
		folder: "/", files: []uintptr{text.Fd()}}
	if c.EnterMounts {
		p.files = append(p.files, MountsFile)
	}
	return s.io.fork(c, p, attributes)
}

// staged says whether the command's process has to do more to itself than a fork does.
func (c *Config) staged() bool {
	return c.Root != "" || c.EnterMounts || len(c.Limits) > 0 || c.Capabilities != nil || c.NoNewPrivileges
}

// furnish starts what makes the container's mounts.
func (s *shim) furnish() (int, error) {
	c := s.config
	root := c.Root
	self, text, err := s.second(furniture{Root: root, Mounts: c.Mounts, Operations: c.Operations, Masked: c.Masked})
	if err != nil {
		return 0, err
	}
	defer text.Close()
	return syscall.ForkExec(self, []string{"mesos-containerizer", "furnish"}, &syscall.ProcAttr{
		Dir: "/", Env: frugal(), Files: []uintptr{0, 1, 2, text.Fd()},
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
}

// second is this program once more, with a file that tells it what to do.
func (s *shim) second(what any) (self string, text *os.File, err error) {
	if self, err = os.Readlink("/proc/self/exe"); err != nil {
		return "", nil, err
	}
	data, err := json.Marshal(what)
	if err != nil {
		return "", nil, err
	}
	fd, err := unix.MemfdCreate("description", unix.MFD_CLOEXEC)
	if err != nil {
		return "", nil, err
	}
	text = os.NewFile(uintptr(fd), "description")
	if _, err := text.Write(data); err != nil {
		return "", nil, errors.Join(err, text.Close())
	}
	_, err = text.Seek(0, io.SeekStart)
	return self, text, err
}

// The files of a second program.
const (
	descriptionFile = 3
	enterFile       = 4
)

// described reads what the program is to do.
func described(what any) error {
	f := os.NewFile(descriptionFile, "description")
	defer f.Close()
	return json.NewDecoder(f).Decode(what)
}

// frugal is the environment in which a Go program starts fastest.
func frugal() []string {
	return []string{"GOMAXPROCS=1", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}
}

// lookUp finds the program as execvp does.
func lookUp(c Command) (string, error) {
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
		info, err := os.Stat(path)
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
