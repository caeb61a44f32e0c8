package execute

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/v1client"
)

const (
	// chunk is how much of a file is asked for at a time.
	chunk = 256 << 10

	// A file is asked for again after the first of these, then ever later up to the second, as long as it does not grow.
	fastest = 20 * time.Millisecond
	slowest = 500 * time.Millisecond

	// lastReads bounds how long the end of a task's output is waited for.
	lastReads = 30 * time.Second
)

// follower shows what a task writes to its stdout and stderr, as both grow.
type follower struct {
	client *v1client.Client
	screen *screen
	files  map[string]*lines // path -> where it is shown
	order  []string          // of the paths
	task   string

	cancel context.CancelFunc
	ended  chan struct{} // closed when the task has ended
	once   sync.Once
	both   sync.WaitGroup
}

func (s *scheduler) newFollower(task string) *follower {
	f := &follower{screen: s.screen, task: task, ended: make(chan struct{}), cancel: func() {}}
	prefix := ""
	if len(s.work.tasks) > 1 {
		prefix = "[" + task + "] "
	}
	sandbox := s.sandbox(task)
	f.order = []string{sandbox + "/stdout", sandbox + "/stderr"}
	f.files = map[string]*lines{
		f.order[0]: {screen: s.screen, to: s.screen.stdout, prefix: prefix},
		f.order[1]: {screen: s.screen, to: s.screen.stderr, prefix: prefix},
	}
	client, err := v1client.New(v1client.Config{Endpoint: s.agentURL + "/api/v1", Authenticate: s.flags.authentication()})
	if err != nil {
		s.screen.warn("the output of task %s cannot be shown: %v", task, err)
		f.order = nil
	}
	f.client = client
	return f
}

// start begins to read. The reading ends with ctx, or after last.
func (f *follower) start(ctx context.Context) {
	ctx, f.cancel = context.WithCancel(ctx)
	for _, path := range f.order {
		f.both.Go(func() { f.follow(ctx, path) })
	}
}

// last says that the task has ended: what is there is shown, and no more waited for.
func (f *follower) last() { f.once.Do(func() { close(f.ended) }) }

// wait returns when all is shown.
func (f *follower) wait() {
	f.both.Wait()
	f.cancel()
	if f.client != nil {
		f.client.Close()
	}
}

func (f *follower) follow(ctx context.Context, path string) {
	to := f.files[path]
	defer to.end()
	var offset uint64
	pause := fastest
	ended := f.ended
	for ctx.Err() == nil {
		data, err := f.read(ctx, path, offset)
		if len(data) > 0 {
			to.write(data)
			offset += uint64(len(data))
			pause = fastest
			continue
		}
		if ended == nil { // it had ended before this read
			if err != nil && ctx.Err() == nil && !missing(err) {
				f.screen.warn("the output of task %s may not be whole: %v", f.task, err)
			}
			return
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
			pause = min(2*pause, slowest)
		case <-ended:
			ended = nil
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, lastReads)
			defer cancel()
		}
		timer.Stop()
	}
}

// read asks for what comes after offset; nothing at the end of the file.
func (f *follower) read(ctx context.Context, path string, offset uint64) ([]byte, error) {
	answer := &agentv1.Response{}
	err := f.client.Call(ctx, &agentv1.Call{Type: agentv1.Call_READ_FILE.Enum(), ReadFile: &agentv1.Call_ReadFile{
		Path: proto.String(path), Offset: proto.Uint64(offset), Length: proto.Uint64(chunk),
	}}, answer, nil)
	if err != nil {
		return nil, err
	}
	return answer.GetReadFile().GetData(), nil
}

// missing says whether an error means that there is no such file: the task has written none.
func missing(err error) bool {
	var status *v1client.StatusError
	return errors.As(err, &status) && (status.Code == http.StatusNotFound || status.Code == http.StatusBadRequest)
}
