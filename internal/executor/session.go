package executor

import (
	"context"
	"crypto/rand"
	"slices"
	"sync"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	executorv1 "github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/v1client"
)

// Session is an executor's connection to its agent over all restarts of the agent, and the books of what it owes:
// tasks and status updates that the agent has not acknowledged. Updates are sent in order, one at a time; what a
// connection did not carry, the next SUBSCRIBE does. Update and Launched may be called from any goroutine, and wait
// for nothing.
type Session struct {
	// Disconnected is called when the agent has gone, and so before the next SUBSCRIBED. It may be nil, and is set before
	// Run.
	Disconnected func()

	env    Environment
	client *v1client.Executor
	warn   func(format string, args ...any)
	wake   chan struct{} // holds one when the sender has something to look at

	mu        sync.Mutex
	connected bool
	epoch     int // number of the subscription
	tasks     []*mesosv1.TaskInfo
	updates   []*executorv1.Call_Update // sent and unsent, oldest first
	unsent    int                       // index in updates
}

// NewSession makes a session. warn is told what goes wrong and is not an end; it is called from several goroutines.
func NewSession(env Environment, warn func(format string, args ...any)) (*Session, error) {
	s := &Session{env: env, warn: warn, wake: make(chan struct{}, 1)}
	client, err := v1client.NewExecutor(v1client.ExecutorConfig{
		Config: env.Client("/api/v1/executor"), FrameworkID: env.FrameworkID, ExecutorID: env.ExecutorID,
		Recovery: env.Recovery, Backoff: env.Backoff, Owed: s.owed, Disconnected: s.disconnected,
	})
	if err != nil {
		return nil, err
	}
	s.client = client
	return s, nil
}

// Run connects, and hands every event to handle, acknowledgements and SUBSCRIBED after they are in the books. It returns
// as [v1client.Executor.Run] does; then nothing is sent any more.
func (s *Session) Run(ctx context.Context, handle func(*executorv1.Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	var sender sync.WaitGroup
	sender.Go(func() { s.send(ctx) })
	defer func() {
		cancel()
		sender.Wait()
		s.client.Close()
	}()
	return s.client.Run(ctx, func(event *executorv1.Event) error {
		switch event.GetType() {
		case executorv1.Event_SUBSCRIBED:
			s.subscribed()
		case executorv1.Event_ACKNOWLEDGED:
			s.acknowledged(event.GetAcknowledged())
		default: // concerns the executor alone
		}
		return handle(event)
	})
}

// Launched enters a task that the agent has sent. The task must not be changed any more.
func (s *Session) Launched(task *mesosv1.TaskInfo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tasks = append(s.tasks, task)
}

// Update sends a status, now or when there is an agent again, and returns its new uuid. It completes the status: source,
// executor, timestamp and uuid. The status must not be changed any more.
func (s *Session) Update(status *mesosv1.TaskStatus) []byte {
	status.Source = mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum()
	status.ExecutorId = s.env.ExecutorID
	status.Timestamp = new(float64(time.Now().UnixMicro()) / 1e6)
	status.Uuid = NewUUID()
	s.mu.Lock()
	s.updates = append(s.updates, &executorv1.Call_Update{Status: status})
	s.mu.Unlock()
	s.rouse()
	return status.Uuid
}

// NewUUID returns the 16 bytes of a random UUID, version 4.
func NewUUID() []byte {
	id := make([]byte, 16)
	_, _ = rand.Read(id) // it does not fail
	id[6], id[8] = id[6]&0x0f|0x40, id[8]&0x3f|0x80
	return id
}

// Owing is how many updates are not acknowledged.
func (s *Session) Owing() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.updates)
}

func (s *Session) rouse() {
	select {
	case s.wake <- struct{}{}:
	default: // it will look anyway
	}
}

func (s *Session) owed() *executorv1.Call_Subscribe {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.epoch++
	s.connected = false
	s.unsent = len(s.updates) // the SUBSCRIBE carries them
	return &executorv1.Call_Subscribe{UnacknowledgedTasks: slices.Clone(s.tasks), UnacknowledgedUpdates: slices.Clone(s.updates)}
}

func (s *Session) subscribed() {
	s.mu.Lock()
	s.connected = true
	s.mu.Unlock()
	s.rouse()
}

func (s *Session) disconnected(error) {
	s.mu.Lock()
	s.connected = false
	s.mu.Unlock()
	if s.Disconnected != nil {
		s.Disconnected()
	}
}

// acknowledged takes an update out of the books, and with it its task: the agent knows of it.
func (s *Session) acknowledged(ack *executorv1.Event_Acknowledged) {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := ack.GetTaskId().GetValue()
	s.tasks = slices.DeleteFunc(s.tasks, func(t *mesosv1.TaskInfo) bool { return t.GetTaskId().GetValue() == id })
	i := slices.IndexFunc(s.updates, func(u *executorv1.Call_Update) bool {
		return u.GetStatus().GetTaskId().GetValue() == id && string(u.GetStatus().GetUuid()) == string(ack.GetUuid())
	})
	if i < 0 {
		return
	}
	s.updates = slices.Delete(s.updates, i, i+1)
	if i < s.unsent {
		s.unsent--
	}
}

// send is the goroutine that sends updates.
func (s *Session) send(ctx context.Context) {
	wait := newBackoff(s.env.Backoff)
	for ctx.Err() == nil {
		update, epoch := s.next()
		if update == nil {
			select {
			case <-ctx.Done():
				return
			case <-s.wake:
				continue
			}
		}
		err := s.client.Call(ctx, &executorv1.Call{Type: executorv1.Call_UPDATE.Enum(), Update: update})
		if v1client.IsTemporary(err) {
			wait.pause(ctx)
			continue
		}
		if err != nil && ctx.Err() == nil {
			s.warn("the agent refused %v of task %s: %v", update.GetStatus().GetState(), update.GetStatus().GetTaskId().GetValue(), err)
		}
		wait.reset()
		s.sent(update, epoch)
	}
}

func (s *Session) next() (*executorv1.Call_Update, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.connected || s.unsent == len(s.updates) {
		return nil, 0
	}
	return s.updates[s.unsent], s.epoch
}

// sent moves on, unless that has happened already: the acknowledgement was faster, or a new subscription carried all.
func (s *Session) sent(update *executorv1.Call_Update, epoch int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if epoch == s.epoch && s.unsent < len(s.updates) && s.updates[s.unsent] == update {
		s.unsent++
	}
}

// backoff grows from a hundredth of a second to its bound.
type backoff struct{ least, most, now time.Duration }

func newBackoff(most time.Duration) *backoff {
	least := min(10*time.Millisecond, max(most, time.Millisecond))
	return &backoff{least: least, most: max(most, least), now: least}
}

func (b *backoff) reset() { b.now = b.least }

func (b *backoff) pause(ctx context.Context) {
	timer := time.NewTimer(b.now)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
	b.now = min(2*b.now, b.most)
}
