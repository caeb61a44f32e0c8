package view_test

import (
	"fmt"
	"io"
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/view"
	"github.com/mesos-modules/mms/internal/resources"
)

// large is a cluster with so many agents and, spread over twenty frameworks, running
// and completed tasks. Each task has what a usual one has: three resources, labels and
// statuses with container and address.
func large(b *testing.B, agents, running, completed int) *core.View {
	b.Helper()
	total, err := resources.Parse("cpus:24;mem:65536;disk:409600;ports:[31000-32000]", "*")
	require.NoError(b, err)
	used, err := resources.Parse("cpus:10;mem:1280;ports:[31000-31009]", "*")
	require.NoError(b, err)
	v := &core.View{
		Taken:   time.Unix(1_700_000_100, 0),
		Started: time.Unix(1_700_000_000, 0),
		Elected: time.Unix(1_700_000_001, 0),
		Info:    &mesosv1.MasterInfo{Id: proto.String("m"), Pid: proto.String("master@10.0.0.1:5050"), Hostname: proto.String("m"), Version: proto.String("1.12.0")},
	}
	v.Leader = v.Info
	for i := range agents {
		v.Agents = append(v.Agents, &core.AgentView{
			Info: &mesosv1.AgentInfo{
				Id: agentID(i), Hostname: proto.String(fmt.Sprintf("agent-%05d.example.org", i)),
				Attributes: []*mesosv1.Attribute{{Name: proto.String("rack"), Type: mesosv1.Value_TEXT.Enum(), Text: &mesosv1.Value_Text{Value: proto.String("r7")}}},
			},
			PID:        libprocess.PID{Name: "slave(1)", Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), 5051)},
			Version:    "1.12.0",
			Active:     true,
			Connected:  true,
			Registered: time.Unix(1_700_000_002, int64(i)*1000),
			Capabilities: []*mesosv1.AgentInfo_Capability{
				{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()},
				{Type: mesosv1.AgentInfo_Capability_HIERARCHICAL_ROLE.Enum()},
				{Type: mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT.Enum()},
			},
			Total: total,
			Used:  used.Allocate("web"),
		})
	}
	const frameworks = 20
	for i := range frameworks {
		f := &core.FrameworkView{
			Info: &mesosv1.FrameworkInfo{
				Id: &mesosv1.FrameworkID{Value: proto.String(fmt.Sprintf("b7a0ea5c-9d9e-4b1c-8a4b-0f8e3d8b4c11-%04d", i))}, User: proto.String("root"), Name: proto.String("marathon"),
				Roles: []string{"web"}, Capabilities: []*mesosv1.FrameworkInfo_Capability{{Type: mesosv1.FrameworkInfo_Capability_MULTI_ROLE.Enum()}},
			},
			Active: true, Connected: true, Registered: time.Unix(1_700_000_003, 0), Used: used.Allocate("web"),
		}
		for n := i; n < running; n += frameworks {
			f.Tasks = append(f.Tasks, task(f, n, agents, mesosv1.TaskState_TASK_RUNNING))
		}
		for n := i; n < completed; n += frameworks {
			f.Completed = append(f.Completed, task(f, running+n, agents, mesosv1.TaskState_TASK_FINISHED))
		}
		v.Frameworks = append(v.Frameworks, f)
	}
	return v
}

func agentID(i int) *mesosv1.AgentID {
	return &mesosv1.AgentID{Value: proto.String(fmt.Sprintf("b7a0ea5c-9d9e-4b1c-8a4b-0f8e3d8b4c11-S%d", i))}
}

func task(f *core.FrameworkView, n, agents int, state mesosv1.TaskState) *mesosv1.Task {
	port := uint64(31000 + n%1000)
	allocated := &mesosv1.Resource_AllocationInfo{Role: proto.String("web")}
	status := func(state mesosv1.TaskState) *mesosv1.TaskStatus {
		return &mesosv1.TaskStatus{
			State: state.Enum(), Timestamp: proto.Float64(1_700_000_010 + float64(n)/1e3),
			ContainerStatus: &mesosv1.ContainerStatus{
				ContainerId:  &mesosv1.ContainerID{Value: proto.String(fmt.Sprintf("5f3d1d4e-0000-4000-8000-%012d", n))},
				NetworkInfos: []*mesosv1.NetworkInfo{{IpAddresses: []*mesosv1.NetworkInfo_IPAddress{{IpAddress: proto.String("10.1.2.3")}}}},
			},
		}
	}
	return &mesosv1.Task{
		Name: proto.String("web.frontend"), TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprintf("web.frontend.5f3d1d4e-%08d", n))},
		FrameworkId: f.Info.Id, AgentId: agentID(n % agents), State: state.Enum(),
		Resources: []*mesosv1.Resource{
			{Name: proto.String("cpus"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(0.5)}, AllocationInfo: allocated},
			{Name: proto.String("mem"), Type: mesosv1.Value_SCALAR.Enum(), Scalar: &mesosv1.Value_Scalar{Value: proto.Float64(128)}, AllocationInfo: allocated},
			{Name: proto.String("ports"), Type: mesosv1.Value_RANGES.Enum(), Ranges: &mesosv1.Value_Ranges{Range: []*mesosv1.Value_Range{{Begin: &port, End: &port}}}, AllocationInfo: allocated},
		},
		Statuses: []*mesosv1.TaskStatus{status(mesosv1.TaskState_TASK_STARTING), status(state)},
		Labels:   &mesosv1.Labels{Labels: []*mesosv1.Label{{Key: proto.String("team"), Value: proto.String("web")}}},
	}
}

// counter counts what is written.
type counter struct{ bytes int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.bytes += int64(len(p))
	return len(p), nil
}

func measure(b *testing.B, write func(io.Writer) error) {
	b.Helper()
	b.ReportAllocs()
	var c counter
	for b.Loop() {
		c.bytes = 0
		require.NoError(b, write(&c))
	}
	b.ReportMetric(float64(c.bytes)/1e6, "MB")
}

// BenchmarkCluster writes the documents of a cluster with 20 000 agents, 200 000
// running and 200 000 completed tasks.
func BenchmarkCluster(b *testing.B) {
	v := large(b, 20_000, 200_000, 200_000)
	b.Run("state", func(b *testing.B) {
		measure(b, func(w io.Writer) error { return view.WriteState(w, v, view.Options{}) })
	})
	b.Run("state-summary", func(b *testing.B) {
		measure(b, func(w io.Writer) error { return view.WriteStateSummary(w, v, view.Options{}) })
	})
	b.Run("slaves", func(b *testing.B) {
		measure(b, func(w io.Writer) error { return view.WriteSlaves(w, v, view.Options{}) })
	})
	b.Run("tasks", func(b *testing.B) {
		measure(b, func(w io.Writer) error { return view.WriteTasks(w, v, view.Options{}) })
	})
	b.Run("GET_STATE", func(b *testing.B) {
		measure(b, func(w io.Writer) error {
			answer, _ := view.Answer(v, master.Call_GET_STATE, view.Approve{})
			return view.WriteJSON(w, answer)
		})
	})
}
