package operator_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os/exec"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/cgroupstest"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/modules/containerlogger/sandbox"
	"github.com/mesos-modules/mms/roles/containerizer"
	"github.com/mesos-modules/mms/roles/containerlogger"
)

// many is how many containers an agent has in these benchmarks.
const many = 1000

// BenchmarkContainers asks for /containers of an agent with a thousand, each with a
// process, and with what different isolators know of them.
func BenchmarkContainers(b *testing.B) {
	for _, chain := range cgroupstest.Chains {
		b.Run(chain.Name, func(b *testing.B) {
			service, view := crowded(b, chain.Libraries)
			s := serve(b, view, service, nil, nil)
			size, before := 0, used(b)
			for b.Loop() {
				response, err := http.Get(s.url + "/slave(1)/containers")
				require.NoError(b, err)
				body, err := io.ReadAll(response.Body)
				require.NoError(b, err)
				require.NoError(b, response.Body.Close())
				require.Equal(b, http.StatusOK, response.StatusCode)
				size = len(body)
			}
			b.ReportMetric(float64(size)/many, "bytes/container")
			b.ReportMetric(float64((used(b)-before).Milliseconds())/float64(b.N), "cpu-ms/op")
		})
	}
}

// used is the processor time of this process: what an answer takes on a machine that has
// nothing else to do, on one processor.
func used(b *testing.B) time.Duration {
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// crowded is a service with many containers, and an agent's view of it.
func crowded(b *testing.B, libraries []facade.Library) (*containers.Service, *core.View) {
	b.Helper()
	engine := &sleepers{processes: map[string]*exec.Cmd{}}
	config := containers.Config{
		Engines: []containers.Engine{{Name: "sleepers", Containerizer: engine, Logger: load[containerlogger.ContainerLogger](b, sandbox.Library, nil)}},
		Log:     slog.New(slog.DiscardHandler),
	}
	for _, i := range cgroupstest.Chain(b, libraries) {
		config.Isolators = append(config.Isolators, containers.Isolator{Name: "one", Isolator: i})
	}
	service := containers.New(config)
	_, err := service.Recover(b.Context(), nil)
	require.NoError(b, err)
	view := busyWith(b.TempDir())
	for _, e := range view.Frameworks[0].Executors {
		launched, err := service.Launch(b.Context(), containers.LaunchRequest{ID: e.Container, Config: &slave.ContainerConfig{
			ExecutorInfo: e.Info, CommandInfo: e.Info.Command, Resources: e.Resources, Directory: &e.Directory,
		}})
		require.NoError(b, err)
		require.Equal(b, containers.Success, launched)
	}
	b.Cleanup(func() {
		for _, e := range view.Frameworks[0].Executors {
			_, err := service.Destroy(context.Background(), e.Container)
			assert.NoError(b, err)
		}
		assert.NoError(b, service.Close(context.Background()))
	})
	return service, view
}

func busyWith(sandbox string) *core.View {
	v := empty()
	f := &core.FrameworkView{Info: &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: proto.String("F")}, Name: proto.String("f"), User: proto.String("")}}
	for n := range many {
		name := fmt.Sprint("executor-", n)
		f.Executors = append(f.Executors, &core.ExecutorView{
			Info: &mesosv1.ExecutorInfo{
				ExecutorId: &mesosv1.ExecutorID{Value: &name}, Name: &name, Source: &name, Command: &mesosv1.CommandInfo{Value: proto.String("sleep 1000")},
			},
			Container: &mesosv1.ContainerID{Value: proto.String(fmt.Sprint("container-", n))}, Directory: sandbox, Phase: core.ExecutorRunning,
			Resources: []*mesosv1.Resource{
				{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(0.001)}},
				{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(32)}},
			},
		})
	}
	v.Frameworks = []*core.FrameworkView{f}
	return v
}

// sleepers is a containerizer without shims: a thousand of these would measure the
// machine's memory.
type sleepers struct {
	containerizer.Containerizer // what it lacks is not called
	mu                          sync.Mutex
	processes                   map[string]*exec.Cmd
}

func (s *sleepers) Recover(context.Context, []*slave.ContainerState) (*slave.ContainerRecoverInfo, error) {
	return nil, nil
}

func (s *sleepers) Supports(context.Context, *mesosv1.ContainerID, *slave.ContainerConfig) (bool, error) {
	return true, nil
}

func (s *sleepers) Launch(_ context.Context, id *mesosv1.ContainerID, _ *slave.ContainerConfig, _ *slave.ContainerLaunchInfo, _ *slave.ContainerIO) (int32, error) {
	cmd := exec.Command("sleep", "1000")
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[id.GetValue()] = cmd
	return int32(cmd.Process.Pid), nil
}

func (s *sleepers) Watch(context.Context, *mesosv1.ContainerID, func(*slave.ContainerTermination)) error {
	return nil
}

func (s *sleepers) Start(context.Context, *mesosv1.ContainerID) error { return nil }

func (s *sleepers) Usage(context.Context, *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	return nil, nil
}

func (s *sleepers) Status(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return &mesosv1.ContainerStatus{ExecutorPid: proto.Uint32(uint32(s.processes[id.GetValue()].Process.Pid))}, nil
}

func (s *sleepers) Destroy(_ context.Context, id *mesosv1.ContainerID) error {
	s.mu.Lock()
	cmd := s.processes[id.GetValue()]
	s.mu.Unlock()
	_ = cmd.Process.Kill() // it may be gone
	_ = cmd.Wait()         // and this says that it was killed
	return nil
}

func (s *sleepers) End(context.Context, *mesosv1.ContainerID, *slave.ContainerTermination) error {
	return nil
}
