package core

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// world is a master with everything around it played by the test: time, streams, an
// allocator that keeps books, a registry that says yes.
type world struct {
	*testing.T
	core    *Core
	now     time.Time
	books   *books
	log     []string // lines of all effects since the last look
	effects []Effect // likewise

	answerStores bool // at once; else they wait in stores
	answerPings  bool
	stores       []Ticket
	changes      []RegistryChange
	asked        []Authorize
	hooked       []CallHooks

	requests RequestID
	sent     map[StreamID][]proto.Message
}

var begin = time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)

func testConfig() Config {
	return Config{
		Info: &mesosv1.MasterInfo{
			Id: proto.String("M"), Ip: proto.Uint32(16777343), Port: proto.Uint32(5050), Hostname: proto.String("master"),
		},
		Random: rand.New(rand.NewPCG(1, 2)), Started: begin,
		HeartbeatInterval: 15 * time.Second, AgentPingTimeout: 15 * time.Second, MaxAgentPingTimeouts: 5,
		AgentReregisterTimeout: 10 * time.Minute, RecoveryAgentRemovalLimit: 100, RegistryGCInterval: 15 * time.Minute,
		RegistryMaxAgentAge: 14 * 24 * time.Hour, RegistryMaxAgentCount: 102400, MaxCompletedFrameworks: 50,
		MaxCompletedTasks: 1000, MaxUnreachableTasks: 1000, MaxOperatorStreams: 1000, RootSubmissions: true,
		PublishPerFrameworkMetrics: true,
	}
}

// newWorld makes a master that leads, changed by what is said of its configuration.
func newWorld(t *testing.T, change ...func(*Config)) *world {
	w := standbyWorld(t, change...)
	w.do(Elected{})
	w.do(RegistryRecovered{Registry: &wire.Registry{}})
	w.look()
	return w
}

func standbyWorld(t *testing.T, change ...func(*Config)) *world {
	config := testConfig()
	for _, c := range change {
		c(&config)
	}
	return &world{T: t, core: New(config), now: begin, books: newBooks(), answerStores: true,
		sent: map[StreamID][]proto.Message{}}
}

// do tells the master of an event and carries out what it wants.
func (w *world) do(e Event) {
	w.Helper()
	for _, effect := range w.core.Handle(w.now, e) {
		w.carryOut(effect)
	}
}

func (w *world) carryOut(effect Effect) {
	w.Helper()
	w.effects = append(w.effects, effect)
	switch e := effect.(type) {
	case Allocate:
		w.books.calls = nil
		err := e.Do(context.Background(), w.books)
		line := "allocator " + e.Name + " " + strings.Join(w.books.calls, " ")
		if err != nil {
			line += " FAILED: " + err.Error()
		}
		w.log = append(w.log, line)
		return
	case Retell:
		w.books.frameworks, w.books.agents = map[string]bool{}, map[string]*agentBooks{}
		w.log = append(w.log, "retell")
		for _, call := range e.Calls {
			w.carryOut(call)
		}
		return
	case Store:
		w.changes = append(w.changes, e.Change)
		w.log = append(w.log, fmt.Sprintf("store %T", e.Change))
		if w.answerStores {
			w.do(RegistryStored{Ticket: e.Ticket})
		} else {
			w.stores = append(w.stores, e.Ticket)
		}
		return
	case Authorize:
		w.asked = append(w.asked, e)
	case CallHooks:
		w.hooked = append(w.hooked, e)
	case ToAgent:
		if _, ping := e.Message.(*wire.PingSlaveMessage); ping && w.answerPings {
			w.do(AgentMessage{From: e.To, To: e.From, Message: &wire.PongSlaveMessage{}})
		}
	case Send:
		w.sent[e.Stream] = append(w.sent[e.Stream], e.Event)
	}
	w.log = append(w.log, line(effect))
}

// line is an effect as transcripts show it.
func line(effect Effect) string {
	switch e := effect.(type) {
	case RecoverRegistry:
		return "recover registry"
	case Exit:
		return "exit: " + e.Reason
	case Answer:
		return strings.TrimSpace(fmt.Sprintf("answer %d: %d %s %s", e.Request, e.Status, e.Text, text(e.Message)))
	case OpenStream:
		return fmt.Sprintf("open %s for %d", e.Stream, e.Request)
	case OpenOperatorStream:
		return fmt.Sprintf("open operator %s for %d", e.Stream, e.Request)
	case Send:
		return fmt.Sprintf("send %s %s", e.Stream, text(e.Event))
	case CloseStream:
		return "close " + string(e.Stream)
	case ToAgent:
		return fmt.Sprintf("to %v from %s %s %s", e.To, e.From, e.Message.ProtoReflect().Descriptor().Name(), text(e.Message))
	case Link:
		return fmt.Sprintf("link %v", e.PID)
	case Unlink:
		return fmt.Sprintf("unlink %v", e.PID)
	case Authorize:
		return fmt.Sprintf("authorize %d requests", len(e.Requests))
	case CallHooks:
		return "hooks " + e.Name
	case Log:
		return fmt.Sprintf("log %d %s", e.Level, e.Text)
	default:
		return fmt.Sprintf("%T", e)
	}
}

func text(m proto.Message) string {
	if m == nil {
		return ""
	}
	b, err := mesosjson.Marshal(m)
	if err != nil {
		return err.Error()
	}
	return string(b)
}

// look returns the lines since the last look, without the log's.
func (w *world) look() []string {
	var lines []string
	for _, l := range w.log {
		if !strings.HasPrefix(l, "log ") {
			lines = append(lines, l)
		}
	}
	w.log, w.effects = nil, nil
	for id := range w.sent {
		delete(w.sent, id)
	}
	return lines
}

// wait lets time pass, with all ticks on the way.
func (w *world) wait(d time.Duration) {
	w.Helper()
	end := w.now.Add(d)
	for n := 0; ; n++ {
		require.Less(w, n, 1_000_000, "the master never rests")
		next := w.core.Next()
		if next.IsZero() || next.After(end) {
			break
		}
		if next.After(w.now) {
			w.now = next
		}
		w.do(Tick{})
	}
	w.now = end
}

// sound checks that nothing was wrong in the allocator's eye, and that its books and
// the master's are the same. No accept may be waiting for an answer.
func (w *world) sound() {
	w.Helper()
	require.Empty(w, w.books.problems)
	for f := range w.core.frameworks.values() {
		active, ok := w.books.frameworks[f.id]
		require.True(w, ok, "the allocator does not know framework %s", f.id)
		require.Equal(w, f.active, active, "framework %s", f.id)
	}
	require.Len(w, w.books.frameworks, w.core.frameworks.len())
	require.Len(w, w.books.agents, w.core.agents.len())
	var used resources.Resources
	for a := range w.core.agents.values() {
		there := w.books.agents[a.id]
		require.NotNil(w, there, "the allocator does not know agent %s", a.id)
		require.Equal(w, a.active, there.active, "agent %s", a.id)
		require.True(w, a.total.Equal(there.total), "agent %s: %s, allocator %s", a.id, a.total, there.total)
		var sum resources.Resources
		for _, r := range there.used {
			sum = sum.Add(r)
		}
		mine := a.used.Add(a.offered)
		require.True(w, mine.Equal(sum), "agent %s: %s, allocator %s", a.id, mine, sum)
		used = used.Add(a.used)
	}
	for f := range w.core.frameworks.values() {
		require.GreaterOrEqual(w, f.states[mesosv1.TaskState_TASK_RUNNING], 0)
	}
	for i, name := range measured {
		amount, _ := used.NonRevocable().Scalar(name)
		require.Equal(w, amount, w.core.sums.used.firm[i], name)
	}
}

// answered is the answer to a request.
func (w *world) answered(request RequestID) Answer {
	w.Helper()
	for _, e := range w.effects {
		if a, ok := e.(Answer); ok && a.Request == request {
			return a
		}
	}
	require.Failf(w, "no answer", "to request %d: %v", request, w.log)
	return Answer{}
}

// events are those sent to a scheduler since the last look.
func (w *world) events(stream StreamID) []*scheduler.Event {
	var all []*scheduler.Event
	for _, m := range w.sent[stream] {
		all = append(all, m.(*scheduler.Event))
	}
	return all
}

func (w *world) types(stream StreamID) []string {
	var all []string
	for _, e := range w.events(stream) {
		all = append(all, e.GetType().String())
	}
	return all
}

// updates are the statuses sent to a scheduler since the last look.
func (w *world) updates(stream StreamID) []*mesosv1.TaskStatus {
	var all []*mesosv1.TaskStatus
	for _, e := range w.events(stream) {
		if e.Update != nil {
			all = append(all, e.GetUpdate().GetStatus())
		}
	}
	return all
}

// messages are those of one kind sent to an agent since the last look.
func messages[M proto.Message](w *world, to libprocess.PID) []M {
	var all []M
	for _, e := range w.effects {
		if t, ok := e.(ToAgent); ok && t.To == to {
			if m, ok := t.Message.(M); ok {
				all = append(all, m)
			}
		}
	}
	return all
}
