package slave

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/checkpoint"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/operator"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	tokens "github.com/mesos-modules/mms/modules/httpauthenticator/jwt"
	"github.com/mesos-modules/mms/modules/secretgenerator/jwt"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
	"github.com/mesos-modules/mms/roles/secretgenerator"
)

// limit is how long anything may take that a test waits for.
const limit = 20 * time.Second

// host is what the modules under test ask for.
type host struct{ facade.Host }

func (host) Requirements(reflect.Type) []any { return nil }

func (host) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

// master is the master's side of the link.
type master struct {
	t      testing.TB
	pid    libprocess.PID
	sender *libprocess.Sender
	agent  libprocess.PID
	in     chan received
}

type received struct {
	from    libprocess.PID
	to      string
	message proto.Message
}

func newMaster(t testing.TB) *master {
	m := &master{t: t, sender: libprocess.New(libprocess.Options{}), in: make(chan received, 1000)}
	server := httptest.NewServer(libprocess.Receiver(func(e libprocess.Envelope) bool {
		message, err := libprocess.Unmarshal(e)
		if assert.NoError(t, err) {
			m.in <- received{e.From, e.To, message}
		}
		return true
	}, http.NotFoundHandler()))
	m.pid = libprocess.PID{Name: "master", Addr: netip.MustParseAddrPort(server.Listener.Addr().String())}
	t.Cleanup(func() {
		m.sender.Close()
		server.CloseClientConnections()
		server.Close()
	})
	return m
}

// Detect implements the role MasterDetector: this master leads.
func (m *master) Detect(_ context.Context, _ *mesosv1.MasterInfo, sink func(*leadership.Leadership)) error {
	sink(&leadership.Leadership{Leader: &mesosv1.MasterInfo{
		Id: proto.String("M"), Ip: proto.Uint32(0), Port: proto.Uint32(uint32(m.pid.Addr.Port())), Pid: proto.String(m.pid.String()),
	}})
	return nil
}

func (m *master) send(message proto.Message) { m.sender.Post(m.agent, "master", m.pid.Addr, message) }

// next waits for a message of the agent of type M; others are passed over.
func next[M proto.Message](m *master) (M, received) {
	m.t.Helper()
	timeout := time.After(limit)
	for {
		select {
		case r := <-m.in:
			if message, ok := r.message.(M); ok {
				return message, r
			}
		case <-timeout:
			var none M
			require.FailNow(m.t, "no message came", "%T", none)
		}
	}
}

// admit lets the agent in.
func (m *master) admit() {
	m.t.Helper()
	_, from := next[*wire.RegisterSlaveMessage](m)
	m.agent = from.from
	m.send(&wire.SlaveRegisteredMessage{SlaveId: agentID})
	next[*wire.UpdateSlaveMessage](m)
}

var (
	agentID     = &mesosv1.AgentID{Value: proto.String("A")}
	frameworkID = &mesosv1.FrameworkID{Value: proto.String("F")}
)

func framework() *mesosv1.FrameworkInfo {
	return &mesosv1.FrameworkInfo{
		Id: frameworkID, Name: proto.String("f"), User: proto.String(""), Checkpoint: proto.Bool(true),
		Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_PARTITION_AWARE.Enum()}},
	}
}

func shell(id, text string) *mesosv1.TaskInfo {
	all, err := resources.Parse("cpus:0.1;mem:32", "*")
	if err != nil {
		panic(err)
	}
	return &mesosv1.TaskInfo{
		Name: proto.String(id), TaskId: &mesosv1.TaskID{Value: proto.String(id)}, AgentId: agentID,
		Resources: all.Allocate("*").Messages(), Command: &mesosv1.CommandInfo{Value: proto.String(text)},
	}
}

func (m *master) run(task *mesosv1.TaskInfo) {
	m.send(&wire.RunTaskMessage{Framework: framework(), Task: task, LaunchExecutor: proto.Bool(true)})
}

// status waits for an update and acknowledges it.
func (m *master) status() *mesosv1.TaskStatus {
	m.t.Helper()
	u, _ := next[*wire.StatusUpdateMessage](m)
	m.send(&wire.StatusUpdateAcknowledgementMessage{
		SlaveId: agentID, FrameworkId: frameworkID, TaskId: u.GetUpdate().GetStatus().GetTaskId(), Uuid: u.GetUpdate().GetUuid(),
	})
	return u.GetUpdate().GetStatus()
}

// agent is an agent over the modules that ship.
type agent struct {
	*Slave
	server *httptest.Server
	work   string
	stop   func()
}

// folders are what outlives an agent.
type folders struct{ work, runtime, programs, listen string }

func newFolders(t testing.TB) folders {
	f := folders{work: t.TempDir(), runtime: t.TempDir(), programs: t.TempDir()}
	self, err := os.Executable()
	require.NoError(t, err)
	for _, program := range []string{mesos.Program, "mesos-executor", "mesos-default-executor"} {
		require.NoError(t, os.Symlink(self, filepath.Join(f.programs, program)))
	}
	return f
}

func load[T any](t testing.TB, library facade.Library, p facade.Parameters) T {
	made, err := library.Modules[0].Declare().New(t.Context(), host{}, p)
	require.NoError(t, err)
	return made.(T)
}

// start starts an agent; change may change how.
func (f *folders) start(t testing.TB, m *master, change func(*Config)) *agent {
	t.Helper()
	if f.listen == "" {
		f.listen = "127.0.0.1:0"
	}
	var listener net.Listener
	require.Eventually(t, func() (ok bool) {
		var err error
		listener, err = net.Listen("tcp", f.listen)
		return err == nil
	}, limit, 10*time.Millisecond)
	f.listen = listener.Addr().String()
	address := netip.MustParseAddrPort(f.listen)
	all, err := resources.Parse("cpus:4;mem:1024;disk:1024;ports:[31000-32000]", "*")
	require.NoError(t, err)
	engine := load[containerizer.Containerizer](t, mesos.Library, facade.Parameters{
		{Key: "launcher_dir", Value: f.programs}, {Key: "runtime_dir", Value: f.runtime}})
	cfg := Config{
		Core: core.Config{
			Info:    &mesosv1.AgentInfo{Hostname: proto.String("host"), Port: proto.Int32(int32(address.Port())), Resources: all.Messages()},
			Version: "1.12.0", PID: libprocess.PID{Name: Process, Addr: address}, Random: rand.New(rand.NewPCG(1, 2)), Started: time.Now(),
			WorkDir: f.work, LauncherDir: f.programs, ExecutorRegistrationTimeout: time.Minute, ExecutorReregistration: 10 * time.Second,
			ExecutorShutdownGrace: 5 * time.Second, RecoveryTimeout: time.Minute, Strict: true, MaxCompletedExecutors: 150,
		},
		Log: slog.New(slog.DiscardHandler), Address: address, Detector: m,
		Containers: containers.New(containers.Config{
			Engines: []containers.Engine{{Name: "mesos", Containerizer: engine, Logger: load[containerlogger.ContainerLogger](t, sandbox.Library, nil)}},
			Log:     slog.New(slog.DiscardHandler),
		}),
		Secrets: load[secretgenerator.SecretGenerator](t, jwt.Library, facade.Parameters{{Key: "key", Value: "k3y"}}),
		Fail:    func(reason error) { assert.NoError(t, reason) },
	}
	if os.Getenv("AGENT_LOG") != "" {
		cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	if change != nil {
		change(&cfg)
	}
	cfg.Store, err = checkpoint.Open(f.work)
	require.NoError(t, err)
	a := &agent{Slave: New(cfg), work: f.work}
	require.NoError(t, a.Start(t.Context()))
	realms := apihttp.Realms{}
	if cfg.Core.AuthenticateHTTPExecutors {
		realms[apihttp.RealmExecutors] = apihttp.Modules(cfg.Log, load[httpauthenticator.HttpAuthenticator](t, tokens.Library, facade.Parameters{{Key: "key", Value: "k3y"}}))
	}
	stopping, stop := context.WithCancel(context.Background())
	tools := operator.New(operator.Config{Agent: asked{Slave: a.Slave}, Containers: cfg.Containers, Files: &files.Files{}, Log: cfg.Log, Stopping: stopping})
	a.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: a.Handler(realms, tools.Routes(), http.NotFoundHandler())}}
	a.server.Start()
	stopped := false
	a.stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		stop()
		assert.NoError(t, a.Stop(ctx))
		a.server.CloseClientConnections()
		a.server.Close()
		tools.Wait(ctx)
		assert.NoError(t, engine.(facade.Closer).Close(ctx))
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		for _, id := range cfg.Containers.Containers() {
			if !stopped {
				_, _ = cfg.Containers.Destroy(ctx, id) // it may have ended by itself
			}
		}
		a.stop()
	})
	return a
}

func TestACommandTaskRunsToItsEnd(t *testing.T) {
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()

	m.run(shell("T", "echo hello; exit 0"))
	var states []mesosv1.TaskState
	for {
		s := m.status()
		states = append(states, s.GetState())
		if s.GetState() != mesosv1.TaskState_TASK_STARTING && s.GetState() != mesosv1.TaskState_TASK_RUNNING {
			break
		}
	}
	assert.Equal(t, []mesosv1.TaskState{mesosv1.TaskState_TASK_STARTING, mesosv1.TaskState_TASK_RUNNING, mesosv1.TaskState_TASK_FINISHED}, states)

	out, err := os.ReadFile(filepath.Join(f.work, "slaves/A/frameworks/F/executors/T/runs/latest/stdout"))
	require.NoError(t, err)
	assert.Contains(t, string(out), "hello\n")
	require.Eventually(t, func() bool {
		v, err := a.View(t.Context())
		return err == nil && len(v.Frameworks) == 0 && len(v.Completed) == 1
	}, limit, 10*time.Millisecond, "the executor ends, and nothing of the framework is left")
}
