package shim

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// The numbers of the files that the shim inherits besides its input and output: the
// listening socket, and the mount namespace that the command enters, if it enters one.
const (
	Socket     = 3
	MountsFile = 4
)

// failed is the status of a command that could not be run.
const failed = 1 << 8

// again is how often processes are killed that do not end.
const again = 100 * time.Millisecond

// Main is the program: "launch" is the shim itself, "furnish" makes the mounts of its
// mount namespace, and "execute" is what it puts before a command whose process needs
// more than a fork can set. It returns the exit status.
func Main(arguments []string) int {
	if len(arguments) == 0 {
		fmt.Fprintln(os.Stderr, "mesos-containerizer is started by the agent for each container; it is nothing to run by hand")
		return 2
	}
	switch arguments[0] {
	case "launch":
		return launch()
	case "furnish":
		return furnish()
	case "execute":
		return execute(arguments[1:])
	default:
		fmt.Fprintf(os.Stderr, "mesos-containerizer: there is no %q; there are launch, furnish and execute\n", arguments[0])
		return 2
	}
}

// shim is the state of the process. Only the main loop touches it, but for io, which
// has a lock of its own.
type shim struct {
	config    *Config
	commands  chan frame
	children  chan os.Signal
	ended     chan os.Signal
	io        *terminal
	processes processes
	status    *os.File // where the end of the command is written; open, because its folder may not be seen then

	waiting    []step           // what is to be done before the command, and has not been
	running    int              // the process whose end is waited for: one of those, or the command
	main       int              // the command's process; 0 before it is there and once it has ended
	signals    []syscall.Signal // for the command, once it is there
	done       bool             // the command has ended, or will not be run
	destroying bool
}

// step is a process that runs before the command.
type step struct {
	what  string
	start func() (int, error)
}

// frame is what came over a connection; closed says that the connection has ended.
type frame struct {
	kind   Kind
	data   []byte
	closed bool
}

func launch() int {
	s := &shim{
		commands: make(chan frame),
		children: make(chan os.Signal, 1),
		ended:    make(chan os.Signal, 1),
	}
	signal.Notify(s.children, syscall.SIGCHLD)
	signal.Notify(s.ended, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return complain("become the parent of the container's orphans", err)
	}
	keepToItself()
	var err error
	if s.processes, err = ownProcesses(); err != nil {
		return complain("look at the processes of the container", err)
	}
	s.io = newTerminal()
	go s.serve()
	return s.loop()
}

// loop is everything the shim does, one thing at a time.
func (s *shim) loop() int {
	for {
		var tick <-chan time.Time
		if s.destroying || s.done {
			tick = time.After(again)
		}
		select {
		case f := <-s.commands:
			if f.closed && s.config == nil {
				return 0 // the agent went before it said what to run
			}
			s.take(f)
		case <-s.ended:
			s.destroy()
		case <-s.children:
		case <-tick:
			s.kill()
		}
		if left := s.reap(); !left && s.done {
			s.io.drain()
			return 0
		}
		if s.destroying && s.config == nil {
			return 0
		}
	}
}

func (s *shim) take(f frame) {
	if f.closed {
		return
	}
	switch f.kind {
	case Run:
		s.run(f.data)
	case Signal:
		if len(f.data) == 1 {
			s.signals = append(s.signals, syscall.Signal(f.data[0]))
			s.signal()
		}
	case Destroy:
		s.destroy()
	}
}

// run begins the container.
func (s *shim) run(data []byte) {
	if s.config != nil || s.destroying {
		return
	}
	c := &Config{}
	err := json.Unmarshal(data, c)
	s.config = c
	if err == nil && c.StatusFile != "" {
		s.status, err = os.OpenFile(c.StatusFile, os.O_CREATE|os.O_WRONLY|os.O_EXCL, 0o600)
	}
	if err != nil {
		s.give("read what to run", err)
		return
	}
	s.waiting = s.steps()
	s.next()
}

// steps are what comes before the command.
func (s *shim) steps() (all []step) {
	if s.config.MountNamespace {
		all = append(all, step{"prepare the container's files", s.furnish})
	}
	for _, c := range s.config.Before {
		all = append(all, step{"run " + c.Path + ", which comes before the command", func() (int, error) { return s.start(c) }})
	}
	return all
}

// next starts the next of the commands that come before, or the command.
func (s *shim) next() {
	if s.done || s.destroying {
		s.done = true
		return
	}
	if len(s.waiting) > 0 {
		first := s.waiting[0]
		pid, err := first.start()
		if err != nil {
			s.give(first.what, err)
			return
		}
		s.running = pid
		return
	}
	pid, err := s.startMain()
	if err != nil {
		s.give("run "+s.config.Command.Path, err)
		return
	}
	s.running, s.main = pid, pid
	s.signal()
}

// signal sends the command what has come for it; before it is there, that waits.
func (s *shim) signal() {
	if s.main == 0 {
		return
	}
	for _, one := range s.signals {
		_ = syscall.Kill(s.main, one) // it is not reaped: it is there
	}
	s.signals = nil
}

// give says why the command will not run, and makes that its end.
func (s *shim) give(what string, err error) {
	complain(what, err)
	s.finish(failed)
}

// complain writes to the container's standard error.
func complain(what string, err error) int {
	fmt.Fprintf(os.Stderr, "Failed to %s: %v\n", what, err)
	return 1
}

// finish is the end of the container's command.
func (s *shim) finish(status syscall.WaitStatus) {
	s.done, s.main, s.running = true, 0, 0
	if s.status != nil {
		// One write: there is the whole number, or none.
		if _, err := s.status.WriteString(strconv.Itoa(int(status))); err != nil {
			complain("write down how the command ended", err)
		}
	}
	s.kill()
}

func (s *shim) destroy() {
	s.destroying = true
	if s.running == 0 {
		s.done = true
	}
	s.kill()
}

// reap takes the ends of all children that have ended, and says whether any is left.
func (s *shim) reap() (left bool) {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, syscall.WNOHANG, nil)
		switch {
		case errors.Is(err, syscall.EINTR):
		case err != nil: // no child is left
			return false
		case pid == 0:
			return true
		default:
			s.reaped(pid, status)
		}
	}
}

func (s *shim) reaped(pid int, status syscall.WaitStatus) {
	switch {
	case pid == s.main:
		s.finish(status)
	case pid == s.running: // one of those before
		s.running = 0
		first := s.waiting[0]
		s.waiting = s.waiting[1:]
		if status != 0 && !s.destroying {
			s.give(first.what, fmt.Errorf("it ended with wait status %d", status))
			return
		}
		s.next()
	case s.destroying || s.done:
		s.kill() // its children have become ours
	}
}
