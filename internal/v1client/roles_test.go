package v1client

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	schedulerv1 "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/recordio"
)

func TestScheduler(t *testing.T) {
	calls := make(chan *schedulerv1.Call, 10)
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		call := &schedulerv1.Call{}
		assert.NoError(t, proto.Unmarshal(text, call))
		calls <- call
		if call.GetType() == schedulerv1.Call_SUBSCRIBE {
			assert.Empty(t, r.Header.Values(StreamIDHeader), "a subscription has none")
			w.Header().Set(StreamIDHeader, "stream-7")
			stream(t, w, r, &schedulerv1.Event{Type: schedulerv1.Event_HEARTBEAT.Enum()})
			return
		}
		assert.Equal(t, "stream-7", r.Header.Get(StreamIDHeader))
		w.WriteHeader(http.StatusAccepted)
	})
	c, err := NewScheduler(Config{Endpoint: s.URL})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	require.ErrorIs(t, c.Call(t.Context(), &schedulerv1.Call{Type: schedulerv1.Call_REVIVE.Enum()}), ErrNotSubscribed)

	id := &mesosv1.FrameworkID{Value: proto.String("f")}
	st, err := c.Subscribe(t.Context(), &schedulerv1.Call_Subscribe{
		FrameworkInfo: &mesosv1.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), Id: id}})
	require.NoError(t, err)
	t.Cleanup(st.Close)
	event := &schedulerv1.Event{}
	require.NoError(t, st.Next(event))
	assert.Equal(t, schedulerv1.Event_HEARTBEAT, event.GetType())
	assert.Equal(t, "f", (<-calls).GetFrameworkId().GetValue(), "the id of the info is that of the call")

	c.SetFrameworkID(id)
	require.NoError(t, c.Call(t.Context(), &schedulerv1.Call{Type: schedulerv1.Call_REVIVE.Enum()}))
	assert.Equal(t, "f", (<-calls).GetFrameworkId().GetValue())
	assert.Equal(t, s.URL, c.Endpoint())
	_, err = NewScheduler(Config{})
	require.Error(t, err)
}

// executorOf makes an executor of an agent that answers each SUBSCRIBE with the next of the answers: a status, or 200
// for a stream of one event that ends.
func executorOf(t *testing.T, config ExecutorConfig, answers ...int) (*Executor, *atomic.Int32) {
	asked := &atomic.Int32{}
	s := server(t, func(w http.ResponseWriter, r *http.Request) {
		n := int(asked.Add(1))
		code := answers[min(n, len(answers))-1]
		if code != http.StatusOK {
			http.Error(w, "as told", code)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
		text, err := proto.Marshal(&executor.Event{Type: executor.Event_HEARTBEAT.Enum()})
		assert.NoError(t, err)
		assert.NoError(t, recordio.NewWriter(w, 0).WriteRecord(text))
	})
	config.Endpoint = s.URL
	config.FrameworkID = &mesosv1.FrameworkID{Value: proto.String("f")}
	config.ExecutorID = &mesosv1.ExecutorID{Value: proto.String("e")}
	config.Owed = func() *executor.Call_Subscribe { return &executor.Call_Subscribe{} }
	e, err := NewExecutor(config)
	require.NoError(t, err)
	t.Cleanup(e.Close)
	return e, asked
}

func TestExecutor(t *testing.T) {
	ignore := func(*executor.Event) error { return nil }
	t.Run("subscribes again while the agent may come back", func(t *testing.T) {
		var gone atomic.Int32
		e, asked := executorOf(t, ExecutorConfig{Recovery: time.Minute, Backoff: time.Millisecond, Disconnected: func(err error) {
			assert.ErrorIs(t, err, io.EOF)
			gone.Add(1)
		}}, 503, 200, 503, 200, 400)
		events := 0
		err := e.Run(t.Context(), func(*executor.Event) error { events++; return nil })
		var status *StatusError
		require.ErrorAs(t, err, &status, "a refusal is the end")
		assert.Equal(t, 400, status.Code)
		assert.EqualValues(t, 5, asked.Load())
		assert.Equal(t, 2, events)
		assert.EqualValues(t, 2, gone.Load())
	})
	t.Run("gives up after a time", func(t *testing.T) {
		e, asked := executorOf(t, ExecutorConfig{Recovery: 100 * time.Millisecond, Backoff: time.Millisecond}, 200, 503)
		require.ErrorIs(t, e.Run(t.Context(), ignore), ErrAgentLost)
		assert.Greater(t, asked.Load(), int32(2))
	})
	t.Run("gives up at once if the agent does not come back", func(t *testing.T) {
		e, asked := executorOf(t, ExecutorConfig{}, 200)
		err := e.Run(t.Context(), ignore)
		require.ErrorIs(t, err, ErrAgentLost)
		require.ErrorIs(t, err, io.EOF)
		assert.EqualValues(t, 1, asked.Load())
	})
	t.Run("but not before it has been there", func(t *testing.T) {
		e, asked := executorOf(t, ExecutorConfig{}, 503, 200)
		require.ErrorIs(t, e.Run(t.Context(), ignore), ErrAgentLost)
		assert.EqualValues(t, 2, asked.Load())
	})
	t.Run("ends with the error of its handler", func(t *testing.T) {
		e, _ := executorOf(t, ExecutorConfig{Recovery: time.Minute}, 200)
		why := errors.New("no more")
		require.Equal(t, why, e.Run(t.Context(), func(*executor.Event) error { return why }))
	})
	t.Run("ends with its context, whatever it does", func(t *testing.T) {
		why := errors.New("stop")
		ctx, cancel := context.WithCancelCause(t.Context())
		e, asked := executorOf(t, ExecutorConfig{Recovery: time.Minute, Backoff: time.Hour}, 503)
		done := make(chan error, 1)
		go func() { done <- e.Run(ctx, ignore) }()
		require.Eventually(t, func() bool { return asked.Load() == 1 }, 10*time.Second, time.Millisecond)
		cancel(why)
		require.ErrorIs(t, <-done, why)
	})
	t.Run("fills in its ids", func(t *testing.T) {
		e, _ := executorOf(t, ExecutorConfig{}, 403)
		call := &executor.Call{Type: executor.Call_HEARTBEAT.Enum()}
		require.Error(t, e.Call(t.Context(), call))
		assert.Equal(t, "f e", call.GetFrameworkId().GetValue()+" "+call.GetExecutorId().GetValue())
	})
}
