// Package agenttest is an agent for tests of executors: one subscription at a time, events as the test sends them,
// updates as they come. A test fails when what it waits for does not come.
package agenttest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/recordio"
)

// wait is how long a test waits for what has to come.
const wait = 20 * time.Second

// Agent is the fake. Make it with New.
type Agent struct {
	t      testing.TB
	server *httptest.Server

	// API answers calls of the operator API, at /slave(1)/api/v1; nil answers 501.
	API http.Handler

	subscribes chan *executor.Call_Subscribe
	updates    chan *mesosv1.TaskStatus

	mu         sync.Mutex
	deny       int  // code for SUBSCRIBE
	silent     bool // updates are not acknowledged
	subscribed *executor.Event_Subscribed
	stream     *recordio.Writer
	hangup     chan struct{} // closed to end the stream
	answers    map[executor.Call_Type][]int
	authorized []string // Authorization headers, as they came
	owed       []*mesosv1.TaskStatus
}

// New starts an agent, which ends with the test.
func New(t testing.TB) *Agent {
	a := &Agent{
		t: t, subscribes: make(chan *executor.Call_Subscribe, 100), updates: make(chan *mesosv1.TaskStatus, 1000),
		answers: map[executor.Call_Type][]int{},
	}
	a.subscribed = &executor.Event_Subscribed{
		ExecutorInfo:  &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("task-1")}},
		FrameworkInfo: &mesosv1.FrameworkInfo{User: proto.String("nobody"), Name: proto.String("test")},
		AgentInfo:     &mesosv1.AgentInfo{Hostname: proto.String("localhost")},
		ContainerId:   &mesosv1.ContainerID{Value: proto.String("container-1")},
	}
	a.server = httptest.NewServer(http.HandlerFunc(a.serve))
	t.Cleanup(func() {
		a.Disconnect()
		a.server.CloseClientConnections()
		a.server.Close()
	})
	return a
}

// Address is the agent's host and port.
func (a *Agent) Address() string { return strings.TrimPrefix(a.server.URL, "http://") }

// Environ is the environment of an executor of the agent; more is added to it.
func (a *Agent) Environ(more ...string) []string {
	return append([]string{
		"MESOS_FRAMEWORK_ID=framework-1", "MESOS_EXECUTOR_ID=task-1", "MESOS_SLAVE_ID=agent-1",
		"MESOS_SLAVE_PID=slave(1)@" + a.Address(), "MESOS_AGENT_ENDPOINT=" + a.Address(),
		"MESOS_CHECKPOINT=0", "MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD=5secs", "MESOS_SUBSCRIPTION_BACKOFF_MAX=20ms",
	}, more...)
}

// Capabilities sets what the framework can do, before the executor subscribes.
func (a *Agent) Capabilities(types ...mesosv1.FrameworkInfo_Capability_Type) {
	for _, t := range types {
		a.subscribed.FrameworkInfo.Capabilities = append(a.subscribed.FrameworkInfo.Capabilities, &mesosv1.FrameworkInfo_Capability{Type: t.Enum()})
	}
}

// Silent has updates acknowledged no more, until it is called with false: then those that came meanwhile are.
func (a *Agent) Silent(silent bool) {
	a.mu.Lock()
	owed := a.owed
	a.silent, a.owed = silent, nil
	a.mu.Unlock()
	for _, status := range owed {
		a.Acknowledge(status)
	}
}

// Answer has the next calls of a type answered with these codes, one after another.
func (a *Agent) Answer(call executor.Call_Type, codes ...int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.answers[call] = append(a.answers[call], codes...)
}

// Deny has every SUBSCRIBE answered with a code, until it is called with 0.
func (a *Agent) Deny(code int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.deny = code
}

// Authorizations are the Authorization headers that came, in order.
func (a *Agent) Authorizations() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]string(nil), a.authorized...)
}

// Subscribe waits for the next SUBSCRIBE.
func (a *Agent) Subscribe() *executor.Call_Subscribe {
	a.t.Helper()
	select {
	case s := <-a.subscribes:
		return s
	case <-time.After(wait):
		require.FailNow(a.t, "no SUBSCRIBE came")
		return nil
	}
}

// Update waits for the next update.
func (a *Agent) Update() *mesosv1.TaskStatus {
	a.t.Helper()
	select {
	case status := <-a.updates:
		return status
	case <-time.After(wait):
		require.FailNow(a.t, "no update came")
		return nil
	}
}

// States waits for updates of these states, and returns them.
func (a *Agent) States(states ...mesosv1.TaskState) []*mesosv1.TaskStatus {
	a.t.Helper()
	var all []*mesosv1.TaskStatus
	for i, want := range states {
		status := a.Update()
		require.Equal(a.t, want.String(), status.GetState().String(), "update %d, %q", i, status.GetMessage())
		all = append(all, status)
	}
	return all
}

// NoMoreUpdates fails if an update has come that nobody asked for.
func (a *Agent) NoMoreUpdates() {
	a.t.Helper()
	select {
	case status := <-a.updates:
		require.Fail(a.t, "an update too many", "%v", status)
	default:
	}
}

// Send sends an event on the stream.
func (a *Agent) Send(event *executor.Event) {
	a.t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	require.NotNil(a.t, a.stream, "nobody is subscribed")
	text, err := proto.Marshal(event)
	require.NoError(a.t, err)
	require.NoError(a.t, a.stream.WriteRecord(text))
}

// Acknowledge sends the acknowledgement of an update, if there is a stream.
func (a *Agent) Acknowledge(status *mesosv1.TaskStatus) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.stream == nil {
		return
	}
	text, err := proto.Marshal(&executor.Event{
		Type:         executor.Event_ACKNOWLEDGED.Enum(),
		Acknowledged: &executor.Event_Acknowledged{TaskId: status.TaskId, Uuid: status.Uuid},
	})
	if err == nil {
		err = a.stream.WriteRecord(text)
	}
	if err != nil {
		a.t.Logf("acknowledge: %v", err) // the executor may be gone
	}
}

// Disconnect ends the stream, if there is one.
func (a *Agent) Disconnect() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.hangup != nil {
		close(a.hangup)
	}
	a.hangup, a.stream = nil, nil
}

func (a *Agent) serve(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/slave(1)/api/v1/executor":
	case "/slave(1)/api/v1":
		if a.API != nil {
			a.API.ServeHTTP(w, r)
			return
		}
		http.Error(w, "no operator API", http.StatusNotImplemented)
		return
	default:
		http.Error(w, r.URL.Path, http.StatusNotFound)
		return
	}
	text, err := io.ReadAll(r.Body)
	call := &executor.Call{}
	if err == nil {
		err = proto.Unmarshal(text, call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a.mu.Lock()
	a.authorized = append(a.authorized, r.Header.Get("Authorization"))
	code := 0
	if call.GetType() == executor.Call_SUBSCRIBE {
		code = a.deny
	}
	if codes := a.answers[call.GetType()]; len(codes) > 0 {
		code, a.answers[call.GetType()] = codes[0], codes[1:]
	}
	a.mu.Unlock()
	if code != 0 {
		http.Error(w, fmt.Sprintf("told to answer %d", code), code)
		return
	}
	a.handle(w, r, call)
}

func (a *Agent) handle(w http.ResponseWriter, r *http.Request, call *executor.Call) {
	switch call.GetType() {
	case executor.Call_SUBSCRIBE:
		a.subscribe(w, r, call.GetSubscribe())
	case executor.Call_UPDATE:
		a.updated(call.GetUpdate().GetStatus())
		w.WriteHeader(http.StatusAccepted)
	default:
		http.Error(w, call.GetType().String(), http.StatusNotImplemented)
	}
}

func (a *Agent) updated(status *mesosv1.TaskStatus) {
	a.mu.Lock()
	silent := a.silent
	if silent {
		a.owed = append(a.owed, status)
	}
	a.mu.Unlock()
	if !silent {
		a.Acknowledge(status)
	}
	a.updates <- status
}

func (a *Agent) subscribe(w http.ResponseWriter, r *http.Request, call *executor.Call_Subscribe) {
	w.Header().Set("Content-Type", r.Header.Get("Accept"))
	w.WriteHeader(http.StatusOK)
	hangup := make(chan struct{})
	a.mu.Lock()
	if a.hangup != nil {
		close(a.hangup)
	}
	a.hangup, a.stream = hangup, recordio.NewWriter(w, 0)
	stream := a.stream
	text, err := proto.Marshal(&executor.Event{Type: executor.Event_SUBSCRIBED.Enum(), Subscribed: a.subscribed})
	if err == nil {
		err = stream.WriteRecord(text)
	}
	a.mu.Unlock()
	if err != nil {
		a.t.Logf("subscribe: %v", err)
		return
	}
	a.subscribes <- call
	select {
	case <-hangup:
	case <-r.Context().Done():
		a.mu.Lock()
		if a.hangup == hangup {
			a.hangup, a.stream = nil, nil
		}
		a.mu.Unlock()
	}
}
