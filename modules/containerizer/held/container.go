package held

import (
	"context"
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
	// answer is how long a holder has for what it does at once.
	answer = 10 * time.Second

	// patience is how long a holder has to end its container before that is done from
	// outside.
	patience = 5 * time.Second
)

// Container is one container as the agent sees it. What is exported does not change once
// it is launched, or recovered.
type Container struct {
	ID     *mesosv1.ContainerID
	Folder string
	Config *slave.ContainerConfig
	Run    []byte // what the Run frame carries

	holder int  // its process
	child  bool // of this process, which has to take note of its end

	started bool // it runs, or is on its way; guarded by writing

	writing sync.Mutex // one frame at a time
	control net.Conn   // ends with the holder; nil if it has ended before it was found

	mu          sync.Mutex
	input       net.Conn          // for attached input; nil if nobody has attached
	outputs     map[net.Conn]bool // of those attached to the output
	sink        func(*slave.ContainerTermination)
	released    bool
	termination *slave.ContainerTermination // nil as long as it lives
	ended       chan struct{}               // closed when it has ended and the sink was called
}

func newContainer(id *mesosv1.ContainerID, folder string) *Container {
	return &Container{ID: id, Folder: folder, outputs: map[net.Conn]bool{}, ended: make(chan struct{})}
}

// StatusFile is where the holder writes how the command has ended.
func (c *Container) StatusFile() string { return filepath.Join(c.Folder, statusFile) }

// Holder is the id of its process; 0 if it is not known.
func (c *Container) Holder() int { return c.holder }

// IsDebug says whether it is of the class DEBUG, which borrows everything of its parent.
func (c *Container) IsDebug() bool {
	return c.Config.GetContainerClass() == slave.ContainerClass_DEBUG
}

// LaunchInfo reads what it was launched with.
func (c *Container) LaunchInfo() (*slave.ContainerLaunchInfo, error) {
	launch := &slave.ContainerLaunchInfo{}
	found, err := readMessage(filepath.Join(c.Folder, launchInfoFile), launch)
	if err != nil || !found {
		return nil, errors.Join(fmt.Errorf("it is not known how container %s was launched", Key(c.ID)), err)
	}
	return launch, nil
}

// Outcome says how a container has ended whose holder has. The status is the command's,
// as wait gives it; nil: the holder has not said, and there may be processes left, which
// the function ends.
type Outcome func(c *Container, status *int32) *slave.ContainerTermination

// Follow waits in a goroutine for the end of the holder, which says nothing any more by
// itself.
func (c *Container) Follow(log *slog.Logger, outcome Outcome) {
	go func() {
		_, err := io.Copy(io.Discard, c.control)
		if c.isReleased() {
			return
		}
		if err != nil && !errors.Is(err, syscall.ECONNRESET) {
			log.Warn("the connection to a container broke", "container", Key(c.ID), "error", err)
		}
		if c.child {
			reap(c.holder)
		}
		c.end(outcome(c, c.status()))
	}()
}

// status is what the holder has said; nil if it has not.
func (c *Container) status() *int32 {
	if n, ok := ReadNumber(c.StatusFile()); ok {
		return proto.Int32(int32(n))
	}
	return nil
}

// reap takes note of the end of a child, which is about to be.
func reap(pid int) {
	for {
		if _, err := syscall.Wait4(pid, nil, 0, nil); !errors.Is(err, syscall.EINTR) {
			return
		}
	}
}

func (c *Container) end(termination *slave.ContainerTermination) {
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

// Watch names the receiver of the container's end, which is called once, until ctx ends.
func (c *Container) Watch(ctx context.Context, sink func(*slave.ContainerTermination)) {
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

// IsHeld says whether the holder is there now: it takes a connection.
func (c *Container) IsHeld() error {
	conn, err := dial(c.Folder)
	if err != nil {
		return fmt.Errorf("container %s has ended: %w", Key(c.ID), err)
	}
	return conn.Close()
}

// HasEnded says whether no process is left.
func (c *Container) HasEnded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.termination != nil
}

// UnlessEnded drops an error of the connection that is the end of the container, which
// is told otherwise.
func (c *Container) UnlessEnded(err error) error {
	if errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) {
		return nil
	}
	return err
}

// Tell sends a frame to the holder.
func (c *Container) Tell(kind shim.Kind, data []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	if c.control == nil {
		return syscall.EPIPE
	}
	if err := c.control.SetWriteDeadline(time.Now().Add(answer)); err != nil {
		return err
	}
	if err := shim.Write(c.control, kind, data); err != nil {
		return fmt.Errorf("tell the holder of container %s: %w", Key(c.ID), err)
	}
	return nil
}

// Ask sends a frame and returns the frame that answers. It is for what comes before
// Follow; when ctx ends nothing more can be asked.
func (c *Container) Ask(ctx context.Context, kind shim.Kind, data []byte) (shim.Kind, []byte, error) {
	stop := context.AfterFunc(ctx, func() { _ = c.control.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	if err := c.Tell(kind, data); err != nil {
		return 0, nil, err
	}
	kind, data, err := shim.Read(c.control)
	if ctx.Err() != nil {
		err = ctx.Err()
	}
	return kind, data, err
}

// Start tells the holder with a Run frame to let the container run.
func (c *Container) Start(ctx context.Context) error {
	c.writing.Lock()
	was := c.started
	c.started = was || ctx.Err() == nil
	c.writing.Unlock()
	switch {
	case was:
		return fmt.Errorf("container %s was started before", Key(c.ID))
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return c.UnlessEnded(c.Tell(shim.Run, c.Run))
	}
}

// Destroy asks the holder to end everything, and has force do it from outside where it
// does not. It returns when the container has ended and the receiver was told.
func (c *Container) Destroy(ctx context.Context, force func()) error {
	if c.HasEnded() {
		<-c.ended // the receiver is being told
		return nil
	}
	err := c.UnlessEnded(c.Tell(shim.Destroy, nil))
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
	force()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("container %s does not end: process %d or one below it cannot be killed", Key(c.ID), c.holder), err)
	}
}

// Abandon ends a holder that Follow does not watch yet, and waits for it.
func (c *Container) Abandon() {
	if c.control == nil {
		return
	}
	_ = c.control.Close() // which ends it
	slow := time.AfterFunc(patience, c.Kill)
	defer slow.Stop()
	reap(c.holder)
}

// Kill kills the holder, after all that descends from it.
func (c *Container) Kill() {
	if c.holder <= 1 || c.HasEnded() {
		return // as long as the connection stands, the id is the holder's
	}
	shim.KillBelow(c.holder)
	_ = syscall.Kill(c.holder, syscall.SIGKILL) // gone is as good
}

// Ended writes down how a nested container has ended, for the Watch of the next agent.
// It says whether anything is to be kept: of all others nothing is.
func (c *Container) Ended(termination *slave.ContainerTermination) (keep bool, err error) {
	c.Release()
	if c.ID.GetParent() == nil || c.IsDebug() {
		return false, nil
	}
	return true, writeMessage(filepath.Join(c.Folder, terminationFile), termination)
}

// Release lets go of the container.
func (c *Container) Release() {
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
func (c *Container) detach() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for conn := range c.outputs {
		_ = conn.Close() // its reader is told the end
	}
}

func (c *Container) isReleased() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.released
}

// dial connects to the holder. A path to a socket has at most 107 bytes, so it goes
// through the folder's descriptor.
func dial(folder string) (net.Conn, error) {
	f, err := os.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return net.Dial("unix", fmt.Sprintf("/proc/self/fd/%d/%s", f.Fd(), socketFile))
}
