package view_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/view"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/resources"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares a document with testdata/name.json, which has it with line breaks;
// order and form of all values count.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	var indented, compact bytes.Buffer
	require.NoError(t, json.Indent(&indented, got, "", " "))
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

func parsed(t *testing.T, text string) resources.Resources {
	t.Helper()
	r, err := resources.Parse(text, "*")
	require.NoError(t, err)
	return r
}

func of(t *testing.T, messages string) resources.Resources {
	t.Helper()
	all, err := mesosjson.UnmarshalArray[mesosv1.Resource]([]byte(messages))
	require.NoError(t, err)
	r, err := resources.New(all)
	require.NoError(t, err)
	return r
}

func at(s int64) time.Time { return time.Unix(1_700_000_000+s, 250_000_000) }

// small is a view with one of everything.
func small(t *testing.T) *core.View {
	dynamic := of(t, `[{"name":"disk","type":"SCALAR","scalar":{"value":64},"reservations":[{"type":"DYNAMIC","role":"eng","principal":"p"}]},
		{"name":"cpus","type":"SCALAR","scalar":{"value":2},"revocable":{}}]`)
	total := parsed(t, "cpus:8;mem:1024;disk:1000;gpus:1;ports:[31000-31005,31007-32000];zones:{a,b};cpus(eng/web):2").Add(dynamic)
	used := parsed(t, "cpus:1.5;mem:160;ports:[31000-31000]").Allocate("eng/web")
	offered := parsed(t, "cpus:6.5").Allocate("eng/web")
	info := message[mesosv1.MasterInfo](t, `{"id":"m-1","ip":16777343,"port":5050,"pid":"master@127.0.0.1:5050","hostname":"m.example.org","version":"1.12.0",
		"address":{"hostname":"m.example.org","ip":"127.0.0.1","port":5050},"capabilities":[{"type":"AGENT_UPDATE"},{"type":"QUOTA_V2"}],
		"domain":{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}}`)
	return &core.View{
		Taken: at(100), Started: at(0), Elected: at(1), Info: info, Leader: info,
		Frameworks: []*core.FrameworkView{rich(t, used, offered), plain(t)},
		Completed:  []*core.FrameworkView{ended(t)},
		Agents: []*core.AgentView{
			{
				Info: message[mesosv1.AgentInfo](t, `{"hostname":"a1.example.org","id":{"value":"m-1-S0"},
					"attributes":[{"name":"rack","type":"TEXT","text":{"value":"r1"}},{"name":"level","type":"SCALAR","scalar":{"value":2.5}}],
					"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":8}}],
					"domain":{"fault_domain":{"region":{"name":"r"},"zone":{"name":"z"}}}}`),
				PID: libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort("10.0.0.1:5051")}, Version: "1.12.0",
				Capabilities: []*mesosv1.AgentInfo_Capability{{Type: mesosv1.AgentInfo_Capability_MULTI_ROLE.Enum()}, {Type: mesosv1.AgentInfo_Capability_AGENT_DRAINING.Enum()}},
				Active:       true, Connected: true, Registered: at(2), Reregistered: at(50),
				Drain: message[mesosv1.DrainInfo](t, `{"state":"DRAINING","config":{"max_grace_period":{"nanoseconds":5}}}`), DrainStarted: at(60),
				Total: total, Used: used, Offered: offered,
				Providers: []*mesosv1.ResourceProviderInfo{message[mesosv1.ResourceProviderInfo](t, `{"type":"t","name":"n","id":{"value":"rp"}}`)},
			},
			{
				Info:       message[mesosv1.AgentInfo](t, `{"hostname":"a2.example.org","port":5052,"id":{"value":"m-1-S1"}}`),
				PID:        libprocess.PID{Name: "slave(1)", Addr: netip.MustParseAddrPort("10.0.0.2:5052")},
				Version:    "1.11.0",
				Registered: at(3), Deactivated: true,
			},
		},
		Recovered:   []*mesosv1.AgentInfo{message[mesosv1.AgentInfo](t, `{"hostname":"a3.example.org","id":{"value":"m-0-S7"}}`)},
		Unreachable: []*core.UnreachableAgent{{ID: &mesosv1.AgentID{Value: proto.String("m-0-S8")}, Since: &mesosv1.TimeInfo{Nanoseconds: proto.Int64(1)}}},
		Roles: []*core.RoleView{
			{Name: "*", Weight: 1, Frameworks: []*mesosv1.FrameworkID{{Value: proto.String("m-1-0001")}}},
			{Name: "eng", Weight: 2.5, Quota: message[quota.QuotaConfig](t, `{"role":"eng","guarantees":{"cpus":{"value":1},"mem":{"value":64}},"limits":{"cpus":{"value":4}}}`),
				Reserved: of(t, `[{"name":"disk","type":"SCALAR","scalar":{"value":64},"reservations":[{"type":"DYNAMIC","role":"eng","principal":"p"}]}]`)},
			{Name: "eng/web", Weight: 1, Frameworks: []*mesosv1.FrameworkID{{Value: proto.String("m-1-0000")}}, Allocated: used, Offered: offered, Reserved: parsed(t, "cpus(eng/web):2")},
		},
	}
}

func rich(t *testing.T, used, offered resources.Resources) *core.FrameworkView {
	return &core.FrameworkView{
		Info: message[mesosv1.FrameworkInfo](t, `{"user":"root","name":"rich","id":{"value":"m-1-0000"},"failover_timeout":604800,"checkpoint":true,"roles":["eng/web","*"],
			"hostname":"s.example.org","principal":"p","webui_url":"http://s.example.org:8080","capabilities":[{"type":"MULTI_ROLE"},{"type":"PARTITION_AWARE"}],
			"labels":{"labels":[{"key":"a","value":"b"},{"key":"c"}]}}`),
		Active: true, Connected: true, Registered: at(4), Reregistered: at(5), Used: used, Offered: offered,
		Constraints: message[scheduler.OfferConstraints](t, `{"role_constraints":{"*":{"groups":[{"attribute_constraints":[{"selector":{"attribute_name":"rack"},"predicate":{"exists":{}}}]}]}}}`),
		Pending: []*mesosv1.TaskInfo{message[mesosv1.TaskInfo](t, `{"name":"pending","task_id":{"value":"t0"},"agent_id":{"value":"m-1-S0"},
			"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"allocation_info":{"role":"eng/web"}}],
			"executor":{"executor_id":{"value":"e"},"command":{"value":"x","user":"nobody"}}}`)},
		Tasks: []*mesosv1.Task{
			message[mesosv1.Task](t, `{"name":"all","task_id":{"value":"t1"},"framework_id":{"value":"m-1-0000"},"executor_id":{"value":"e"},"agent_id":{"value":"m-1-S0"},"state":"TASK_RUNNING",
			"resources":[{"name":"mem","type":"SCALAR","scalar":{"value":32},"allocation_info":{"role":"eng/web"}},{"name":"cpus","type":"SCALAR","scalar":{"value":0.1},"allocation_info":{"role":"eng/web"}},
				{"name":"cpus","type":"SCALAR","scalar":{"value":0.2},"allocation_info":{"role":"eng/web"},"reservations":[{"type":"STATIC","role":"eng/web"}]},
				{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":31000,"end":31000},{"begin":31002,"end":31005}]},"allocation_info":{"role":"eng/web"}}],
			"limits":{"mem":{"value":"Infinity"},"cpus":{"value":2}},
			"statuses":[{"task_id":{"value":"t1"},"state":"TASK_STARTING","timestamp":1700000010.5,"container_status":{"container_id":{"value":"c","parent":{"value":"p"}}}},
				{"task_id":{"value":"t1"},"state":"TASK_RUNNING","timestamp":1700000011,"healthy":false,"labels":{"labels":[{"key":"k","value":"v"}]},"container_status":{"container_id":{"value":"c"},
					"network_infos":[{"groups":["g"],"labels":{"labels":[{"key":"k"}]},"ip_addresses":[{"ip_address":"10.0.0.9"},{"protocol":"IPv6","ip_address":"::1"}],"name":"net","port_mappings":[{"host_port":1,"container_port":2,"protocol":"tcp"}]}],
					"cgroup_info":{"net_cls":{"classid":7}},"executor_pid":12}}],
			"user":"nobody","labels":{"labels":[{"key":"k","value":"v"}]},
			"discovery":{"visibility":"CLUSTER","name":"d","ports":{"ports":[{"number":80}]},"labels":{"labels":[{"key":"k"}]}},
			"container":{"type":"MESOS","volumes":[{"mode":"RW","container_path":"x","host_path":"/y"}]},
			"health_check":{"type":"TCP","tcp":{"port":80}}}`),
			message[mesosv1.Task](t, `{"name":"command","task_id":{"value":"t2"},"framework_id":{"value":"m-1-0000"},"agent_id":{"value":"m-1-S1"},"state":"TASK_KILLING",
			"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":1},"revocable":{}},{"name":"zones","type":"SET","set":{"item":["a","b"]}},
				{"name":"ports","type":"RANGES","ranges":{"range":[{"begin":5,"end":6},{"begin":3,"end":4}]}}]}`),
		},
		Unreachable: []*mesosv1.Task{message[mesosv1.Task](t, `{"name":"lost","task_id":{"value":"t3"},"framework_id":{"value":"m-1-0000"},"agent_id":{"value":"m-0-S8"},"state":"TASK_UNREACHABLE",
			"statuses":[{"task_id":{"value":"t3"},"state":"TASK_UNREACHABLE","timestamp":1700000001}]}`)},
		Completed: []*mesosv1.Task{message[mesosv1.Task](t, `{"name":"done","task_id":{"value":"t4"},"framework_id":{"value":"m-1-0000"},"agent_id":{"value":"m-1-S0"},"state":"TASK_FINISHED",
			"statuses":[{"task_id":{"value":"t4"},"state":"TASK_FINISHED","timestamp":1700000005}]}`)},
		Executors: []core.ExecutorView{
			{Agent: &mesosv1.AgentID{Value: proto.String("m-1-S0")}, Info: message[mesosv1.ExecutorInfo](t, `{"executor_id":{"value":"e"},"framework_id":{"value":"m-1-0000"},"type":"CUSTOM","name":"exec","source":"s",
				"command":{"value":"run","shell":false,"arguments":["a","b"],"environment":{"variables":[{"name":"A","value":"1"}]},"uris":[{"value":"http://x","executable":true},{"value":"y"}]},
				"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":0.1},"allocation_info":{"role":"eng/web"}}],"labels":{"labels":[{"key":"k","value":"v"}]}}`)},
			{Agent: &mesosv1.AgentID{Value: proto.String("m-1-S1")}, Info: message[mesosv1.ExecutorInfo](t, `{"executor_id":{"value":"d"}}`)},
		},
		Offers: []*mesosv1.Offer{message[mesosv1.Offer](t, `{"id":{"value":"m-1-O1"},"framework_id":{"value":"m-1-0000"},"agent_id":{"value":"m-1-S0"},"hostname":"a1.example.org","allocation_info":{"role":"eng/web"},
			"resources":[{"name":"cpus","type":"SCALAR","scalar":{"value":6.5},"allocation_info":{"role":"eng/web"}}]}`)},
		InverseOffers: []*mesosv1.InverseOffer{message[mesosv1.InverseOffer](t, `{"id":{"value":"m-1-O2"},"framework_id":{"value":"m-1-0000"},"unavailability":{"start":{"nanoseconds":1}}}`)},
	}
}

func plain(t *testing.T) *core.FrameworkView {
	return &core.FrameworkView{
		Info:      message[mesosv1.FrameworkInfo](t, `{"user":"root","name":"plain","id":{"value":"m-1-0001"}}`),
		Recovered: true, Registered: at(6), Reregistered: at(6),
	}
}

func ended(t *testing.T) *core.FrameworkView {
	return &core.FrameworkView{
		Info:       message[mesosv1.FrameworkInfo](t, `{"user":"root","name":"ended","id":{"value":"m-0-0003"},"role":"ops","capabilities":[{"type":"PARTITION_AWARE"}]}`),
		Registered: at(7), Unregistered: at(8),
		Completed: []*mesosv1.Task{message[mesosv1.Task](t, `{"name":"killed","task_id":{"value":"t5"},"framework_id":{"value":"m-0-0003"},"agent_id":{"value":"m-1-S0"},"state":"TASK_KILLED",
			"statuses":[{"task_id":{"value":"t5"},"state":"TASK_KILLED","timestamp":1700000020}]}`)},
	}
}

func about() view.About {
	return view.About{
		GitSHA: "abc", GitBranch: "main", GitTag: "v1", BuildDate: "2026-11-22", BuildTime: at(-1000), BuildUser: "builder",
		Configuration: &view.Configuration{Cluster: "c", LogDir: "/var/log", ExternalLogFile: "/var/log/all", Flags: []view.Flag{{Name: "port", Value: "5050"}, {Name: "quorum", Value: "1"}}},
	}
}

var documents = []struct {
	name  string
	write func(io.Writer, *core.View, view.Options) error
}{
	{"state", view.WriteState},
	{"state-summary", view.WriteStateSummary},
	{"slaves", view.WriteSlaves},
	{"frameworks", view.WriteFrameworks},
	{"tasks", view.WriteTasks},
	{"roles", view.WriteRoles},
	{"weights", view.WriteWeights},
	{"quota", view.WriteQuota},
}

func TestLegacyGolden(t *testing.T) {
	for _, document := range documents {
		t.Run(document.name, func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, document.write(&out, small(t), view.Options{About: about()}))
			golden(t, document.name, out.Bytes())
		})
		t.Run(document.name+" of a master that knows nothing", func(t *testing.T) {
			var out bytes.Buffer
			require.NoError(t, document.write(&out, &core.View{Started: at(0), Info: message[mesosv1.MasterInfo](t, `{"id":"m","ip":1,"port":5050}`)}, view.Options{}))
			golden(t, document.name+"-empty", out.Bytes())
		})
	}
}

var calls = []master.Call_Type{
	master.Call_GET_STATE, master.Call_GET_AGENTS, master.Call_GET_FRAMEWORKS, master.Call_GET_EXECUTORS, master.Call_GET_TASKS, master.Call_GET_OPERATIONS,
	master.Call_GET_ROLES, master.Call_GET_WEIGHTS, master.Call_GET_QUOTA, master.Call_GET_MASTER, master.Call_GET_MAINTENANCE_STATUS, master.Call_GET_MAINTENANCE_SCHEDULE,
}

func TestOperatorGolden(t *testing.T) {
	for _, kind := range calls {
		t.Run(kind.String(), func(t *testing.T) {
			answer, known := view.Answer(small(t), kind, view.Approve{})
			require.True(t, known)
			_, err := proto.Marshal(answer) // all that is required is set
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, view.WriteJSON(&out, answer))
			golden(t, kind.String(), out.Bytes())
		})
		t.Run(kind.String()+" of a master that knows nothing", func(t *testing.T) {
			answer, known := view.Answer(&core.View{Started: at(0), Info: message[mesosv1.MasterInfo](t, `{"id":"m","ip":1,"port":5050}`)}, kind, view.Approve{})
			require.True(t, known)
			_, err := proto.Marshal(answer)
			require.NoError(t, err)
			var out bytes.Buffer
			require.NoError(t, view.WriteJSON(&out, answer))
			golden(t, kind.String()+"-empty", out.Bytes())
		})
	}
	t.Run("SUBSCRIBED", func(t *testing.T) {
		event := view.Subscribed(small(t), view.Approve{}, 15*time.Second)
		_, err := proto.Marshal(event)
		require.NoError(t, err)
		text, err := view.JSON(event)
		require.NoError(t, err)
		golden(t, "SUBSCRIBED", text)
	})
	t.Run("what is not about the cluster is for others to answer", func(t *testing.T) {
		for _, kind := range []master.Call_Type{master.Call_UNKNOWN, master.Call_GET_FLAGS, master.Call_UPDATE_WEIGHTS, master.Call_SUBSCRIBE} {
			answer, known := view.Answer(small(t), kind, view.Approve{})
			assert.False(t, known)
			assert.Nil(t, answer)
		}
	})
}
