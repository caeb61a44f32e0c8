package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/about"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/flags"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/shimtest"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/operator"
	"github.com/mesos-modules/mms/internal/v1client"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// built is the folder with the shim.
var built string

func TestMain(m *testing.M) {
	folder, remove, err := shimtest.Build()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built = folder
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		remove()
		os.Exit(code)
	}))
}

// limit is how long anything may take that a test waits for.
const limit = 20 * time.Second

// host is what the modules under test ask for.
type host struct{ facade.Host }

func (host) Logger() *slog.Logger { return slog.New(slog.DiscardHandler) }

func load[T any](t testing.TB, library facade.Library, p facade.Parameters) T {
	made, err := library.Modules[0].Declare().New(t.Context(), host{}, p)
	require.NoError(t, err)
	return made.(T)
}

// static is an agent that does not change by itself.
type static struct {
	recovering bool
	view       *core.View
	measures   map[string]float64
}

func (s *static) Recovering() bool                            { return s.recovering }
func (s *static) View(context.Context) (*core.View, error)    { return s.view, nil }
func (s *static) Measures(context.Context) map[string]float64 { return s.measures }

// verbosity remembers what it was set to.
type verbosity struct {
	mu    sync.Mutex
	level uint32
	lasts time.Duration
}

func (v *verbosity) Level() uint32 {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.level
}

func (v *verbosity) Set(level uint32, lasts time.Duration) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.level, v.lasts = level, lasts
}

// station is an Operator that answers over HTTP.
type station struct {
	t         testing.TB
	operator  *operator.Operator
	agent     *static
	verbosity *verbosity
	files     *files.Files
	url       string
	stopping  context.CancelFunc
}

// serve serves an Operator; change may change how.
func serve(t testing.TB, view *core.View, held operator.Containers, realms apihttp.Realms, change func(*operator.Config)) *station {
	stopping, stop := context.WithCancel(context.Background())
	s := &station{
		t: t, agent: &static{view: view, measures: map[string]float64{"slave/registered": 1, "slave/cpus_total": 2.5}},
		verbosity: &verbosity{}, files: &files.Files{}, stopping: stop,
	}
	c := operator.Config{
		Agent: s.agent, Containers: held, Files: s.files, Log: slog.New(slog.DiscardHandler), Stopping: stopping,
		About: about.Program{Version: "1.12.0", Started: at(0), Verbosity: s.verbosity, Flags: func() []flags.NameValue {
			return []flags.NameValue{{Name: "log_dir", Value: "/var/log/mesos"}, {Name: "port", Value: "5051"}}
		}},
	}
	if change != nil {
		change(&c)
	}
	o := operator.New(c)
	s.operator = o
	routes := append(o.Routes(), s.files.Routes(apihttp.RealmReadOnly)...)
	server := httptest.NewServer(apihttp.NewRouter("/slave(1)", realms, routes, http.NotFoundHandler()))
	s.url = server.URL
	t.Cleanup(func() {
		stop()
		server.CloseClientConnections()
		server.Close()
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		o.Wait(ctx)
	})
	return s
}

// client speaks to the station in one form.
func (s *station) client(form v1client.Encoding) *v1client.Client {
	c, err := v1client.New(v1client.Config{Endpoint: s.url + "/api/v1", Encoding: form})
	require.NoError(s.t, err)
	s.t.Cleanup(c.Close)
	return c
}

func at(s int64) time.Time { return time.Unix(1_700_000_000+s, 250_000_000).UTC() }

// real are containers over the modules that ship, with one executor among them, as
// container E.
type real struct {
	*station
	service *containers.Service
	sandbox string
	client  *v1client.Client
}

var executorContainer = &mesosv1.ContainerID{Value: proto.String("E")}

func newReal(t testing.TB, change func(*operator.Config)) *real {
	programs := shimtest.Dir(t, built)
	engine := load[containerizer.Containerizer](t, mesos.Library, facade.Parameters{
		{Key: "launcher_dir", Value: programs}, {Key: "runtime_dir", Value: t.TempDir()}})
	service := containers.New(containers.Config{
		Engines: []containers.Engine{{Name: "mesos", Containerizer: engine, Logger: load[containerlogger.ContainerLogger](t, sandbox.Library, nil)}},
		Log:     slog.New(slog.DiscardHandler),
	})
	_, err := service.Recover(t.Context(), nil)
	require.NoError(t, err)
	r := &real{service: service, sandbox: t.TempDir()}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), limit)
		defer cancel()
		if _, err := service.Destroy(ctx, executorContainer); err != nil {
			assert.ErrorIs(t, err, containers.ErrUnknown)
		}
		assert.NoError(t, service.Close(ctx))
		assert.NoError(t, engine.(facade.Closer).Close(ctx))
	})
	info := &mesosv1.ExecutorInfo{
		ExecutorId: &mesosv1.ExecutorID{Value: proto.String("X")}, Command: &mesosv1.CommandInfo{Value: proto.String("exec sleep 1000")},
	}
	launched, err := service.Launch(t.Context(), containers.LaunchRequest{ID: executorContainer, Config: &slave.ContainerConfig{
		ExecutorInfo: info, CommandInfo: info.Command, Directory: &r.sandbox,
	}})
	require.NoError(t, err)
	require.Equal(t, containers.Success, launched)
	view := &core.View{
		Taken: at(1), Started: at(0), PID: libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort("127.0.0.1:5051")}, Version: "1.12.0",
		Info: &mesosv1.AgentInfo{Hostname: proto.String("host")},
		Frameworks: []*core.FrameworkView{{
			Info:      &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: proto.String("F")}, Name: proto.String("f"), User: proto.String("")},
			Executors: []*core.ExecutorView{{Info: info, Container: executorContainer, Directory: r.sandbox, Phase: core.ExecutorRunning}},
		}},
	}
	r.station = serve(t, view, service, nil, func(c *operator.Config) {
		c.SwitchUser = true
		if change != nil {
			change(c)
		}
	})
	r.client = r.station.client(v1client.Protobuf)
	return r
}

// nested is the id of a container in the executor's.
func nested(name string) *mesosv1.ContainerID {
	return &mesosv1.ContainerID{Value: &name, Parent: executorContainer}
}

func shell(text string) *mesosv1.CommandInfo { return &mesosv1.CommandInfo{Value: &text} }

func (r *real) call(call *agent.Call) (*agent.Response, error) {
	ctx, cancel := context.WithTimeout(r.t.Context(), limit)
	defer cancel()
	answer := &agent.Response{}
	return answer, r.client.Call(ctx, call, answer, nil)
}

func launch(id *mesosv1.ContainerID, command *mesosv1.CommandInfo, container *mesosv1.ContainerInfo) *agent.Call {
	return &agent.Call{Type: agent.Call_LAUNCH_CONTAINER.Enum(), LaunchContainer: &agent.Call_LaunchContainer{
		ContainerId: id, Command: command, Container: container}}
}

func wait(id *mesosv1.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_WAIT_CONTAINER.Enum(), WaitContainer: &agent.Call_WaitContainer{ContainerId: id}}
}

func kill(id *mesosv1.ContainerID, signal *int32) *agent.Call {
	return &agent.Call{Type: agent.Call_KILL_CONTAINER.Enum(), KillContainer: &agent.Call_KillContainer{ContainerId: id, Signal: signal}}
}

func remove(id *mesosv1.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_REMOVE_CONTAINER.Enum(), RemoveContainer: &agent.Call_RemoveContainer{ContainerId: id}}
}

func session(id *mesosv1.ContainerID, command *mesosv1.CommandInfo, container *mesosv1.ContainerInfo) *agent.Call {
	return &agent.Call{Type: agent.Call_LAUNCH_NESTED_CONTAINER_SESSION.Enum(), LaunchNestedContainerSession: &agent.Call_LaunchNestedContainerSession{
		ContainerId: id, Command: command, Container: container}}
}

func attachOutput(id *mesosv1.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_OUTPUT.Enum(), AttachContainerOutput: &agent.Call_AttachContainerOutput{ContainerId: id}}
}

func attachTo(id *mesosv1.ContainerID) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
		Type: agent.Call_AttachContainerInput_CONTAINER_ID.Enum(), ContainerId: id}}
}

func record(io *agent.ProcessIO) *agent.Call {
	return &agent.Call{Type: agent.Call_ATTACH_CONTAINER_INPUT.Enum(), AttachContainerInput: &agent.Call_AttachContainerInput{
		Type: agent.Call_AttachContainerInput_PROCESS_IO.Enum(), ProcessIo: io}}
}

func data(text string) *agent.Call {
	return record(&agent.ProcessIO{Type: agent.ProcessIO_DATA.Enum(), Data: &agent.ProcessIO_Data{Type: agent.ProcessIO_Data_STDIN.Enum(), Data: []byte(text)}})
}

func window(rows, columns uint32) *agent.Call {
	return record(&agent.ProcessIO{Type: agent.ProcessIO_CONTROL.Enum(), Control: &agent.ProcessIO_Control{
		Type:    agent.ProcessIO_Control_TTY_INFO.Enum(),
		TtyInfo: &mesosv1.TTYInfo{WindowSize: &mesosv1.TTYInfo_WindowSize{Rows: &rows, Columns: &columns}},
	}})
}

// terminal is a container with a terminal.
func terminal() *mesosv1.ContainerInfo {
	return &mesosv1.ContainerInfo{Type: mesosv1.ContainerInfo_MESOS.Enum(), TtyInfo: &mesosv1.TTYInfo{}}
}

// status is that of the answer to a call, whatever it is.
func (s *station) status(call proto.Message) int {
	body, err := proto.Marshal(call)
	require.NoError(s.t, err)
	response, err := http.Post(s.url+"/api/v1", apihttp.TypeProtobuf, bytes.NewReader(body))
	require.NoError(s.t, err)
	require.NoError(s.t, response.Body.Close())
	return response.StatusCode
}
