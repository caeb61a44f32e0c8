package mesos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

const (
	// answer is how long a shim has for what it does at once.
	answer = 10 * time.Second

	// patience is how long a shim has to end its container before that is done
	// from outside.
	patience = 5 * time.Second
)

// container is one container as the agent sees it.
type container struct {
	id     *mesosv1.ContainerID
	folder string
	config *slave.ContainerConfig
	pid    int
	child  bool         // of this process, which has to take note of its end
	run    *shim.Config // nil once it is on its way, and of a recovered one

	writing sync.Mutex // one frame at a time
	control net.Conn   // ends with the shim; nil if it has ended before it was found

	mu          sync.Mutex
	input       net.Conn          // for attached input; nil if nobody has attached
	outputs     map[net.Conn]bool // of those attached to the output
	sink        func(*slave.ContainerTermination)
	released    bool
	termination *slave.ContainerTermination // nil as long as it lives
	ended       chan struct{}               // closed when it has ended and the sink was called
}

func newContainer(id *mesosv1.ContainerID, folder string) *container {
	return &container{id: id, folder: folder, outputs: map[net.Conn]bool{}, ended: make(chan struct{})}
}

// wait returns when the shim has ended. It is the container's only goroutine.
func (c *container) wait(log *slog.Logger) {
	_, err := io.Copy(io.Discard, c.control) // a shim says nothing here
	if c.isReleased() {
		return
	}
	if err != nil && !errors.Is(err, syscall.ECONNRESET) {
		log.Warn("the connection to a container broke", "container", key(c.id), "error", err)
	}
	if c.child {
		reap(c.pid)
	}
	termination := &slave.ContainerTermination{}
	if status, ok := readNumber(filepath.Join(c.folder, statusFile)); ok {
		termination.Status = proto.Int32(int32(status))
	} else {
		c.sweep()
	}
	c.end(termination)
}

// reap takes note of the end of a child, which is about to be.
func reap(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

func (c *container) end(termination *slave.ContainerTermination) {
	c.mu.Lock()
	c.termination = termination
	sink := c.sink
	c.sink = nil
	c.mu.Unlock()
	if sink != nil {
		sink(termination)
	}
	close(c.ended)
}

func (c *container) watch(ctx context.Context, sink func(*slave.ContainerTermination)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.termination != nil {
		go sink(c.termination)
		return
	}
	c.sink = sink
	context.AfterFunc(ctx, func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.sink = nil
	})
}

func (c *container) hasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.termination != nil
}

// start tells the shim what to run.
func (c *container) start(ctx context.Context) error {
	if c.run == nil {
		return fmt.Errorf("container %s was started before", key(c.id))
	}
	text, err := json.Marshal(c.run)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	c.run = nil
	return c.unlessEnded(c.tell(shim.Run, text))
}

// unlessEnded drops an error of the connection that is the end of the container,
// which is told otherwise.
func (c *container) unlessEnded(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// tell sends a frame to the shim.
func (c *container) tell(kind shim.Kind, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.control == nil {
		return syscall.EPIPE
	}
	if err := c.control.SetWriteDeadline(time.Now().Add(answer)); err != nil {
		return err
	}
	if err := shim.Write(c.control, kind, data); err != nil {
		return fmt.Errorf("tell the shim of container %s: %w", key(c.id), err)
	}
	return nil
}

// destroy asks the shim to end everything, and does it from outside where it does not.
func (c *container) destroy(ctx context.Context) error {
	if c.hasEnded() {
		<-c.ended // the sink is being called
		return nil
	}
	err := c.unlessEnded(c.tell(shim.Destroy, nil))
	timer := time.NewTimer(patience)
	defer timer.Stop()
	if err == nil {
		select {
		case <-c.ended:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
	}
	c.force()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("container %s does not end: process %d or one below it cannot be killed", key(c.id), c.pid), err)
	}
}

// release lets go of the container.
func (c *container) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.released, c.sink = true, nil
	if c.control != nil {
		_ = c.control.Close() // nothing was written that is not there
	}
	if c.input != nil {
		_ = c.input.Close()
	}
}

// detach ends the attachments to the output, which may not have been read to its end.
func (c *container) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.outputs {
		_ = conn.Close() // its reader is told the end
	}
}

func (c *container) isReleased() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.released
}

// dial connects to the shim. A path to a socket has at most 107 bytes, so it goes
// through the folder's descriptor.
func dial(folder string) (net.Conn, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketFile))
}
