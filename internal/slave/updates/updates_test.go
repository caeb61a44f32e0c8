package updates_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/slave/updates"
	"github.com/mesos-modules/mms/internal/wire"
)

const running, finished = mesosv1.TaskState_TASK_RUNNING, mesosv1.TaskState_TASK_FINISHED

var (
	start = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	task  = updates.Task{Framework: "F", Task: "T"}
)

func update(of, uuid string, state mesosv1.TaskState) *wire.StatusUpdate {
	return &wire.StatusUpdate{
		FrameworkId: &mesosv1.FrameworkID{Value: proto.String("F")}, Uuid: []byte(uuid), Timestamp: proto.Float64(1),
		Status: &mesosv1.TaskStatus{TaskId: &mesosv1.TaskID{Value: &of}, State: &state},
	}
}

func stored(u *wire.StatusUpdate) *wire.StatusUpdateRecord {
	return &wire.StatusUpdateRecord{Type: wire.StatusUpdateRecord_UPDATE.Enum(), Update: u}
}

func acked(uuid string) *wire.StatusUpdateRecord {
	return &wire.StatusUpdateRecord{Type: wire.StatusUpdateRecord_ACK.Enum(), Uuid: []byte(uuid)}
}

// resumed is a manager that sends.
func resumed() *updates.Manager {
	m := updates.New()
	m.Resume(start)
	return m
}

func uuids(all []*wire.StatusUpdate) []string {
	var names []string
	for _, u := range all {
		names = append(names, string(u.GetUuid()))
	}
	return names
}

func TestAStream(t *testing.T) {
	t.Run("only the oldest update is on its way", func(t *testing.T) {
		m := resumed()
		send, known := m.Update(start, update("T", "a", running))
		assert.Equal(t, "a", string(send.GetUuid()))
		assert.False(t, known)
		send, known = m.Update(start, update("T", "b", finished))
		assert.Nil(t, send)
		assert.False(t, known)

		ack, err := m.Acknowledge(start, task, []byte("a"))
		require.NoError(t, err)
		assert.Equal(t, "a", string(ack.Update.GetUuid()))
		assert.Equal(t, "b", string(ack.Send.GetUuid()))
		assert.False(t, ack.Closed)

		ack, err = m.Acknowledge(start, task, []byte("b"))
		require.NoError(t, err)
		assert.True(t, ack.Closed)
		assert.Nil(t, ack.Send)
		assert.Zero(t, m.Len())
		assert.True(t, m.Next().IsZero())
	})
	t.Run("an update that is known is taken once, also when it is acknowledged", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		_, known := m.Update(start, update("T", "a", running))
		assert.True(t, known)
		_, err := m.Acknowledge(start, task, []byte("a"))
		require.NoError(t, err)
		_, known = m.Update(start, update("T", "a", running))
		assert.True(t, known)
		assert.True(t, m.Has(task, []byte("a")))
	})
	t.Run("an acknowledgement of another uuid changes nothing", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		m.Update(start, update("T", "b", running))
		_, err := m.Acknowledge(start, task, []byte("b"))
		assert.ErrorContains(t, err, "task T of framework F")
		_, err = m.Acknowledge(start, updates.Task{Framework: "F", Task: "X"}, []byte("a"))
		assert.ErrorContains(t, err, "no update that waits")
		assert.True(t, m.IsHead(update("T", "a", running)))
	})
}

func TestRetries(t *testing.T) {
	t.Run("come after 10 seconds, doubling up to 10 minutes", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		var waits []time.Duration
		for at := start; len(waits) < 9; {
			next := m.Next()
			assert.Empty(t, m.Due(next.Add(-time.Nanosecond)))
			assert.Equal(t, []string{"a"}, uuids(m.Due(next)))
			waits = append(waits, next.Sub(at))
			at = next
		}
		second := time.Second
		assert.Equal(t, []time.Duration{10 * second, 20 * second, 40 * second, 80 * second, 160 * second, 320 * second,
			600 * second, 600 * second, 600 * second}, waits)
	})
	t.Run("begin anew for the next update", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		m.Update(start, update("T", "b", running))
		m.Due(start.Add(10 * time.Second))
		_, err := m.Acknowledge(start.Add(15*time.Second), task, []byte("a"))
		require.NoError(t, err)
		assert.Equal(t, start.Add(25*time.Second), m.Next())
	})
	t.Run("rest while nobody would receive them", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		m.Update(start, update("S", "b", running))
		m.Pause()
		assert.True(t, m.Next().IsZero())
		send, _ := m.Update(start, update("R", "c", running))
		assert.Nil(t, send)
		assert.Equal(t, []string{"a", "b", "c"}, uuids(m.Resume(start.Add(time.Hour))))
		assert.Empty(t, m.Resume(start.Add(time.Hour)), "they are on their way")
		assert.Equal(t, []string{"a", "b", "c"}, uuids(m.Heads("F")))
	})
	t.Run("end with the framework", func(t *testing.T) {
		m := resumed()
		m.Update(start, update("T", "a", running))
		m.Forget("other")
		assert.Equal(t, 1, m.Len())
		m.Forget("F")
		assert.Zero(t, m.Len())
		assert.True(t, m.Next().IsZero())
	})
}

func TestRecover(t *testing.T) {
	a, b := update("T", "a", running), update("T", "b", finished)
	for _, c := range []struct {
		name    string
		records []*wire.StatusUpdateRecord
		heads   []string
		wrong   string
	}{
		{"nothing", nil, nil, ""},
		{"an update", []*wire.StatusUpdateRecord{stored(a)}, []string{"a"}, ""},
		{"one that was written twice", []*wire.StatusUpdateRecord{stored(a), stored(a)}, []string{"a"}, ""},
		{"one that is acknowledged, and the next", []*wire.StatusUpdateRecord{stored(a), stored(b), acked("a")}, []string{"b"}, ""},
		{"a terminal one that is acknowledged", []*wire.StatusUpdateRecord{stored(a), acked("a"), stored(b), acked("b")}, nil, ""},
		{"an acknowledgement too many", []*wire.StatusUpdateRecord{acked("a")}, nil, "without an update"},
		{"an acknowledgement of another", []*wire.StatusUpdateRecord{stored(a), acked("x")}, []string{"a"}, "is not that of the update"},
		{"a record of another kind", []*wire.StatusUpdateRecord{{Type: wire.StatusUpdateRecord_Type(7).Enum()}}, nil, "unknown type"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := updates.New()
			err := m.Recover(task, c.records)
			if c.wrong == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.wrong)
			}
			assert.Equal(t, c.heads, uuids(m.Resume(start)))
		})
	}
}

// TestTwin runs random events against a list that is all a stream is.
func TestTwin(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		m, now := resumed(), start
		var twin []string
		for i := range 60 {
			switch random.IntN(4) {
			case 0, 1:
				uuid := fmt.Sprint(i)
				send, known := m.Update(now, update("T", uuid, running))
				assert.False(t, known)
				assert.Equal(t, len(twin) == 0, send != nil)
				twin = append(twin, uuid)
			case 2:
				if len(twin) == 0 {
					continue
				}
				ack, err := m.Acknowledge(now, task, []byte(twin[0]))
				require.NoError(t, err)
				twin = twin[1:]
				if len(twin) > 0 {
					assert.Equal(t, twin[0], string(ack.Send.GetUuid()))
				}
			case 3:
				now = now.Add(time.Duration(random.IntN(700)) * time.Second)
				for _, u := range m.Due(now) {
					assert.Equal(t, twin[0], string(u.GetUuid()))
				}
				assert.Equal(t, len(twin) == 0, m.Next().IsZero())
			}
		}
	}
}

func ExampleManager() {
	m := updates.New()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	m.Update(now, update("T", "first", mesosv1.TaskState_TASK_RUNNING))
	m.Update(now, update("T", "second", mesosv1.TaskState_TASK_FINISHED))
	for _, u := range m.Resume(now) { // the agent has registered
		fmt.Println("send", string(u.GetUuid()))
	}
	ack, _ := m.Acknowledge(now, updates.Task{Framework: "F", Task: "T"}, []byte("first"))
	fmt.Println("send", string(ack.Send.GetUuid()))
	// Output:
	// send first
	// send second
}
