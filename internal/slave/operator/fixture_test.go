package operator_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/slave/containers"
	"github.com/mesos-modules/mms/internal/slave/core"
	"github.com/mesos-modules/mms/internal/slave/operator"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a document with testdata/name.json, which has it with line breaks;
// order and form of all values count.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented, compact bytes.Buffer
	require.NoError(t, json.Indent(&indented, got, "", " "), string(got))
	indented.WriteByte('\n')
	require.NoError(t, json.Compact(&compact, got))
	assert.Equal(t, compact.String(), string(got), "no white space")
	file := filepath.Join("testdata", name+".json")
	if *update {
		require.NoError(t, os.WriteFile(file, indented.Bytes(), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), indented.String())
}

func message[M any, P interface {
	*M
	proto.Message
}](t *testing.T, text string) P {
	t.Helper()
	m := P(new(M))
	require.NoError(t, mesosjson.Unmarshal([]byte(text), m))
	return m
}

func messages(t *testing.T, text string) []*mesosv1.Resource {
	t.Helper()
	r, err := resources.Parse(text, "*")
	require.NoError(t, err)
	return r.Messages()
}

func allocated(t *testing.T, text, role string) []*mesosv1.Resource {
	t.Helper()
	r, err := resources.Parse(text, "*")
	require.NoError(t, err)
	return r.Allocate(role).Messages()
}

func task(t *testing.T, id, rest string) *mesosv1.Task {
	return message[mesosv1.Task](t, `{"name":"n-`+id+`","task_id":{"value":"`+id+`"},"framework_id":{"value":"F1"},"agent_id":{"value":"A"},
		"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.5},"allocation_info":{"role":"web"}}]`+rest+`}`)
}

// empty is an agent that nothing runs on, before its first registration.
func empty() *core.View {
	return &core.View{
		Taken: at(9), Started: at(0), Version: "1.12.0", PID: libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort("10.0.0.2:5051")},
		Info: &mesosv1.AgentInfo{Hostname: proto.String("host")},
	}
}

// busy is an agent with one of everything.
func busy(t *testing.T) *core.View {
	v := empty()
	v.Info = message[mesosv1.AgentInfo](t, `{"hostname":"host","port":5051,"id":{"value":"A"},
		"attributes":[{"name":"rack","type":"TEXT","text":{"value":"r1"}},{"name":"slots","type":"SCALAR","scalar":{"value":4}}],
		"domain":{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}}`)
	v.Info.Resources = messages(t, "cpus:4;mem:1024;disk:2048;ports:[31000-32000];cpus(web):2;mem(web):64")
	v.Capabilities = []*mesosv1.AgentInfo_Capability{{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesosv1.AgentInfo_Capability_AGENT_DRAINING.Enum()}}
	v.Master = &mesosv1.MasterInfo{Id: proto.String("M"), Ip: proto.Uint32(1), Port: proto.Uint32(5050), Hostname: proto.String("leader")}
	v.Drain, v.DrainStarted = message[mesosv1.DrainConfig](t, `{"max_grace_period":{"nanoseconds":5},"mark_gone":false}`), at(5)
	v.Frameworks = []*core.FrameworkView{one(t), two(t)}
	v.Completed = []*core.FrameworkView{{
		Info: message[mesosv1.FrameworkInfo](t, `{"id":{"value":"F0"},"name":"old","user":"bob","role":"ops"}`),
		Completed: []*core.ExecutorView{{
			Info:      message[mesosv1.ExecutorInfo](t, `{"executor_id":{"value":"t0"},"framework_id":{"value":"F0"},"command":{"value":"x"},"name":"Command Executor","source":"t0"}`),
			Container: &mesosv1.ContainerID{Value: proto.String("C0")}, Directory: "/work/F0/t0", Phase: core.ExecutorTerminated, Generated: true,
			Completed: []*mesosv1.Task{task(t, "t0", `,"state":"TASK_FINISHED"`)},
		}},
	}}
	return v
}

// one has a custom executor with tasks in every state, and one that has ended.
func one(t *testing.T) *core.FrameworkView {
	executor := message[mesosv1.ExecutorInfo](t, `{"type":"CUSTOM","executor_id":{"value":"E1"},"framework_id":{"value":"F1"},"command":{"value":"run"},
		"name":"mine","source":"src","labels":{"labels":[{"key":"k","value":"v"}]},
		"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1},"allocation_info":{"role":"web"}}]}`)
	return &core.FrameworkView{
		Info: message[mesosv1.FrameworkInfo](t, `{"id":{"value":"F1"},"name":"first","user":"alice","failover_timeout":60,"checkpoint":true,
			"hostname":"there","principal":"p","roles":["web","ops"],"capabilities":[{"type":"MULTI_ROLE"}]}`),
		Pending: []core.PendingTask{{Executor: executor, Task: message[mesosv1.TaskInfo](t, `{"name":"pending","task_id":{"value":"t1"},"agent_id":{"value":"A"},
			"executor":{"executor_id":{"value":"E1"},"command":{"value":"run","user":"carol"}}}`)}},
		Executors: []*core.ExecutorView{{
			Info: executor, Container: &mesosv1.ContainerID{Value: proto.String("C1")}, Directory: "/work/F1/E1", User: "alice", Phase: core.ExecutorRunning,
			Resources: allocated(t, "cpus:1.1;mem(web):32", "web"),
			Queued: []*mesosv1.TaskInfo{message[mesosv1.TaskInfo](t, `{"name":"queued","task_id":{"value":"t2"},"agent_id":{"value":"A"},
				"executor":{"executor_id":{"value":"E1"}},"discovery":{"visibility":"CLUSTER","name":"d"},
				"resources":[{"name":"mem","type":"SCALAR","scalar":{"value":32},"allocation_info":{"role":"web"}}]}`)},
			Launched: []*mesosv1.Task{task(t, "t3", `,"executor_id":{"value":"E1"},"state":"TASK_RUNNING","user":"dave","labels":{"labels":[{"key":"k"}]},
				"limits":{"mem":{"value":64}},"statuses":[{"task_id":{"value":"t3"},"state":"TASK_RUNNING","timestamp":1700000000.5,"healthy":true,"uuid":"AAAA",
				"container_status":{"container_id":{"value":"C3","parent":{"value":"C1"}},"network_infos":[{"ip_addresses":[{"protocol":"IPv4","ip_address":"10.0.0.2"}]}]}}]`)},
			Terminated: []*mesosv1.Task{task(t, "t4", `,"state":"TASK_KILLED"`)},
			Completed:  []*mesosv1.Task{task(t, "t5", `,"state":"TASK_FAILED"`)},
		}},
		Completed: []*core.ExecutorView{{
			Info: message[mesosv1.ExecutorInfo](t, `{"executor_id":{"value":"E0"},"framework_id":{"value":"F1"}}`), Phase: core.ExecutorTerminated,
			Container: &mesosv1.ContainerID{Value: proto.String("C9")}, Directory: "/work/F1/E0", Completed: []*mesosv1.Task{task(t, "t6", `,"state":"TASK_LOST"`)},
		}},
	}
}

// two has a task with a command of its own, which waits.
func two(t *testing.T) *core.FrameworkView {
	return &core.FrameworkView{
		Info: message[mesosv1.FrameworkInfo](t, `{"id":{"value":"F2"},"name":"second","user":"","role":"*"}`),
		Executors: []*core.ExecutorView{{
			Info:      message[mesosv1.ExecutorInfo](t, `{"executor_id":{"value":"t7"},"framework_id":{"value":"F2"},"name":"Command Executor","source":"t7"}`),
			Container: &mesosv1.ContainerID{Value: proto.String("C2")}, Directory: "/work/F2/t7", Phase: core.ExecutorRegistering, Generated: true,
			Resources: allocated(t, "cpus:0.2;ports:[31000-31001]", "*"),
			Queued: []*mesosv1.TaskInfo{message[mesosv1.TaskInfo](t, `{"name":"command","task_id":{"value":"t7"},"agent_id":{"value":"A"},
				"command":{"value":"sleep 1","shell":true,"environment":{"variables":[{"name":"A","value":"b"}]},"uris":[{"value":"http://x/y","executable":true}]}}`)},
		}},
	}
}

// measured are containers of which everything is known; of C2 nothing, for it has just
// ended.
type measured struct {
	others
	nested []*mesosv1.ContainerID
}

// others panic.
type others interface{ operator.Containers }

var errEnded = errors.New("it has ended")

func (m measured) Containers() []*mesosv1.ContainerID { return m.nested }

func (m measured) Usage(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	if id.GetValue() == "C2" {
		return nil, errEnded
	}
	return &mesosv1.ResourceStatistics{Timestamp: proto.Float64(1700000001.5), CpusLimit: proto.Float64(1.1), MemRssBytes: proto.Uint64(4096)}, nil
}

func (m measured) Status(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	if id.GetValue() == "C2" {
		return nil, errEnded
	}
	return &mesosv1.ContainerStatus{ContainerId: id, ExecutorPid: proto.Uint32(42)}, nil
}

func (m measured) Wait(context.Context, *mesosv1.ContainerID) (*slave.ContainerTermination, error) {
	return nil, containers.ErrUnknown
}

func (m measured) PruneImages(context.Context, []*mesosv1.Image) error { return nil }

var known = measured{nested: []*mesosv1.ContainerID{
	{Value: proto.String("C1")}, {Value: proto.String("C3"), Parent: &mesosv1.ContainerID{Value: proto.String("C1")}}, {Value: proto.String("C2")},
}}
