package v1client

import (
	"context"
	"errors"
	"net/http"
	"sync"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// ErrNotSubscribed says that a call other than SUBSCRIBE was made without a stream.
var ErrNotSubscribed = errors.New("not subscribed")

// Scheduler speaks the scheduler API. Its methods may be called from any number of goroutines.
type Scheduler struct {
	client *Client

	mu     sync.Mutex
	stream string               // id of the last stream; empty before the first
	id     *mesosv1.FrameworkID // as SUBSCRIBED said it
}

// NewScheduler makes a scheduler's client; the endpoint of config is a master's /api/v1/scheduler.
func NewScheduler(config Config) (*Scheduler, error) {
	client, err := New(config)
	if err != nil {
		return nil, err
	}
	return &Scheduler{client: client}, nil
}

// Close ends connections that are not in use.
func (s *Scheduler) Close() { s.client.Close() }

// Endpoint is where the next call goes first.
func (s *Scheduler) Endpoint() string { return s.client.Endpoint() }

// Subscribe opens a stream of scheduler.Event. Calls made from then on belong to it. The framework's id is what
// framework says, empty for a new one; the caller learns it from the first event, and tells it by SetFrameworkID.
func (s *Scheduler) Subscribe(ctx context.Context, subscribe *scheduler.Call_Subscribe) (*Stream, error) {
	call := &scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: subscribe, FrameworkId: subscribe.GetFrameworkInfo().GetId()}
	stream, err := s.client.Stream(ctx, call, nil)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stream = stream.Header().Get(StreamIDHeader)
	return stream, nil
}

// SetFrameworkID keeps the id that calls carry where they have none.
func (s *Scheduler) SetFrameworkID(id *mesosv1.FrameworkID) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// Call sends any call but SUBSCRIBE on the last stream. The call's framework id is filled in if it has none; call is
// changed by that.
func (s *Scheduler) Call(ctx context.Context, call *scheduler.Call) error {
	s.mu.Lock()
	stream, id := s.stream, s.id
	s.mu.Unlock()
	if stream == "" {
		return ErrNotSubscribed
	}
	if call.FrameworkId == nil {
		call.FrameworkId = id
	}
	return s.client.Call(ctx, call, nil, http.Header{StreamIDHeader: {stream}})
}
