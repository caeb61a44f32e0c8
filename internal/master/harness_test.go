package master

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/daemon"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/registry"
	"github.com/mesos-modules/mms/internal/recordio"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for what must happen; nothing takes it when all is well.
const patience = 20 * time.Second

var discard = slog.New(slog.DiscardHandler)

// bare is a master of which a test uses parts.
func bare(c Config) *Master {
	c.Core.Info, c.Log, c.Stopping = &mesosv1.MasterInfo{Id: proto.String("M")}, discard, context.Background()
	return New(c)
}

// world is a running master behind a real socket.
type world struct {
	t      testing.TB
	m      *Master
	server *httptest.Server
	alloc  *allocating
	failed chan error
	stop   context.CancelFunc // what the daemon does first when it stops
}

// options change a world before it starts.
type options struct {
	config func(*Config)
	realms apihttp.Realms
	paths  []string // disabled
	env    map[string]string
	idle   bool // it is not waited until the master leads
}

// start starts a master, which leads when start returns.
func start(t testing.TB, o options) *world {
	t.Helper()
	w := &world{t: t, alloc: &allocating{}, failed: make(chan error, 10)}
	stopping, stop := context.WithCancel(context.Background())
	w.stop = stop
	w.server = httptest.NewUnstartedServer(nil)
	self := netip.MustParseAddrPort(w.server.Listener.Addr().String())
	c := Config{
		Core: core.Config{
			Info: &mesosv1.MasterInfo{Id: proto.String("M"), Ip: proto.Uint32(16777343), Port: proto.Uint32(uint32(self.Port())),
				Pid: proto.String("master@" + self.String()), Hostname: proto.String("master.example"), Version: proto.String("1.12.0")},
			Random: rand.New(rand.NewPCG(1, 2)), Started: time.Now(), HeartbeatInterval: 15 * time.Second,
			AgentPingTimeout: 15 * time.Second, MaxAgentPingTimeouts: 5, AgentReregisterTimeout: 10 * time.Minute,
			RecoveryAgentRemovalLimit: 100, RegistryGCInterval: 15 * time.Minute, RegistryMaxAgentAge: time.Hour, RegistryMaxAgentCount: 10,
			MaxCompletedFrameworks: 5, MaxCompletedTasks: 5, MaxUnreachableTasks: 5, MaxOperatorStreams: 2000, RootSubmissions: true,
		},
		Self: self, Log: discard, Stopping: stopping, Fail: func(err error) { w.failed <- err },
		Registry: registry.InMemory(), FetchTimeout: patience, StoreTimeout: patience,
		Allocator: w.alloc, Contender: standing1{}, Detector: standing1{}, AuthenticationTimeout: patience,
		Flags: func() []flags.NameValue {
			return []flags.NameValue{{Name: "cluster", Value: "test"}, {Name: "port", Value: "5050"}}
		},
		Verbosity: &verbosity{}, Sender: libprocess.New(libprocess.Options{}),
	}
	if o.config != nil {
		o.config(&c)
	}
	w.m = New(c)
	w.server.Config.Handler = w.m.routes(daemon.Host{Log: discard, Env: func(name string) string { return o.env[name] }}, o.realms, o.paths,
		http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "face", http.StatusNotFound) }))
	w.server.Start()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	require.NoError(t, w.m.Start(ctx))
	t.Cleanup(w.end)
	for !o.idle && !w.m.state.Load().recovered {
		_, err := w.m.View(ctx) // gives the loop a turn
		require.NoError(t, err)
	}
	return w
}

// end stops the master as the daemon does.
func (w *world) end() {
	w.stop()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	w.server.CloseClientConnections()
	w.server.Close()
	if err := w.m.Stop(ctx); err != nil {
		w.t.Error(err)
	}
}

// standing1 is the election of one.
type standing1 struct{}

func (standing1) Initialize(context.Context, *mesosv1.MasterInfo) error { return nil }
func (standing1) Contend(_ context.Context, sink func(*leadership.Candidacy)) error {
	sink(&leadership.Candidacy{State: leadership.Candidacy_ENTERED.Enum()})
	return nil
}

func (standing1) Detect(_ context.Context, self *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	sink(&leadership.Leadership{Leader: self})
	return nil
}

// ruled is an election whose end a test says.
type ruled struct {
	standing1
	sink func(*leadership.Leadership)
}

func (r *ruled) Detect(_ context.Context, _ *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	r.sink = sink
	return nil
}

type verbosity struct {
	mu    sync.Mutex
	level uint32
}

func (v *verbosity) Level() uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.level
}

func (v *verbosity) Set(level uint32, _ time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.level = level
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

func (w *world) do(method, path, body string, headers ...string) reply {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), patience)
	defer cancel()
	q, err := http.NewRequestWithContext(ctx, method, w.server.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	for i := 0; i < len(headers); i += 2 {
		q.Header.Add(headers[i], headers[i+1])
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{DisableKeepAlives: true, DisableCompression: true}}
	r, err := client.Do(q)
	require.NoError(w.t, err)
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	require.NoError(w.t, err)
	return reply{r.StatusCode, r.Header, string(b)}
}

func (w *world) get(path string, headers ...string) reply {
	w.t.Helper()
	return w.do(http.MethodGet, path, "", headers...)
}

const (
	schedulerPath = "/api/v1/scheduler"
	operatorPath  = "/api/v1"
	contentType   = "Content-Type"
)

// call posts JSON.
func (w *world) call(path, body string, headers ...string) reply {
	w.t.Helper()
	return w.do(http.MethodPost, path, body, append([]string{contentType, apihttp.TypeJSON}, headers...)...)
}

// events is an open stream.
type events struct {
	t      testing.TB
	header http.Header
	body   io.Closer
	r      *recordio.Reader
	cancel context.CancelFunc
}

// subscribe opens a stream.
func (w *world) subscribe(path, body string) *events {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	w.t.Cleanup(cancel)
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, w.server.URL+path, strings.NewReader(body))
	require.NoError(w.t, err)
	q.Header.Set(contentType, apihttp.TypeJSON)
	r, err := (&http.Transport{DisableKeepAlives: true}).RoundTrip(q)
	require.NoError(w.t, err)
	w.t.Cleanup(func() { _ = r.Body.Close() })
	require.Equal(w.t, http.StatusOK, r.StatusCode)
	return &events{w.t, r.Header, r.Body, recordio.NewReader(r.Body, 1<<30), cancel}
}

// next is the next event.
func (e *events) next() map[string]any {
	e.t.Helper()
	record, err := e.r.Next()
	require.NoError(e.t, err)
	var event map[string]any
	require.NoError(e.t, json.Unmarshal(record, &event))
	return event
}

// over requires that the stream ends here.
func (e *events) over() {
	e.t.Helper()
	_, err := e.r.Next()
	require.Truef(e.t, errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || isReset(err), "the stream ends with %v", err)
}

func isReset(err error) bool { return strings.Contains(err.Error(), "reset") }

// close leaves, as a client does that dies.
func (e *events) close() { e.cancel(); _ = e.body.Close() }

const aFramework = `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n"}}}`

// framework is a subscribed scheduler.
type framework struct {
	*events
	id, stream string
}

func (w *world) framework(info string) *framework {
	w.t.Helper()
	e := w.subscribe(schedulerPath, `{"type":"SUBSCRIBE","subscribe":{"framework_info":`+info+`}}`)
	first := e.next()
	require.Equal(w.t, "SUBSCRIBED", first["type"], "%v", first)
	id := first["subscribed"].(map[string]any)["framework_id"].(map[string]any)["value"].(string)
	require.Equal(w.t, "HEARTBEAT", e.next()["type"])
	return &framework{e, id, e.header.Get(streamHeader)}
}

// peer is an agent's side: it takes what the master sends, and sends to it.
type peer struct {
	t      testing.TB
	w      *world
	server *httptest.Server
	addr   netip.AddrPort
	got    chan libprocess.Envelope // what is too much is dropped
	sender *libprocess.Sender
}

func (w *world) peer() *peer {
	p := &peer{t: w.t, w: w, got: make(chan libprocess.Envelope, 100), sender: libprocess.New(libprocess.Options{})}
	p.server = httptest.NewServer(libprocess.Receiver(func(e libprocess.Envelope) bool {
		select {
		case p.got <- e:
		default:
		}
		return true
	}, http.NotFoundHandler()))
	p.addr = netip.MustParseAddrPort(p.server.Listener.Addr().String())
	w.t.Cleanup(func() {
		p.sender.Close()
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

func (p *peer) send(from, to string, m proto.Message) {
	p.sender.Post(libprocess.PID{Name: to, Addr: p.w.m.c.Self}, from, p.addr, m)
}

// next is the next message, and who sent it to whom.
func (p *peer) next() (libprocess.Envelope, proto.Message) {
	p.t.Helper()
	select {
	case e := <-p.got:
		m, err := libprocess.Unmarshal(e)
		require.NoError(p.t, err)
		return e, m
	case <-time.After(patience):
		require.FailNow(p.t, "the master sends nothing")
		return libprocess.Envelope{}, nil
	}
}

// raw sends bytes and returns what comes back until the other side closes.
func (w *world) raw(text string) string {
	w.t.Helper()
	c, err := net.Dial("tcp", w.server.Listener.Addr().String())
	require.NoError(w.t, err)
	defer c.Close()
	_, err = io.WriteString(c, text)
	require.NoError(w.t, err)
	var b bytes.Buffer
	_, err = b.ReadFrom(bufio.NewReader(c))
	require.NoError(w.t, err)
	return b.String()
}
