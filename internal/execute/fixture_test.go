package execute

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
	schedulerv1 "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/recordio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// cluster is a master and its one agent.
type cluster struct {
	t      *testing.T
	server *httptest.Server

	// accepted is called for each ACCEPT, outside of all locks.
	accepted func(*schedulerv1.Call_Accept)

	mu        sync.Mutex
	offer     string // resources of the offers
	calls     []*schedulerv1.Call
	called    chan *schedulerv1.Call
	stream    *recordio.Writer
	json      bool
	hangup    chan struct{}
	files     map[string]string
	deny      int               // code for SUBSCRIBE
	passwords map[string]string // nil asks for none
	denied    int
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t, offer: "4", called: make(chan *schedulerv1.Call, 100), files: map[string]string{}, accepted: func(*schedulerv1.Call_Accept) {}}
	c.server = httptest.NewServer(http.HandlerFunc(c.serve))
	t.Cleanup(func() {
		c.disconnect()
		c.server.CloseClientConnections()
		c.server.Close()
	})
	return c
}

func (c *cluster) address() string { return strings.TrimPrefix(c.server.URL, "http://") }

func (c *cluster) write(path, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.files[path] += text
}

func (c *cluster) disconnect() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.hangup != nil {
		close(c.hangup)
		c.hangup, c.stream = nil, nil
	}
}

func (c *cluster) serve(w http.ResponseWriter, r *http.Request) {
	name, password, _ := r.BasicAuth()
	c.mu.Lock()
	allowed := c.passwords == nil || password != "" && c.passwords[name] == password
	if !allowed {
		c.denied++
	}
	c.mu.Unlock()
	if !allowed {
		http.Error(w, "Unauthorized.", http.StatusUnauthorized)
		return
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	switch r.URL.Path {
	case "/api/v1/scheduler":
		c.scheduler(w, r, text)
	case "/slave(1)/api/v1":
		c.agent(w, text)
	default:
		http.Error(w, r.URL.Path, http.StatusNotFound)
	}
}

func (c *cluster) agent(w http.ResponseWriter, text []byte) {
	call := &agentv1.Call{}
	if err := proto.Unmarshal(text, call); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	content, found := c.files[call.GetReadFile().GetPath()]
	c.mu.Unlock()
	if !found {
		http.Error(w, "no such file", http.StatusNotFound)
		return
	}
	data := content[min(int(call.GetReadFile().GetOffset()), len(content)):]
	data = data[:min(len(data), 7)] // as an agent may, it gives less than asked for
	answer, err := proto.Marshal(&agentv1.Response{Type: agentv1.Response_READ_FILE.Enum(),
		ReadFile: &agentv1.Response_ReadFile{Size: proto.Uint64(uint64(len(content))), Data: []byte(data)}})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
	_, _ = w.Write(answer)
}

func (c *cluster) scheduler(w http.ResponseWriter, r *http.Request, text []byte) {
	call := &schedulerv1.Call{}
	var err error
	json := r.Header.Get("Content-Type") == "application/json"
	if json {
		err = mesosjson.Unmarshal(text, call)
	} else {
		err = proto.Unmarshal(text, call)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	c.calls = append(c.calls, call)
	deny := c.deny
	c.mu.Unlock()
	if call.GetType() == schedulerv1.Call_SUBSCRIBE {
		if deny != 0 {
			http.Error(w, "told to deny", deny)
			return
		}
		c.subscribe(w, r, json)
		return
	}
	if r.Header.Get("Mesos-Stream-Id") != "stream-1" || call.GetFrameworkId().GetValue() != "framework-1" {
		http.Error(w, "wrong stream or framework", http.StatusBadRequest)
		return
	}
	c.mu.Lock()
	gone := c.stream == nil
	c.mu.Unlock()
	if gone {
		http.Error(w, "Framework cannot be found", http.StatusBadRequest)
		return
	}
	if call.GetType() == schedulerv1.Call_ACCEPT {
		c.accepted(call.GetAccept())
	}
	if call.GetType() == schedulerv1.Call_TEARDOWN {
		c.disconnect() // as the master does
	}
	c.called <- call
	w.WriteHeader(http.StatusAccepted)
}

func (c *cluster) subscribe(w http.ResponseWriter, r *http.Request, json bool) {
	w.Header().Set("Content-Type", r.Header.Get("Accept"))
	w.Header().Set("Mesos-Stream-Id", "stream-1")
	hangup := make(chan struct{})
	c.mu.Lock()
	c.stream, c.hangup, c.json = recordio.NewWriter(w, 0), hangup, json
	c.mu.Unlock()
	c.send(&schedulerv1.Event{Type: schedulerv1.Event_SUBSCRIBED.Enum(), Subscribed: &schedulerv1.Event_Subscribed{
		FrameworkId: &mesosv1.FrameworkID{Value: proto.String("framework-1")}}})
	c.send(&schedulerv1.Event{Type: schedulerv1.Event_HEARTBEAT.Enum()})
	c.sendOffer()
	select {
	case <-hangup:
	case <-r.Context().Done():
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.hangup == hangup {
			c.stream, c.hangup = nil, nil
		}
	}
}

func (c *cluster) send(event *schedulerv1.Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stream == nil {
		return
	}
	text, err := proto.Marshal(event)
	if c.json {
		text, err = mesosjson.Marshal(event)
	}
	if err == nil {
		err = c.stream.WriteRecord(text)
	}
	if err != nil {
		c.t.Logf("send: %v", err)
	}
}

func (c *cluster) sendOffer() {
	host, port, err := splitAddress(c.address())
	require.NoError(c.t, err)
	scalar := func(name, value string) *mesosv1.Resource {
		number, err := strconv.ParseFloat(value, 64)
		require.NoError(c.t, err)
		return &mesosv1.Resource{Name: &name, Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: &number}}
	}
	c.send(&schedulerv1.Event{Type: schedulerv1.Event_OFFERS.Enum(), Offers: &schedulerv1.Event_Offers{Offers: []*mesosv1.Offer{{
		Id: &mesosv1.OfferID{Value: proto.String("offer-1")}, FrameworkId: &mesosv1.FrameworkID{Value: proto.String("framework-1")},
		AgentId: &mesosv1.AgentID{Value: proto.String("agent-1")}, Hostname: proto.String("there"),
		Url: &mesosv1.URL{Scheme: proto.String("http"), Path: proto.String("/slave(1)"),
			Address: &mesosv1.Address{Ip: &host, Port: &port}},
		Resources: []*mesosv1.Resource{scalar("cpus", c.offer), scalar("mem", "1024"), scalar("disk", "100")},
	}}}})
}

func splitAddress(address string) (string, int32, error) {
	host, port, _ := strings.Cut(address, ":")
	number, err := strconv.Atoi(port)
	return host, int32(number), err
}

// update sends a status of a task, with a uuid that is made of its state.
func (c *cluster) update(task string, state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) {
	status := &mesosv1.TaskStatus{
		TaskId: &mesosv1.TaskID{Value: &task}, State: state.Enum(), AgentId: &mesosv1.AgentID{Value: proto.String("agent-1")},
		Source: mesosv1.TaskStatus_SOURCE_EXECUTOR.Enum(), Uuid: fmt.Appendf(nil, "%-16.16s", state),
	}
	if more != nil {
		more(status)
	}
	c.send(&schedulerv1.Event{Type: schedulerv1.Event_UPDATE.Enum(), Update: &schedulerv1.Event_Update{Status: status}})
}

// call waits for a call of a type; others are passed over.
func (c *cluster) call(want schedulerv1.Call_Type) *schedulerv1.Call {
	c.t.Helper()
	deadline := time.After(20 * time.Second)
	for {
		select {
		case call := <-c.called:
			if call.GetType() == want {
				return call
			}
		case <-deadline:
			require.FailNow(c.t, "no call came", want.String())
		}
	}
}

// program is mesos-execute under way.
type program struct {
	t              *testing.T
	stdout, stderr *text
	signals        chan os.Signal
	ended          chan int
}

type text struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *text) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *text) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

func execute(t *testing.T, args ...string) *program {
	p := &program{t: t, stdout: &text{}, stderr: &text{}, signals: make(chan os.Signal, 2), ended: make(chan int, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		p.ended <- Run(ctx, Options{Args: args, Version: "1.12.0", Stdout: p.stdout, Stderr: p.stderr, Signals: p.signals})
		close(p.ended)
	}()
	t.Cleanup(func() {
		cancel()
		for range p.ended { // until it is closed
		}
	})
	return p
}

// end waits for the program and checks its exit status.
func (p *program) end(want int) {
	p.t.Helper()
	select {
	case status := <-p.ended:
		assert.Equal(p.t, want, status, "stdout:\n%s\nstderr:\n%s", p.stdout, p.stderr)
	case <-time.After(20 * time.Second):
		require.FailNow(p.t, "the program does not end", "stdout:\n%s\nstderr:\n%s", p.stdout, p.stderr)
	}
}
