package containers_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/shimtest"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/modules/containerizer/mesos"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// built is the folder with the shim.
var built string

func TestMain(m *testing.M) {
	if value := os.Getenv(agentVariable); value != "" {
		beAgent(value)
	}
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
type host struct {
	facade.Host
	state string
}

func (h host) Logger() *slog.Logger      { return slog.New(slog.DiscardHandler) }
func (h host) StateDir() (string, error) { return h.state, nil }

// real is a Service over the modules that ship.
type real struct {
	*containers.Service
	t       testing.TB
	runtime string
	work    string
	program string
	engine  containerizer.Containerizer
	isolate func() []containers.Isolator // of an agent that starts; nil: none
	fetch   func(context.Context, containers.FetchRequest) error
}

func launcherDir(t testing.TB) string { return shimtest.Dir(t, built) }

func newReal(t testing.TB) *real {
	r := &real{t: t, runtime: t.TempDir(), work: t.TempDir(), program: launcherDir(t)}
	r.begin(nil)
	return r
}

// begin is an agent that starts.
func (r *real) begin(known []*slave.ContainerState) containers.Recovered {
	r.t.Helper()
	ctx := context.Background()
	made, err := mesos.Library.Modules[0].Declare().New(ctx, host{state: r.runtime}, facade.Parameters{
		{Key: "launcher_dir", Value: r.program}, {Key: "runtime_dir", Value: r.runtime}})
	require.NoError(r.t, err)
	logger, err := sandbox.Library.Modules[0].Declare().New(ctx, host{}, nil)
	require.NoError(r.t, err)
	r.engine = made.(containerizer.Containerizer)
	config := containers.Config{
		Engines:          []containers.Engine{{Name: "mesos", Containerizer: r.engine, Logger: logger.(containerlogger.ContainerLogger)}},
		SandboxDirectory: "/mnt/mesos/sandbox", SwitchUser: true, Log: slog.New(slog.DiscardHandler), Fetch: r.fetch,
	}
	if r.isolate != nil {
		config.Isolators = r.isolate()
	}
	r.Service = containers.New(config)
	service, engine := r.Service, r.engine
	r.t.Cleanup(func() {
		for _, c := range service.Containers() {
			_, _ = service.Destroy(r.ctx(), c) // it may end by itself, or be the next agent's
		}
		stop(r.t, service, engine)
	})
	recovered, err := r.Recover(ctx, known)
	require.NoError(r.t, err)
	return recovered
}

// stop is an agent that ends and leaves its containers.
func stop(t testing.TB, s *containers.Service, engine containerizer.Containerizer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	assert.NoError(t, s.Close(ctx))
	assert.NoError(t, engine.(facade.Closer).Close(ctx))
}

func (r *real) ctx() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	r.t.Cleanup(cancel)
	return ctx
}

// request is a shell command in a sandbox of its own.
func (r *real) request(id *mesosv1.ContainerID, command string) containers.LaunchRequest {
	directory := filepath.Join(r.work, filepath.FromSlash(name(id)))
	require.NoError(r.t, os.MkdirAll(directory, 0o755))
	return containers.LaunchRequest{ID: id, Config: &slave.ContainerConfig{
		Directory:    proto.String(directory),
		CommandInfo:  &mesosv1.CommandInfo{Value: proto.String(command)},
		ExecutorInfo: &mesosv1.ExecutorInfo{ExecutorId: &mesosv1.ExecutorID{Value: proto.String("e")}, Command: &mesosv1.CommandInfo{}},
	}}
}

func (r *real) launch(request containers.LaunchRequest) {
	r.t.Helper()
	launched, err := r.Launch(r.ctx(), request)
	require.NoError(r.t, err)
	require.Equal(r.t, containers.Success, launched)
}

func name(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return name(id.GetParent()) + "/" + id.GetValue()
}

func id(values ...string) (all *mesosv1.ContainerID) {
	for _, v := range values {
		all = &mesosv1.ContainerID{Value: proto.String(v), Parent: all}
	}
	return all
}

func (r *real) output(id *mesosv1.ContainerID, file string) string {
	text, err := os.ReadFile(filepath.Join(r.work, filepath.FromSlash(name(id)), file))
	require.NoError(r.t, err)
	return string(text)
}

func TestACommandRuns(t *testing.T) {
	r := newReal(t)
	request := r.request(id("one"), "echo out; echo err >&2; echo $MESOS_SANDBOX $PATH; pwd; exit 3")
	request.PIDFile = filepath.Join(t.TempDir(), "pids", "forked.pid")
	r.launch(request)
	termination, err := r.Wait(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(3<<8), termination.GetStatus())
	directory := request.Config.GetDirectory()
	assert.Equal(t, "out\n"+directory+" /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"+directory+"\n", r.output(id("one"), "stdout"))
	assert.Equal(t, "err\n", r.output(id("one"), "stderr"))
	assert.FileExists(t, request.PIDFile)
	assert.NoDirExists(t, filepath.Join(r.runtime, "containers", "one"))
}

func TestADestroyedContainerEnds(t *testing.T) {
	r := newReal(t)
	r.launch(r.request(id("one"), "sleep 1000 & setsid sleep 1000 & wait"))
	termination, err := r.Destroy(r.ctx(), id("one"))
	require.NoError(t, err)
	assert.Equal(t, int32(9), termination.GetStatus())
	assert.Empty(t, r.Containers())
}
