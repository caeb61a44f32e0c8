package command

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// maxLine is the length of the longest limitation, in bytes.
const maxLine = 64 << 10

// watch is the program that watches one container.
type watch struct {
	ctx    context.Context
	cancel context.CancelFunc
	sink   func(*slave.ContainerLimitation)
	work   sync.WaitGroup
}

// newWatch returns one whose program is not started yet. It ends with ctx.
func newWatch(ctx context.Context, sink func(*slave.ContainerLimitation)) *watch {
	w := &watch{sink: sink}
	w.ctx, w.cancel = context.WithCancel(ctx)
	return w
}

// begin starts the program.
func (w *watch) begin(r *runner, words, variables []string, document []byte) error {
	if err := w.ctx.Err(); err != nil {
		return nil // nobody wants to be told any more
	}
	read, write, err := os.Pipe()
	if err != nil {
		return err
	}
	complaint := &tail{}
	cmd := r.command(w.ctx, words, variables)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(document), write, complaint
	handle := -1
	cmd.SysProcAttr.PidFD = &handle
	err = cmd.Start()
	_ = write.Close() // the program has its own
	r.runs.Add(1)
	if err != nil {
		_ = read.Close() // nothing is in it
		return r.failed(stepWatch, words, err, nil)
	}
	w.work.Go(func() {
		defer read.Close()
		ended := make(chan struct{})
		go func() {
			awaitEnd(cmd.Process.Pid, handle)
			_ = read.SetReadDeadline(time.Now().Add(linger)) // others may hold it open
			close(ended)
		}()
		defer context.AfterFunc(w.ctx, func() { _ = read.SetReadDeadline(time.Unix(1, 0)) })()
		limitation, err := w.receive(read)
		if limitation != nil || err != nil {
			killGroup(cmd.Process.Pid)
		}
		<-ended
		killGroup(cmd.Process.Pid)
		exit := cmd.Wait()
		switch {
		case w.ctx.Err() != nil:
			return
		case limitation != nil:
		case err == nil:
			err = exit
		}
		if err != nil {
			limitation = &slave.ContainerLimitation{
				Message: proto.String(fmt.Sprintf("The container is watched no more: %v", r.failed(stepWatch, words, err, complaint)))}
		}
		if limitation != nil {
			w.tell(limitation)
		}
	})
	return nil
}

// receive returns the first limitation; nil if the output ends without one.
func (w *watch) receive(from *os.File) (*slave.ContainerLimitation, error) {
	lines := bufio.NewReaderSize(from, maxLine)
	for {
		line, err := lines.ReadSlice('\n')
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return nil, fmt.Errorf("a line of its output is longer than %d bytes", maxLine)
		case len(bytes.TrimSpace(line)) > 0:
			limitation := &slave.ContainerLimitation{}
			if err := mesosjson.Unmarshal(line, limitation); err != nil {
				return nil, fmt.Errorf("a line of its output: %w", err)
			}
			return limitation, nil
		case err != nil: // its end, or nobody waits for it any more
			return nil, nil
		}
	}
}

func (w *watch) tell(l *slave.ContainerLimitation) {
	if l.Reason == nil {
		l.Reason = mesosv1.TaskStatus_REASON_CONTAINER_LIMITATION.Enum()
	}
	if l.Message == nil {
		l.Message = proto.String("The operator's program says so")
	}
	w.sink(l)
}

// stop ends the program and returns when the sink will not be called any more.
func (w *watch) stop() {
	if w == nil {
		return
	}
	w.cancel()
	w.work.Wait()
}
