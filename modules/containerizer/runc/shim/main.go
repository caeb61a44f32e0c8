package shim

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"strconv"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	frames "github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

const (
	// failed is the status of a command that could not be run.
	failed = syscall.WaitStatus(1 << 8)

	// again is how often processes are killed that do not end.
	again = 100 * time.Millisecond
)

// errDestroyed is why the container's context ends.
var errDestroyed = errors.New("the container is destroyed")

// holder is the state of the process.
type holder struct {
	config   Config // set before anybody but hold uses it
	io       *frames.IO
	children *processes
	wanted   chan request  // the Create frame
	run      chan struct{} // closed by the Run frame
	memory   string        // folder of the memory's control group; empty: not known

	ctx     context.Context // ends when the container is to be destroyed
	destroy context.CancelCauseFunc

	mu      sync.Mutex
	running bool             // the Run frame has come
	started bool             // the command has been started
	signals []syscall.Signal // for the command, that came before
}

// request is a Create frame with the connection on which it is answered.
type request struct {
	data   []byte
	answer *os.File
}

// Main is the program. It returns the exit status.
func Main() int {
	if _, err := unix.FcntlInt(frames.Socket, unix.F_GETFD, 0); err != nil {
		fmt.Fprintln(os.Stderr, "mesos-runc-shim is started by the agent for each container; it is nothing to run by hand")
		return 2
	}
	h := &holder{children: newProcesses(), wanted: make(chan request, 1), run: make(chan struct{}), io: frames.NewIO(true)}
	h.ctx, h.destroy = context.WithCancelCause(context.Background())
	children, ended := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(children, syscall.SIGCHLD)
	signal.Notify(ended, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	if err := alone(); err != nil {
		return complain("keep to itself", err)
	}
	go func() {
		<-ended
		h.destroy(errDestroyed)
	}()
	go func() {
		for range children {
			h.children.reap()
		}
	}()
	go h.serve()
	return h.hold()
}

// alone makes the shim the parent of the container's orphans, keeps its files from what it
// runs, and its mounts from the host.
func alone() error {
	return errors.Join(
		unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0),
		unix.CloseRange(frames.Socket, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC),
		unix.Mount("", "/", "", unix.MS_SLAVE|unix.MS_REC, ""),
	)
}

// complain writes to the container's standard error.
func complain(what string, err error) int {
	fmt.Fprintf(os.Stderr, "Failed to %s: %v\n", what, err)
	return 1
}

// hold is the shim's life.
func (h *holder) hold() int {
	var asked request
	select {
	case asked = <-h.wanted:
	case <-h.ctx.Done():
		return 0
	}
	begin, err := h.prepare(asked.data)
	if err != nil {
		h.clear()
		_ = frames.Write(asked.answer, Failed, []byte(err.Error())) // else nobody is there to hear it
		return 1
	}
	first := h.children.firstOr(os.Getpid())
	if err := frames.Write(asked.answer, Created, []byte(strconv.Itoa(first))); err != nil {
		h.destroy(err)
	}
	select {
	case <-h.run:
		h.live(begin)
	case <-h.ctx.Done():
		h.clear()
	}
	return 0
}

// prepare makes all there is before the start, and returns the start.
func (h *holder) prepare(data []byte) (begin func() error, err error) {
	if err := json.Unmarshal(data, &h.config); err != nil {
		return nil, fmt.Errorf("read what to hold: %w", err)
	}
	if err := os.Chdir(h.config.Folder); err != nil {
		return nil, err
	}
	if h.config.Debug {
		return h.exec, nil
	}
	h.io.Hurry()
	err = h.create()
	if unrunnable := (*notRunnable)(nil); errors.As(err, &unrunnable) {
		return func() error { return errSaid }, nil // which is the command's end, not that of the launch
	}
	return h.start, err
}

// live starts the command and writes down how it ends.
func (h *holder) live(begin func() error) {
	status, known := failed, true
	err := begin()
	switch {
	case err == nil:
		h.flush()
		select {
		case status = <-h.children.ended:
		case <-h.ctx.Done():
			known = false
		}
	case h.ctx.Err() != nil: // the start was broken off
		known = false
	case !errors.Is(err, errSaid):
		complain("run "+h.config.Program, err)
	}
	h.noteMemory()
	if known {
		h.write(status)
	}
	h.clear()
	if !known && len(h.children.ended) > 0 {
		h.write(<-h.children.ended)
	}
	h.io.Drain()
}

// write is atomic: there is the whole number, or none.
func (h *holder) write(status syscall.WaitStatus) {
	part := h.config.StatusFile + ".part"
	err := os.WriteFile(part, []byte(strconv.Itoa(int(status))), 0o600)
	if err == nil {
		err = os.Rename(part, h.config.StatusFile)
	}
	if err != nil {
		complain("write down how the command ended", err)
	}
}

// signal sends the command a signal; before it is there, that waits.
func (h *holder) signal(one syscall.Signal) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.started {
		h.signals = append(h.signals, one)
		return
	}
	h.children.signal(one)
}

// flush sends the signals that have waited.
func (h *holder) flush() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.started = true
	for _, one := range h.signals {
		h.children.signal(one)
	}
	h.signals = nil
}

// clear kills until nobody is left. The runtime stops a whole container at once, so that
// what multiplies cannot outrun it; the rest are the shim's own descendants.
func (h *holder) clear() {
	for round := 0; h.children.reap(); round++ {
		if !h.config.Debug && round%20 == 0 {
			h.killAll()
		}
		frames.KillBelow(os.Getpid())
		time.Sleep(min(again, time.Millisecond<<min(round, 10)))
	}
}
