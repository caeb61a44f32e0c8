package logrotate

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerlogger/logrotate/rotate"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// opening is how long the containerizer may take to open the output of a container that
// is prepared. A process whose pipes nobody opens ends then.
const opening = time.Minute

// logger starts a process for each container. They outlive it.
//
// What a container writes to are two named pipes in a folder of the module's own. A path
// can be handed to every containerizer, whichever way it is carried.
type logger struct {
	program, state, prefix string
	standard               settings
	log                    *slog.Logger
	lost, faults           facade.Counter
	work                   sync.WaitGroup

	mu      sync.Mutex
	running map[*process]bool
	closed  bool
}

var (
	_ containerlogger.ContainerLogger = (*logger)(nil)
	_ facade.Closer                   = (*logger)(nil)
)

// Prepare starts the process, and returns when it has everything open.
func (l *logger) Prepare(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerIO, error) {
	files, err := l.prepare(ctx, id, config)
	if err != nil {
		return nil, fmt.Errorf("the output of container %s: %w", id.GetValue(), err)
	}
	return files, nil
}

func (l *logger) prepare(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerIO, error) {
	s, unknown, err := l.standard.of(l.prefix, config)
	if err != nil {
		return nil, err
	}
	for _, line := range unknown {
		l.log.Warn("an option of logrotate has no effect here", "container", id.GetValue(), "option", line)
	}
	owner, err := userOf(config.GetUser())
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp(l.state, "pipes-")
	if err != nil {
		return nil, err
	}
	run := rotate.Config{User: owner, Wait: opening}
	for n, stream := range []string{"stdout", "stderr"} {
		one := rotate.Stream{Pipe: filepath.Join(folder, stream), File: filepath.Join(config.GetDirectory(), stream),
			MaxSize: int64(s[n].size), MaxFiles: s[n].files, Compress: s[n].compress}
		if err := makePipe(one.Pipe, owner); err != nil {
			return nil, errors.Join(err, os.RemoveAll(folder))
		}
		run.Streams = append(run.Streams, one)
	}
	if err := l.start(ctx, id, run, folder); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	return &slave.ContainerIO{Out: path(run.Streams[0].Pipe), Err: path(run.Streams[1].Pipe)}, nil
}

func path(p string) *slave.ContainerIO_IO {
	return &slave.ContainerIO_IO{Type: slave.ContainerIO_IO_PATH.Enum(), Path: proto.String(p)}
}

// makePipe makes a pipe that the container's user may open again, as /dev/stdout.
func makePipe(path string, owner *rotate.User) error {
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return fmt.Errorf("make the pipe %s: %w", path, err)
	}
	if owner == nil {
		return nil
	}
	return os.Chown(path, owner.UID, owner.GID)
}

// start begins the process and waits until it is ready.
func (l *logger) start(ctx context.Context, id *mesosv1.ContainerID, run rotate.Config, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	p, err := fork(l.program, run, folder)
	if err != nil {
		return err
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		p.kill()
		return errors.New("the logger is closed")
	}
	l.running[p] = true
	l.mu.Unlock()
	ready := make(chan error, 1)
	l.work.Go(func() {
		p.listen(ready, listener{l, id.GetValue()})
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.running, p)
	})
	err = waitFor(ctx, ready)
	if err != nil {
		p.kill()
	}
	return err
}

// starting is how long a process has to be ready.
const starting = 30 * time.Second

func waitFor(ctx context.Context, ready chan error) error {
	timer := time.NewTimer(starting)
	defer timer.Stop()
	select {
	case err := <-ready:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return fmt.Errorf("%s is not ready after %v", Program, starting)
	}
}

// listener counts and logs what the process of one container says.
type listener struct {
	*logger
	container string
}

func (l listener) lostBytes(n float64, why string) {
	l.lost.Add(n)
	l.log.Warn("output of a container was lost", "container", l.container, "bytes", int64(n), "error", why)
}

func (l listener) fault(text string) {
	l.faults.Add(1)
	l.log.Warn("something is wrong with the output of a container", "container", l.container, "error", text)
}

// Close lets go of the processes; they go on.
func (l *logger) Close(context.Context) error {
	l.mu.Lock()
	l.closed = true
	for p := range l.running {
		p.release()
	}
	l.mu.Unlock()
	l.work.Wait()
	return nil
}

// sweep removes the pipes that an agent which was killed has left. Those of containers
// that are about to be launched are younger than a process waits for.
func (l *logger) sweep() error {
	all, err := filepath.Glob(filepath.Join(l.state, "pipes-*"))
	if err != nil {
		return err
	}
	var errs []error
	for _, folder := range all {
		info, err := os.Stat(folder)
		if err == nil && time.Since(info.ModTime()) > 2*opening {
			errs = append(errs, os.RemoveAll(folder))
		}
	}
	return errors.Join(errs...)
}
