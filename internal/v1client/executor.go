package v1client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
)

// ErrAgentLost says that the agent went away and is not to be waited for any longer.
var ErrAgentLost = errors.New("the agent is gone")

// minBackoff keeps an executor from asking again at once, whatever its configuration.
const minBackoff = 10 * time.Millisecond

// ExecutorConfig describes an executor's client. The endpoint of Config is an agent's /api/v1/executor.
type ExecutorConfig struct {
	Config
	FrameworkID *mesosv1.FrameworkID
	ExecutorID  *mesosv1.ExecutorID

	// Recovery is how long an agent that went away is waited for; 0 does not wait for one that had been there.
	Recovery time.Duration

	// Backoff is the longest pause between two attempts to subscribe; the pauses are random.
	Backoff time.Duration

	// Owed is what a SUBSCRIBE tells the agent: tasks and updates it has not acknowledged. It is called once for each
	// attempt, from the goroutine of Run.
	Owed func() *executor.Call_Subscribe

	// Disconnected is called, from the goroutine of Run, when a stream has ended. It may be nil.
	Disconnected func(error)
}

// Executor speaks the executor API.
type Executor struct {
	client *Client
	config ExecutorConfig
}

// NewExecutor makes an executor's client.
func NewExecutor(config ExecutorConfig) (*Executor, error) {
	client, err := New(config.Config)
	if err != nil {
		return nil, err
	}
	return &Executor{client: client, config: config}, nil
}

// Close ends connections that are not in use.
func (e *Executor) Close() { e.client.Close() }

// Call sends a call and fills in its ids, which changes it. It may be called from any number of goroutines.
func (e *Executor) Call(ctx context.Context, call *executor.Call) error {
	call.FrameworkId, call.ExecutorId = e.config.FrameworkID, e.config.ExecutorID
	return e.client.Call(ctx, call, nil, nil)
}

// Run subscribes, and again whenever the stream has ended, and hands each event to handle, one at a time. It returns
// when ctx ends (its cause), when the agent refuses (a *StatusError), when the agent has been away for too long
// (ErrAgentLost), or with the error of handle.
func (e *Executor) Run(ctx context.Context, handle func(*executor.Event) error) error {
	away, seen := time.Now(), false
	for {
		err := e.follow(ctx, func(event *executor.Event) error {
			seen = true
			away = time.Time{}
			return handle(event)
		})
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		var fatal *handleError
		if errors.As(err, &fatal) {
			return fatal.err
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, ErrSilent) && !IsTemporary(err) {
			return err
		}
		if away.IsZero() {
			away = time.Now()
		}
		patience := e.config.Recovery
		if patience == 0 && !seen {
			patience = firstContact
		}
		if waited := time.Since(away); waited >= patience {
			return fmt.Errorf("%w, for %v: %w", ErrAgentLost, waited.Round(time.Millisecond), err)
		}
		if err := e.pause(ctx); err != nil {
			return err
		}
	}
}

// firstContact is how long an executor that waits for no agent tries to reach the one that started it.
const firstContact = 5 * time.Second

// handleError tells an error of the handler from one of the stream.
type handleError struct{ err error }

func (e *handleError) Error() string { return e.err.Error() }

// follow subscribes once and reads to the end of the stream.
func (e *Executor) follow(ctx context.Context, handle func(*executor.Event) error) error {
	call := &executor.Call{
		Type: executor.Call_SUBSCRIBE.Enum(), FrameworkId: e.config.FrameworkID, ExecutorId: e.config.ExecutorID,
		Subscribe: e.config.Owed(),
	}
	stream, err := e.client.Stream(ctx, call, nil)
	if err != nil {
		return err
	}
	defer stream.Close()
	for {
		event := &executor.Event{}
		if err := stream.Next(event); err != nil {
			if e.config.Disconnected != nil {
				e.config.Disconnected(err)
			}
			return err
		}
		if err := handle(event); err != nil {
			return &handleError{err}
		}
	}
}

func (e *Executor) pause(ctx context.Context) error {
	wait := minBackoff
	if e.config.Backoff > wait {
		wait += rand.N(e.config.Backoff - wait)
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
