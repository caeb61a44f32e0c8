package view_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/view"
	"github.com/mesos-modules/mms/internal/resources"
)

// object is a document as a reader sees it.
type object = map[string]any

func written(t *testing.T, write func(io.Writer, *core.View, view.Options) error, v *core.View, o view.Options) object {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, write(&out, v, o))
	var read object
	require.NoError(t, json.Unmarshal(out.Bytes(), &read))
	return read
}

// ids are the values of key of the objects in a list.
func ids(list any, key string) []string {
	all := []string{}
	for _, each := range list.([]any) {
		all = append(all, each.(object)[key].(string))
	}
	return all
}

func TestQueries(t *testing.T) {
	v := small(t)
	with := func(query string) view.Options {
		values, err := url.ParseQuery(query)
		require.NoError(t, err)
		return view.Options{Query: values}
	}
	t.Run("slaves", func(t *testing.T) {
		got := written(t, view.WriteSlaves, v, with("slave_id=m-1-S1"))
		assert.Equal(t, []string{"m-1-S1"}, ids(got["slaves"], "id"))
		assert.Empty(t, got["recovered_slaves"])
		got = written(t, view.WriteSlaves, v, with("slave_id=m-0-S7"))
		assert.Empty(t, got["slaves"])
		assert.Equal(t, []string{"m-0-S7"}, ids(got["recovered_slaves"], "id"))
	})
	t.Run("frameworks", func(t *testing.T) {
		got := written(t, view.WriteFrameworks, v, with("framework_id=m-0-0003"))
		assert.Empty(t, got["frameworks"])
		assert.Equal(t, []string{"m-0-0003"}, ids(got["completed_frameworks"], "id"))
	})
	t.Run("state takes none", func(t *testing.T) {
		got := written(t, view.WriteState, v, with("framework_id=m-0-0003&slave_id=x"))
		assert.Len(t, got["frameworks"], 2)
		assert.Len(t, got["slaves"], 2)
	})
	for _, row := range []struct {
		query string
		want  []string
	}{
		{"", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"order=desc", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"order=whatever", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"order=asc", []string{"t2", "t3", "t4", "t1", "t5"}},
		{"limit=2", []string{"t5", "t1"}},
		{"limit=2&offset=1", []string{"t1", "t4"}},
		{"limit=0", []string{}},
		{"limit=-1", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"limit=x", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"limit=99999999999999999999", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"offset=5", []string{}},
		{"offset=99", []string{}},
		{"offset=x", []string{"t5", "t1", "t4", "t3", "t2"}},
		{"framework_id=m-0-0003", []string{"t5"}},
		{"framework_id=none", []string{}},
		{"task_id=t3", []string{"t3"}},
		{"task_id=t3&framework_id=m-0-0003", []string{}},
	} {
		t.Run("tasks?"+row.query, func(t *testing.T) {
			assert.Equal(t, row.want, ids(written(t, view.WriteTasks, v, with(row.query))["tasks"], "id"))
		})
	}
	t.Run("a hundred tasks are shown if none are asked for, and those of one time in their order", func(t *testing.T) {
		f := &core.FrameworkView{Info: &mesosv1.FrameworkInfo{Id: &mesosv1.FrameworkID{Value: proto.String("f")}}}
		var want []string
		for i := range 150 {
			id := fmt.Sprintf("t%03d", i)
			want = append(want, id)
			f.Tasks = append(f.Tasks, &mesosv1.Task{TaskId: &mesosv1.TaskID{Value: &id}, Statuses: []*mesosv1.TaskStatus{{Timestamp: proto.Float64(1)}}})
		}
		many := &core.View{Frameworks: []*core.FrameworkView{f}}
		assert.Equal(t, want[:100], ids(written(t, view.WriteTasks, many, view.Options{})["tasks"], "id"))
		assert.Equal(t, want, ids(written(t, view.WriteTasks, many, with("limit=-1&order=asc"))["tasks"], "id"))
	})
}

func TestWhatAReaderMayNotSeeIsLeftOut(t *testing.T) {
	v := small(t)
	t.Run("frameworks", func(t *testing.T) {
		o := view.Options{Approve: view.Approve{Framework: func(f *mesosv1.FrameworkInfo) bool { return f.GetName() == "plain" }}}
		got := written(t, view.WriteState, v, o)
		assert.Equal(t, []string{"m-1-0001"}, ids(got["frameworks"], "id"))
		assert.Empty(t, got["completed_frameworks"])
		assert.Empty(t, written(t, view.WriteTasks, v, o)["tasks"])

		summary := written(t, view.WriteStateSummary, v, o)
		assert.Equal(t, []string{"m-1-0001"}, ids(summary["frameworks"], "id"))
		agent := summary["slaves"].([]any)[0].(object)
		assert.Empty(t, agent["framework_ids"])
		assert.Zero(t, agent["TASK_RUNNING"])

		answer, _ := view.Answer(v, master.Call_GET_STATE, o.Approve)
		assert.Len(t, answer.GetGetState().GetGetFrameworks().GetFrameworks(), 1)
		assert.Empty(t, answer.GetGetState().GetGetFrameworks().GetCompletedFrameworks())
		assert.True(t, proto.Equal(&master.Response_GetTasks{}, answer.GetGetState().GetGetTasks()))
		assert.Empty(t, answer.GetGetState().GetGetExecutors().GetExecutors())
	})
	t.Run("tasks", func(t *testing.T) {
		o := view.Options{Approve: view.Approve{Task: func(task *mesosv1.Task, f *mesosv1.FrameworkInfo) bool {
			return task.GetTaskId().GetValue() == "t0" || f.GetName() == "ended"
		}}}
		got := written(t, view.WriteState, v, o)["frameworks"].([]any)[0].(object)
		assert.Equal(t, []string{"t0"}, ids(got["tasks"], "id"))
		assert.Empty(t, got["unreachable_tasks"])
		assert.Empty(t, got["completed_tasks"])
		assert.Equal(t, []string{"t5"}, ids(written(t, view.WriteTasks, v, o)["tasks"], "id"))

		answer, _ := view.Answer(v, master.Call_GET_TASKS, o.Approve)
		assert.Len(t, answer.GetGetTasks().GetPendingTasks(), 1)
		assert.Empty(t, answer.GetGetTasks().GetTasks())
		assert.Empty(t, answer.GetGetTasks().GetUnreachableTasks())
		assert.Len(t, answer.GetGetTasks().GetCompletedTasks(), 1)
	})
	t.Run("executors", func(t *testing.T) {
		o := view.Options{Approve: view.Approve{Executor: func(e *mesosv1.ExecutorInfo, f *mesosv1.FrameworkInfo) bool {
			return e.GetExecutorId().GetValue() == "d" && f.GetName() == "rich"
		}}}
		got := written(t, view.WriteFrameworks, v, o)["frameworks"].([]any)[0].(object)
		assert.Equal(t, []string{"d"}, ids(got["executors"], "executor_id"))
		answer, _ := view.Answer(v, master.Call_GET_EXECUTORS, o.Approve)
		assert.Len(t, answer.GetGetExecutors().GetExecutors(), 1)
	})
	t.Run("roles", func(t *testing.T) {
		o := view.Options{Approve: view.Approve{Role: func(role string) bool { return role == "eng" }}}
		assert.Equal(t, []string{"eng"}, ids(written(t, view.WriteRoles, v, o)["roles"], "name"))
		assert.Equal(t, []string{"eng"}, ids(written(t, view.WriteQuota, v, o)["configs"], "role"))
		agent := written(t, view.WriteSlaves, v, o)["slaves"].([]any)[0].(object)
		assert.Contains(t, agent["reserved_resources"], "eng")
		assert.NotContains(t, agent["reserved_resources"], "eng/web")
		assert.NotContains(t, agent["reserved_resources_full"], "eng/web")
		assert.Empty(t, agent["used_resources_full"], "what is used is allocated to another role")

		answer, _ := view.Answer(v, master.Call_GET_AGENTS, o.Approve)
		a := answer.GetGetAgents().GetAgents()[0]
		assert.Empty(t, a.GetAllocatedResources())
		for _, r := range a.GetTotalResources() {
			assert.NotEqual(t, "eng/web", r.GetRole())
		}
		none := view.Options{Approve: view.Approve{Role: func(string) bool { return false }}}
		var out bytes.Buffer
		require.NoError(t, view.WriteWeights(&out, v, none))
		assert.Equal(t, "[]", out.String())
		answer, _ = view.Answer(v, master.Call_GET_WEIGHTS, none.Approve)
		assert.Empty(t, answer.GetGetWeights().GetWeightInfos())
		answer, _ = view.Answer(v, master.Call_GET_ROLES, none.Approve)
		assert.Empty(t, answer.GetGetRoles().GetRoles())
	})
	t.Run("flags", func(t *testing.T) {
		got := written(t, view.WriteState, v, view.Options{})
		for _, key := range []string{"flags", "cluster", "log_dir", "external_log_file"} {
			assert.NotContains(t, got, key)
		}
	})
}

func TestCallback(t *testing.T) {
	for _, document := range documents {
		t.Run(document.name, func(t *testing.T) {
			var bare, called bytes.Buffer
			require.NoError(t, document.write(&bare, small(t), view.Options{}))
			require.NoError(t, document.write(&called, small(t), view.Options{Callback: "cb"}))
			assert.Equal(t, "cb("+bare.String()+")", called.String())

			var none bytes.Buffer
			require.ErrorIs(t, document.write(&none, small(t), view.Options{Callback: "alert(1);"}), view.ErrCallback)
			assert.Empty(t, none.Bytes(), "nothing is written")
		})
	}
}

// torn is a connection that breaks, and counts how much it was given at once.
type torn struct{ left, most int }

var errTorn = errors.New("connection reset")

func (w *torn) Write(p []byte) (int, error) {
	w.most = max(w.most, len(p))
	if w.left -= len(p); w.left < 0 {
		return 0, errTorn
	}
	return len(p), nil
}

func TestReaderThatLeaves(t *testing.T) {
	for _, document := range documents {
		t.Run(document.name, func(t *testing.T) {
			require.ErrorIs(t, document.write(&torn{}, small(t), view.Options{}), errTorn)
		})
	}
	answer, _ := view.Answer(small(t), master.Call_GET_STATE, view.Approve{})
	require.ErrorIs(t, view.WriteJSON(&torn{}, answer), errTorn)
}

func TestDocumentsAreStreamed(t *testing.T) {
	v := &core.View{Frameworks: []*core.FrameworkView{{Info: &mesosv1.FrameworkInfo{}}}}
	for i := range 5000 {
		v.Frameworks[0].Tasks = append(v.Frameworks[0].Tasks, &mesosv1.Task{TaskId: &mesosv1.TaskID{Value: proto.String(fmt.Sprint(i))}})
	}
	for name, write := range map[string]func(io.Writer) error{
		"state": func(w io.Writer) error { return view.WriteState(w, v, view.Options{}) },
		"GET_STATE": func(w io.Writer) error {
			answer, _ := view.Answer(v, master.Call_GET_STATE, view.Approve{})
			return view.WriteJSON(w, answer)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := &torn{left: 1 << 30}
			require.NoError(t, write(w))
			assert.Less(t, w.most, 40<<10, "never more than a buffer at once")
			assert.Greater(t, 1<<30-w.left, 100_000, "though it is large")
		})
	}
}

// What is written without calculating is the same as what is written with it.
func TestShortWayOfResources(t *testing.T) {
	names := []string{"cpus", "mem", "disk", "gpus", "ports", "x", "zones"}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 3))
		var all []*mesosv1.Resource
		kinds := map[string]int{}
		for range random.IntN(6) {
			name := names[random.IntN(len(names))]
			if _, known := kinds[name]; !known {
				kinds[name] = random.IntN(3)
			}
			all = append(all, randomResource(random, name, kinds[name]))
		}
		r, err := resources.New(all)
		if err != nil {
			continue // overlapping ranges of one message
		}
		want := object{}
		for _, f := range r.Fields() {
			if want[f.Name] = f.Number; f.IsText {
				want[f.Name] = f.Text
			}
		}
		v := &core.View{
			Frameworks: []*core.FrameworkView{{Info: &mesosv1.FrameworkInfo{}, Used: r, Tasks: []*mesosv1.Task{{Resources: all}}}},
		}
		f := written(t, view.WriteFrameworks, v, view.Options{})["frameworks"].([]any)[0].(object)
		require.Equal(t, want, f["used_resources"], "seed %d", seed)
		require.Equal(t, want, f["tasks"].([]any)[0].(object)["resources"], "seed %d", seed)
	}
}

func TestRangesAreCoalesced(t *testing.T) {
	for _, row := range []struct {
		ranges [][2]uint64
		want   string
	}{
		{[][2]uint64{{1, 2}}, "[1-2]"},
		{[][2]uint64{{1, 2}, {4, 5}}, "[1-2, 4-5]"},
		{[][2]uint64{{1, 2}, {3, 4}}, "[1-4]"},
		{[][2]uint64{{4, 5}, {1, 2}}, "[1-2, 4-5]"},
		{[][2]uint64{{1, 2}, {4, 5}, {6, 6}}, "[1-2, 4-6]"},
		{[][2]uint64{{0, 0}, {2, 2}, {1<<64 - 1, 1<<64 - 1}}, "[0-0, 2-2, 18446744073709551615-18446744073709551615]"},
	} {
		m := &mesosv1.Resource{Name: proto.String("ports"), Type: mesosv1.Value_RANGES.Enum(), Ranges: &mesosv1.Value_Ranges{}}
		for _, r := range row.ranges {
			m.Ranges.Range = append(m.Ranges.Range, &mesosv1.Value_Range{Begin: &r[0], End: &r[1]})
		}
		v := &core.View{Frameworks: []*core.FrameworkView{{Info: &mesosv1.FrameworkInfo{}, Tasks: []*mesosv1.Task{{Resources: []*mesosv1.Resource{m}}}}}}
		got := written(t, view.WriteTasks, v, view.Options{})["tasks"].([]any)[0].(object)["resources"].(object)
		assert.Equal(t, row.want, got["ports"])
	}
}

func randomResource(random *rand.Rand, name string, kind int) *mesosv1.Resource {
	m := &mesosv1.Resource{Name: &name}
	switch kind {
	case 0:
		m.Type, m.Scalar = mesosv1.Value_SCALAR.Enum(), &mesosv1.Value_Scalar{Value: proto.Float64(float64(random.IntN(5000)))}
	case 1:
		m.Type, m.Ranges = mesosv1.Value_RANGES.Enum(), &mesosv1.Value_Ranges{}
		for range random.IntN(4) {
			begin := uint64(random.IntN(60))
			m.Ranges.Range = append(m.Ranges.Range, &mesosv1.Value_Range{Begin: &begin, End: proto.Uint64(begin + uint64(random.IntN(4)))})
		}
	default:
		m.Type, m.Set = mesosv1.Value_SET.Enum(), &mesosv1.Value_Set{Item: []string{"a", "b"}[:random.IntN(3)]}
	}
	if random.IntN(5) == 0 {
		m.Role = proto.String("web")
	}
	if random.IntN(8) == 0 {
		m.Revocable = &mesosv1.Resource_RevocableInfo{}
	}
	return m
}

func TestViewIsNotChanged(t *testing.T) {
	v, same := small(t), small(t)
	for _, document := range documents {
		require.NoError(t, document.write(io.Discard, v, view.Options{About: about()}))
	}
	for _, kind := range calls {
		_, known := view.Answer(v, kind, view.Approve{})
		require.True(t, known)
	}
	for i, f := range v.Frameworks {
		assert.True(t, proto.Equal(f.Info, same.Frameworks[i].Info))
		for j, task := range f.Tasks {
			assert.True(t, proto.Equal(task, same.Frameworks[i].Tasks[j]))
		}
	}
	for i, a := range v.Agents {
		assert.True(t, proto.Equal(a.Info, same.Agents[i].Info))
		assert.True(t, a.Total.Equal(same.Agents[i].Total))
	}
}

func TestProvidersHaveTheirResources(t *testing.T) {
	v := small(t)
	v.Agents[0].Total = v.Agents[0].Total.Add(of(t, `[{"provider_id":{"value":"rp"},"name":"disk","type":"SCALAR","scalar":{"value":7}},{"provider_id":{"value":"other"},"name":"disk","type":"SCALAR","scalar":{"value":8}}]`))
	answer, _ := view.Answer(v, master.Call_GET_AGENTS, view.Approve{})
	got := answer.GetGetAgents().GetAgents()[0].GetResourceProviders()
	require.Len(t, got, 1)
	require.Len(t, got[0].GetTotalResources(), 1)
	assert.InDelta(t, 7, got[0].GetTotalResources()[0].GetScalar().GetValue(), 0)
}

func ExampleWriteWeights() {
	v := &core.View{
		Started: time.Unix(0, 0),
		Roles:   []*core.RoleView{{Name: "eng", Weight: 2}, {Name: "ops", Weight: 1}},
	}
	if err := view.WriteWeights(os.Stdout, v, view.Options{Callback: "show"}); err != nil {
		fmt.Println(strings.ToUpper(err.Error()))
	}
	// Output: show([{"role":"eng","weight":2.0}])
}
