// Package updates keeps the status updates of tasks until the framework has
// acknowledged them: one stream per task, its oldest update on its way, sent again
// until the acknowledgement comes. It is the agent's status update manager as a value:
// it writes nothing, sends nothing and has no clock. The caller writes an update down
// before he tells of it, and sends what he is told to.
//
// Behaviour: Apache Mesos' task status update manager.
package updates

import (
	"container/heap"
	"container/list"
	"fmt"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

// An update that is not acknowledged is sent again after FirstRetry, then each time
// after twice as long, at most LastRetry.
const (
	FirstRetry = 10 * time.Second
	LastRetry  = 10 * time.Minute
)

// Task names a stream.
type Task struct{ Framework, Task string }

// Manager holds all streams. It begins paused. It is for one goroutine.
type Manager struct {
	streams map[Task]*list.Element // of *stream
	order   list.List              // in which streams began
	due     retries
	paused  bool
}

// New makes a manager without streams.
func New() *Manager { return &Manager{streams: map[Task]*list.Element{}, paused: true} }

// stream is the updates of one task that are not acknowledged, oldest first.
type stream struct {
	task    Task
	pending []*wire.StatusUpdate
	known   map[string]bool // uuids of all updates it was ever given
	wait    time.Duration   // before the next retry of the head
	retry   *retry          // of the head; nil: it is not on its way
}

// Update takes an update into its stream. It returns what is to be sent now: the
// update, if it is the only one and the manager is not paused, or nil. known is true
// for an update that was taken before; nothing changes then.
func (m *Manager) Update(now time.Time, u *wire.StatusUpdate) (send *wire.StatusUpdate, known bool) {
	s := m.stream(taskOf(u))
	if s.known[string(u.GetUuid())] {
		return nil, true
	}
	s.known[string(u.GetUuid())] = true
	s.pending = append(s.pending, u)
	if len(s.pending) > 1 || m.paused {
		return nil, false
	}
	return m.dispatch(now, s), false
}

// Ack is what an acknowledgement changed.
type Ack struct {
	Update *wire.StatusUpdate // that was acknowledged
	Send   *wire.StatusUpdate // the one after it; nil if there is none, or the manager is paused
	Closed bool               // the update was terminal, and the stream is no more
}

// Acknowledge takes the head off a stream. It fails, and changes nothing, if the uuid
// is not the head's.
func (m *Manager) Acknowledge(now time.Time, task Task, uuid []byte) (Ack, error) {
	e, ok := m.streams[task]
	if !ok {
		return Ack{}, fmt.Errorf("task %s of framework %s has no update that waits for an acknowledgement", task.Task, task.Framework)
	}
	s := e.Value.(*stream)
	if err := s.acknowledge(uuid); err != nil {
		return Ack{}, err
	}
	ack := Ack{Update: s.pending[0]}
	s.pending = s.pending[1:]
	m.rest(s)
	switch {
	case terminal(ack.Update):
		m.remove(e)
		ack.Closed = true
	case len(s.pending) > 0 && !m.paused:
		ack.Send = m.dispatch(now, s)
	}
	return ack, nil
}

func (s *stream) acknowledge(uuid []byte) error {
	if len(s.pending) == 0 || string(s.pending[0].GetUuid()) != string(uuid) {
		return fmt.Errorf("uuid %x is not that of the update of task %s of framework %s that waits for an acknowledgement",
			uuid, s.task.Task, s.task.Framework)
	}
	return nil
}

// Has says whether an update with this uuid was taken and its stream is still there.
func (m *Manager) Has(task Task, uuid []byte) bool {
	e, ok := m.streams[task]
	return ok && e.Value.(*stream).known[string(uuid)]
}

// Recover makes a stream from what was written down of it. It fails if an
// acknowledgement is not for the oldest update before it; what comes before is kept.
func (m *Manager) Recover(task Task, records []*wire.StatusUpdateRecord) error {
	for _, r := range records {
		switch r.GetType() {
		case wire.StatusUpdateRecord_UPDATE:
			s := m.stream(task)
			if u := r.GetUpdate(); !s.known[string(u.GetUuid())] {
				s.known[string(u.GetUuid())] = true
				s.pending = append(s.pending, u)
			}
		case wire.StatusUpdateRecord_ACK:
			e, ok := m.streams[task]
			if !ok {
				return fmt.Errorf("task %s of framework %s: acknowledgement %x without an update", task.Task, task.Framework, r.GetUuid())
			}
			s := e.Value.(*stream)
			if err := s.acknowledge(r.GetUuid()); err != nil {
				return err
			}
			head := s.pending[0]
			s.pending = s.pending[1:]
			if terminal(head) {
				m.remove(e)
			}
		default:
			return fmt.Errorf("task %s of framework %s: record of unknown type %v", task.Task, task.Framework, r.GetType())
		}
	}
	return nil
}

// Pause stops sending, because nobody would receive it.
func (m *Manager) Pause() {
	m.paused = true
	for e := m.order.Front(); e != nil; e = e.Next() {
		m.rest(e.Value.(*stream))
	}
}

// Resume returns the heads of all streams, to be sent now, in the order in which the
// streams began.
func (m *Manager) Resume(now time.Time) []*wire.StatusUpdate {
	m.paused = false
	var heads []*wire.StatusUpdate
	for e := m.order.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*stream); len(s.pending) > 0 && s.retry == nil {
			heads = append(heads, m.dispatch(now, s))
		}
	}
	return heads
}

// Due returns what is to be sent again by now, in the order of the times.
func (m *Manager) Due(now time.Time) []*wire.StatusUpdate {
	var again []*wire.StatusUpdate
	for len(m.due) > 0 && !m.due[0].at.After(now) {
		s := m.due[0].stream
		wait := min(2*s.wait, LastRetry)
		m.rest(s)
		u := m.dispatch(now, s)
		m.wait(now, s, wait)
		again = append(again, u)
	}
	return again
}

// SetBack has every update be sent again earlier by d: the clock was set back by that.
func (m *Manager) SetBack(d time.Duration) {
	for _, r := range m.due {
		r.at = r.at.Add(-d)
	}
}

// Next is when Due has something; zero: not before something else happens.
func (m *Manager) Next() time.Time {
	if len(m.due) == 0 {
		return time.Time{}
	}
	return m.due[0].at
}

// Forget closes all streams of a framework that is no more.
func (m *Manager) Forget(framework string) {
	var next *list.Element
	for e := m.order.Front(); e != nil; e = next {
		next = e.Next()
		if e.Value.(*stream).task.Framework == framework {
			m.remove(e)
		}
	}
}

// Len is how many streams there are.
func (m *Manager) Len() int { return m.order.Len() }

func (m *Manager) stream(task Task) *stream {
	if e, ok := m.streams[task]; ok {
		return e.Value.(*stream)
	}
	s := &stream{task: task, known: map[string]bool{}}
	m.streams[task] = m.order.PushBack(s)
	return s
}

func (m *Manager) remove(e *list.Element) {
	s := e.Value.(*stream)
	m.rest(s)
	delete(m.streams, s.task)
	m.order.Remove(e)
}

// dispatch sends the head of a stream on its way.
func (m *Manager) dispatch(now time.Time, s *stream) *wire.StatusUpdate {
	m.wait(now, s, FirstRetry)
	return s.pending[0]
}

func (m *Manager) wait(now time.Time, s *stream, wait time.Duration) {
	m.rest(s)
	s.wait = wait
	s.retry = &retry{stream: s, at: now.Add(wait)}
	heap.Push(&m.due, s.retry)
}

// rest forgets the retry of a stream's head.
func (m *Manager) rest(s *stream) {
	if s.retry != nil {
		heap.Remove(&m.due, s.retry.index)
		s.retry = nil
	}
}

func taskOf(u *wire.StatusUpdate) Task {
	return Task{Framework: u.GetFrameworkId().GetValue(), Task: u.GetStatus().GetTaskId().GetValue()}
}

func terminal(u *wire.StatusUpdate) bool { return Terminal(u.GetStatus().GetState()) }

// Terminal says whether a task in this state has ended for good.
func Terminal(state mesosv1.TaskState) bool {
	switch state {
	case mesosv1.TaskState_TASK_FINISHED, mesosv1.TaskState_TASK_FAILED, mesosv1.TaskState_TASK_KILLED,
		mesosv1.TaskState_TASK_LOST, mesosv1.TaskState_TASK_ERROR, mesosv1.TaskState_TASK_DROPPED,
		mesosv1.TaskState_TASK_GONE, mesosv1.TaskState_TASK_GONE_BY_OPERATOR:
		return true
	}
	return false
}

// Heads returns the updates of a framework that are on their way, to be sent once
// more because there is somebody else to receive them.
func (m *Manager) Heads(framework string) []*wire.StatusUpdate {
	var heads []*wire.StatusUpdate
	for e := m.order.Front(); e != nil; e = e.Next() {
		if s := e.Value.(*stream); s.task.Framework == framework && s.retry != nil {
			heads = append(heads, s.pending[0])
		}
	}
	return heads
}

// IsHead says whether an update is the oldest of its task and on its way.
func (m *Manager) IsHead(u *wire.StatusUpdate) bool {
	e, ok := m.streams[taskOf(u)]
	if !ok {
		return false
	}
	s := e.Value.(*stream)
	return s.retry != nil && string(s.pending[0].GetUuid()) == string(u.GetUuid())
}
