package held

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
)

// frugal is the holder's own environment: it starts faster when it does not ask how many
// processors it may use.
var frugal = []string{"GOMAXPROCS=1", "GODEBUG=containermaxprocs=0,updatemaxprocs=0"}

// Make makes the folder and writes down what the container is launched with.
func (c *Container) Make(config *slave.ContainerConfig, launch *slave.ContainerLaunchInfo) error {
	c.Config = config
	if err := os.MkdirAll(filepath.Dir(c.Folder), 0o700); err != nil {
		return err
	}
	if err := os.Mkdir(c.Folder, 0o700); err != nil {
		return err
	}
	return errors.Join(writeMessage(filepath.Join(c.Folder, configFile), config),
		writeMessage(filepath.Join(c.Folder, launchInfoFile), launch))
}

// Program is what becomes a holder.
type Program struct {
	Path      string
	Arguments []string   // with the program's name as the first
	Inherited []*os.File // behind the socket; they stay the caller's

	// Start makes the process; nil: syscall.ForkExec. os.StartProcess is not for that: a
	// process of its kind waits in a thread.
	Start func(path string, arguments []string, attr *syscall.ProcAttr) (pid int, err error)
}

// Fork makes the holder. Files are what the container logger wants as its input and
// output.
func (c *Container) Fork(program Program, files *slave.ContainerIO) error {
	opened, err := open(files)
	defer func() {
		for _, f := range opened {
			_ = f.Close() // the holder has its own
		}
	}()
	if err != nil {
		return err
	}
	listener, err := listen(c.Folder)
	if err != nil {
		return fmt.Errorf("listen for the holder: %w", err)
	}
	opened = append(opened, listener)
	control, err := dial(c.Folder)
	if err != nil {
		return err
	}
	var descriptors []uintptr
	for _, f := range slices.Concat(opened, program.Inherited) {
		descriptors = append(descriptors, f.Fd())
	}
	start := program.Start
	if start == nil {
		start = syscall.ForkExec
	}
	pid, err := start(program.Path, program.Arguments, &syscall.ProcAttr{
		Dir: "/", Env: frugal, Files: descriptors, Sys: &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return errors.Join(fmt.Errorf("start %s: %w; launcher_dir names its folder", program.Path, err), control.Close())
	}
	c.control, c.holder, c.child = control, pid, true
	if err := Replace(filepath.Join(c.Folder, pidFile), []byte(strconv.Itoa(pid))); err != nil {
		c.Abandon()
		return err
	}
	return nil
}

// open returns the files for standard input, output and error.
func open(files *slave.ContainerIO) (opened []*os.File, err error) {
	for i, io := range []*slave.ContainerIO_IO{files.GetIn(), files.GetOut(), files.GetErr()} {
		path, flag := os.DevNull, os.O_RDWR
		if io != nil {
			if io.GetType() != slave.ContainerIO_IO_PATH {
				return opened, fmt.Errorf("the container logger wants %v for input or output; this containerizer knows PATH", io.GetType())
			}
			// A link could have been laid there by who owned the folder before. A pipe
			// that nobody reads any more is an error, and not for ever.
			path, flag = io.GetPath(), os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NOFOLLOW|syscall.O_NONBLOCK
			if i == 0 {
				flag = os.O_RDONLY | syscall.O_NOFOLLOW
			}
		}
		f, err := os.OpenFile(path, flag, 0o644)
		if err != nil {
			return opened, err
		}
		opened = append(opened, f)
		if err := unix.SetNonblock(int(f.Fd()), false); err != nil { // the container expects to wait
			return opened, err
		}
	}
	return opened, nil
}

// listen makes the socket that the holder inherits.
func listen(folder string) (*os.File, error) {
	dir, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), socketFile)
	address := &unix.SockaddrUnix{Name: fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), socketFile)}
	if err := errors.Join(unix.Bind(fd, address), unix.Listen(fd, 128)); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}
