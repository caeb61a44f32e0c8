package registry

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/mesosjson"
	"github.com/mesos-modules/mms/internal/wire"
)

// both runs a test on a registry in memory and on one in a file.
func both(t *testing.T, test func(t *testing.T, r *Registrar)) {
	t.Helper()
	t.Run("in memory", func(t *testing.T) { test(t, opened(t, InMemory())) })
	t.Run("in a file", func(t *testing.T) { test(t, inFolder(t, t.TempDir())) })
}

func inFolder(t *testing.T, folder string) *Registrar {
	t.Helper()
	r, err := Open(folder)
	require.NoError(t, err)
	return opened(t, r)
}

func opened(t *testing.T, r *Registrar) *Registrar {
	t.Cleanup(func() { require.NoError(t, r.Close(context.WithoutCancel(t.Context()))) })
	return r
}

// apply applies one change and returns why it was refused.
func apply(t *testing.T, r *Registrar, change core.RegistryChange) error {
	t.Helper()
	refused, err := r.Apply(t.Context(), []core.RegistryChange{change})
	require.NoError(t, err)
	require.Len(t, refused, 1)
	return refused[0]
}

// content is a registry as JSON.
func content(t *testing.T, r *Registrar) string {
	t.Helper()
	found, err := r.Export(t.Context())
	require.NoError(t, err)
	return asJSON(t, found)
}

func asJSON(t *testing.T, m proto.Message) string {
	t.Helper()
	text, err := mesosjson.Marshal(m)
	require.NoError(t, err)
	return string(text)
}

func weight(role string, w float64) *mesosv1.WeightInfo {
	return &mesosv1.WeightInfo{Role: &role, Weight: &w}
}

func quotaOf(role string, cpus float64) *quota.QuotaConfig {
	c := &quota.QuotaConfig{Role: &role}
	if cpus > 0 {
		c.Limits = map[string]*mesosv1.Value_Scalar{"cpus": {Value: &cpus}}
	}
	return c
}

func TestChanges(t *testing.T) {
	changed := agentInfo("a")
	changed.Hostname = proto.String("other")
	const (
		agentA     = `{"info":{"hostname":"host-a","port":5051,"id":{"value":"a"}},"deactivated":false}`
		otherA     = `{"info":{"hostname":"other","port":5051,"id":{"value":"a"}},"deactivated":false}`
		lostA      = `{"id":{"value":"a"},"timestamp":{"nanoseconds":5},"deactivated":false}`
		goneA      = `{"id":{"value":"a"},"timestamp":{"nanoseconds":6}}`
		slaves     = `"slaves":{`
		empty      = `{"slaves":{},"unreachable":{},"gone":{}}`
		withAgentA = `{"slaves":{"slaves":[` + agentA + `]},"unreachable":{},"gone":{}}`
		withLostA  = `{"slaves":{},"unreachable":{"slaves":[` + lostA + `]},"gone":{}}`
		withGoneA  = `{"slaves":{},"unreachable":{},"gone":{"slaves":[` + goneA + `]}}`
	)
	admit := core.AdmitAgent{Info: agentInfo("a")}
	lose := core.MarkAgentUnreachable{ID: agentID("a"), At: at(5)}
	goes := core.MarkAgentGone{ID: agentID("a"), At: at(6)}
	type all = []core.RegistryChange
	for _, row := range []struct {
		what    string
		before  all
		change  core.RegistryChange
		refused string
		want    string
	}{
		{"an agent is admitted", nil, admit, "", withAgentA},
		{"an agent is admitted twice", all{admit}, admit, "agent a is already admitted", withAgentA},
		{"an unreachable agent is admitted", all{admit, lose}, admit, "agent a is known already: it is unreachable", withLostA},
		{"a gone agent is admitted", all{admit, goes}, admit, "agent a is known already: it is gone", withGoneA},
		{"an agent without id is admitted", nil, core.AdmitAgent{Info: &mesosv1.AgentInfo{Hostname: proto.String("h")}}, "a record without an id or role cannot be kept", empty},
		{"an agent without hostname is admitted", nil, core.AdmitAgent{Info: &mesosv1.AgentInfo{Id: agentID("a")}}, `record "a" cannot be kept: proto: required field mesos.v1.AgentInfo.hostname not set`, empty},
		{"an agent with a huge id is admitted", nil, core.AdmitAgent{Info: agentInfo(string(make([]byte, maxKey+1)))}, "an id or role of 16385 bytes is too long: the limit is 16384", empty},
		{"an agent is updated", all{admit}, core.UpdateAgent{Info: changed}, "", `{"slaves":{"slaves":[` + otherA + `]},"unreachable":{},"gone":{}}`},
		{"an unknown agent is updated", nil, core.UpdateAgent{Info: changed}, "agent a is not admitted", empty},
		{"an agent is unreachable", all{admit}, lose, "", withLostA},
		{"an unknown agent is unreachable", nil, lose, "agent a is not admitted", empty},
		{"an agent is unreachable since no time", all{admit}, core.MarkAgentUnreachable{ID: agentID("a")}, `record "a" cannot be kept: proto: required field mesos.internal.Registry.UnreachableSlave.timestamp not set`, withAgentA},
		{"an agent is reachable again", all{admit, lose}, core.MarkAgentReachable{Info: changed}, "", `{"slaves":{"slaves":[` + otherA + `]},"unreachable":{},"gone":{}}`},
		{"an admitted agent is reachable", all{admit}, core.MarkAgentReachable{Info: changed}, "", `{"slaves":{"slaves":[` + otherA + `]},"unreachable":{},"gone":{}}`},
		{"a forgotten agent is reachable", nil, core.MarkAgentReachable{Info: agentInfo("a")}, "", withAgentA},
		{"a gone agent is reachable", all{admit, goes}, core.MarkAgentReachable{Info: changed}, "agent a is gone and must not come back", withGoneA},
		{"an agent is gone", all{admit}, goes, "", withGoneA},
		{"an unreachable agent is gone", all{admit, lose}, goes, "", withGoneA},
		{"a gone agent is gone", all{admit, goes}, goes, "agent a is already marked as gone", withGoneA},
		{"an unknown agent is gone", nil, goes, "agent a is not known", empty},
		{"an agent leaves", all{admit}, core.RemoveAgent{ID: agentID("a")}, "", empty},
		{"an unknown agent leaves", nil, core.RemoveAgent{ID: agentID("a")}, "agent a is not admitted", empty},
		{"an unreachable agent is forgotten", all{admit, lose}, core.Prune{IDs: []*mesosv1.AgentID{agentID("x"), agentID("a")}}, "", empty},
		{"a gone agent is forgotten", all{admit, goes}, core.Prune{IDs: []*mesosv1.AgentID{agentID("a")}}, "", empty},
		{"an admitted agent is not forgotten", all{admit}, core.Prune{IDs: []*mesosv1.AgentID{agentID("a")}}, "", withAgentA},
		{"weights are set", all{core.UpdateWeights{Weights: []*mesosv1.WeightInfo{weight("b", 2), weight("a", 1)}}}, core.UpdateWeights{Weights: []*mesosv1.WeightInfo{weight("b", 3)}}, "",
			`{"slaves":{},"unreachable":{},"gone":{},"weights":[{"info":{"weight":1.0,"role":"a"}},{"info":{"weight":3.0,"role":"b"}}]}`},
		{"one of the weights has no role", nil, core.UpdateWeights{Weights: []*mesosv1.WeightInfo{weight("b", 2), weight("", 1)}}, "a record without an id or role cannot be kept", empty},
		{"quotas are set", all{core.UpdateQuota{Configs: []*quota.QuotaConfig{quotaOf("a", 1), quotaOf("b", 1)}}}, core.UpdateQuota{Configs: []*quota.QuotaConfig{quotaOf("a", 0), quotaOf("b", 2)}}, "",
			`{"slaves":{},"unreachable":{},"gone":{},"quota_configs":[{"role":"b","limits":{"cpus":{"value":2.0}}}]}`},
		{"one of the quotas has no role", nil, core.UpdateQuota{Configs: []*quota.QuotaConfig{quotaOf("b", 1), quotaOf("", 1)}}, "a record without an id or role cannot be kept", empty},
		{"a quota is removed", all{core.UpdateQuota{Configs: []*quota.QuotaConfig{quotaOf("a", 1)}}}, core.RemoveQuota{Role: "a"}, "", empty},
		{"no quota is removed", nil, core.RemoveQuota{Role: "a"}, "", empty},
		{"nobody knows what to do", nil, nil, "the registry does not know the change <nil>", empty},
	} {
		t.Run(row.what, func(t *testing.T) {
			both(t, func(t *testing.T, r *Registrar) {
				for _, change := range row.before {
					require.NoError(t, apply(t, r, change))
				}
				err := apply(t, r, row.change)
				if row.refused == "" {
					require.NoError(t, err)
				} else {
					require.EqualError(t, err, row.refused)
				}
				assert.Equal(t, row.want, content(t, r))
			})
		})
	}
}

func TestChangesOfOneBatchFollowEachOther(t *testing.T) {
	both(t, func(t *testing.T, r *Registrar) {
		refused, err := r.Apply(t.Context(), []core.RegistryChange{
			core.AdmitAgent{Info: agentInfo("a")},
			core.AdmitAgent{Info: agentInfo("a")},
			core.MarkAgentUnreachable{ID: agentID("a"), At: at(1)},
			core.RemoveAgent{ID: agentID("a")},
			core.MarkAgentReachable{Info: agentInfo("a")},
			core.AdmitAgent{Info: agentInfo("b")},
		})
		require.NoError(t, err)
		require.EqualError(t, refused[1], "agent a is already admitted")
		require.EqualError(t, refused[3], "agent a is not admitted")
		for _, i := range []int{0, 2, 4, 5} {
			require.NoError(t, refused[i])
		}
		assert.Equal(t, `{"slaves":{"slaves":[{"info":{"hostname":"host-a","port":5051,"id":{"value":"a"}},"deactivated":false},`+
			`{"info":{"hostname":"host-b","port":5051,"id":{"value":"b"}},"deactivated":false}]},"unreachable":{},"gone":{}}`, content(t, r))
	})
}

func TestDrainingSurvivesBeingUnreachable(t *testing.T) {
	both(t, func(t *testing.T, r *Registrar) {
		draining := &wire.Registry_Slave{Info: agentInfo("a"), Deactivated: proto.Bool(true), DrainInfo: &mesosv1.DrainInfo{
			State: mesosv1.DrainState_DRAINING.Enum(), Config: &mesosv1.DrainConfig{},
		}}
		require.NoError(t, r.Import(t.Context(), &wire.Registry{Slaves: &wire.Registry_Slaves{Slaves: []*wire.Registry_Slave{draining}}}))
		before := content(t, r)
		require.NoError(t, apply(t, r, core.MarkAgentUnreachable{ID: agentID("a"), At: at(1)}))
		assert.Contains(t, content(t, r), `"drain_info":{"state":"DRAINING"`)
		require.NoError(t, apply(t, r, core.MarkAgentReachable{Info: agentInfo("a")}))
		assert.Equal(t, before, content(t, r))
	})
}

func TestRecover(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "registry")
	first, err := Open(folder)
	require.NoError(t, err)
	found, err := first.Recover(t.Context(), masterInfo("first"))
	require.NoError(t, err)
	assert.Equal(t, `{"master":{"info":{"id":"first","ip":1,"port":5050}},"slaves":{},"unreachable":{},"gone":{}}`, asJSON(t, found))
	for i, id := range []string{"c", "a", "b", "d"} {
		require.NoError(t, apply(t, first, core.AdmitAgent{Info: agentInfo(id)}))
		if id != "a" {
			require.NoError(t, apply(t, first, core.MarkAgentUnreachable{ID: agentID(id), At: at(int64(10 - i))}))
		}
	}
	require.NoError(t, apply(t, first, core.MarkAgentGone{ID: agentID("d"), At: at(1)}))
	require.NoError(t, first.Close(t.Context()))

	second := inFolder(t, folder)
	found, err = second.Recover(t.Context(), masterInfo("second"))
	require.NoError(t, err)
	assert.Equal(t, "second", found.GetMaster().GetInfo().GetId())
	require.Len(t, found.GetSlaves().GetSlaves(), 1)
	require.Len(t, found.GetUnreachable().GetSlaves(), 2)
	assert.Equal(t, "b", found.GetUnreachable().GetSlaves()[0].GetId().GetValue(), "who was lost first comes first")
	require.Len(t, found.GetGone().GetSlaves(), 1)
	assert.Equal(t, content(t, second), asJSON(t, found))

	t.Run("a master without id is refused", func(t *testing.T) {
		_, err := second.Recover(t.Context(), &mesosv1.MasterInfo{})
		require.ErrorContains(t, err, "recovering the registry: the master's info: ")
	})
}

func TestImport(t *testing.T) {
	from := &wire.Registry{}
	require.NoError(t, mesosjson.Unmarshal([]byte(`{"master":{"info":{"id":"m","ip":1,"port":5050}},
		"slaves":{"slaves":[{"info":{"hostname":"h","port":5051,"id":{"value":"a"}},"deactivated":true}]},
		"unreachable":{"slaves":[{"id":{"value":"b"},"timestamp":{"nanoseconds":1},"deactivated":false}]},
		"gone":{"slaves":[{"id":{"value":"c"},"timestamp":{"nanoseconds":2}}]},
		"machines":{"machines":[{"info":{"id":{"hostname":"h"},"mode":"UP"}}]},
		"quota_configs":[{"role":"r","limits":{"cpus":{"value":2.0}}}],
		"weights":[{"info":{"weight":1.5,"role":"r"}}],
		"minimum_capabilities":[{"capability":"QUOTA_V2"}]}`), from))
	both(t, func(t *testing.T, r *Registrar) {
		require.NoError(t, r.Import(t.Context(), from))
		assert.Equal(t, asJSON(t, from), content(t, r), "what is filled in comes out again")

		err := r.Import(t.Context(), from)
		require.EqualError(t, err, "filling the registry: there are 1 records of agents already; only an empty registry can be filled")
	})
	both(t, func(t *testing.T, r *Registrar) {
		bad := proto.CloneOf(from)
		bad.Weights[0].Info.Role = nil
		require.ErrorContains(t, r.Import(t.Context(), bad), "a record without an id or role cannot be kept")
		assert.Equal(t, `{"slaves":{},"unreachable":{},"gone":{}}`, content(t, r), "all or nothing")
		require.NoError(t, r.Import(t.Context(), from))
	})
}

func TestClose(t *testing.T) {
	both(t, func(t *testing.T, r *Registrar) {
		require.NoError(t, r.Close(t.Context()))
		require.NoError(t, r.Close(t.Context()), "twice")
		_, err := r.Apply(t.Context(), nil)
		require.ErrorIs(t, err, ErrClosed)
		_, err = r.Recover(t.Context(), masterInfo("m"))
		require.ErrorIs(t, err, ErrClosed)
	})
}

// stuck is a store whose updates wait for a release.
type stuck struct {
	*memory
	release chan error
}

func (s *stuck) update(do func(tx) error) error {
	if err := <-s.release; err != nil {
		return err
	}
	return s.memory.update(do)
}

func TestDiskThatDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		disk := &stuck{memory: newMemory(), release: make(chan error)}
		r := newRegistrar(disk)
		change := []core.RegistryChange{core.AdmitAgent{Info: agentInfo("a")}}
		short, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()

		_, err := r.Apply(short, change)
		require.EqualError(t, err, "changing the registry: the disk has not answered yet: context deadline exceeded")
		require.ErrorIs(t, err, context.DeadlineExceeded)

		next, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		_, err = r.Apply(next, change)
		require.EqualError(t, err, "changing the registry: not begun, since the disk has not answered to what came before: context deadline exceeded")

		_, err = r.Apply(next, change)
		require.EqualError(t, err, "changing the registry: not begun: context deadline exceeded")

		answers := make(chan []error)
		go func() {
			refused, err := r.Apply(t.Context(), change)
			assert.NoError(t, err)
			answers <- refused
		}()
		synctest.Wait()
		assert.Equal(t, []Measure{{"registrar/queued_operations", 1}}, r.Measures())
		disk.release <- nil // the first one
		disk.release <- nil // the one that waits
		refused := <-answers
		require.EqualError(t, refused[0], "agent a is already admitted", "what nobody waited for was kept")
		require.NoError(t, r.Close(t.Context()))
	})
}

func TestStoreThatFails(t *testing.T) {
	disk := &stuck{memory: newMemory(), release: make(chan error, 2)}
	r := newRegistrar(disk)
	disk.release <- errors.New("no space left")
	change := []core.RegistryChange{core.AdmitAgent{Info: agentInfo("a")}}
	refused, err := r.Apply(t.Context(), change)
	require.EqualError(t, err, "changing the registry: no space left")
	assert.Nil(t, refused)
	disk.release <- nil
	refused, err = r.Apply(t.Context(), change)
	require.NoError(t, err)
	require.Equal(t, []error{nil}, refused, "it goes on with the next")
	require.NoError(t, r.Close(t.Context()))
}

func TestMeasures(t *testing.T) {
	r := opened(t, InMemory())
	now := time.Unix(0, 0)
	r.measures.now = func() time.Time { now = now.Add(time.Millisecond); return now }
	assert.Equal(t, []Measure{{"registrar/queued_operations", 0}}, r.Measures())

	_, err := r.Recover(t.Context(), masterInfo("m"))
	require.NoError(t, err)
	require.NoError(t, apply(t, r, core.AdmitAgent{Info: agentInfo("a")}))
	got := r.Measures()
	require.Len(t, got, 4, "percentiles need two writes")
	assert.Equal(t, "registrar/registry_size_bytes", got[1].Name)
	assert.InDelta(t, 40, got[1].Value, 10, "about what the records have")
	assert.Equal(t, Measure{"registrar/state_fetch_ms", 1}, got[2])
	assert.Equal(t, Measure{"registrar/state_store_ms", 1}, got[3])

	require.NoError(t, apply(t, r, core.AdmitAgent{Info: agentInfo("b")}))
	require.Error(t, apply(t, r, core.AdmitAgent{Info: agentInfo("b")}), "nothing is written, and nothing measured")
	assert.Equal(t, []Measure{
		{"registrar/state_store_ms", 1},
		{"registrar/state_store_ms/count", 2},
		{"registrar/state_store_ms/max", 1},
		{"registrar/state_store_ms/min", 1},
		{"registrar/state_store_ms/p50", 1},
		{"registrar/state_store_ms/p90", 1},
		{"registrar/state_store_ms/p95", 1},
		{"registrar/state_store_ms/p99", 1},
		{"registrar/state_store_ms/p999", 1},
		{"registrar/state_store_ms/p9999", 1},
	}, r.Measures()[3:])

	now = now.Add(25 * time.Hour)
	require.Len(t, r.Measures(), 4, "after a day the writes are forgotten, but for the last one's time")
}

func TestPercentiles(t *testing.T) {
	m := timings{now: func() time.Time { return time.Unix(0, 0) }}
	for i := range samples + 100 {
		m.stored(time.Duration(i) * time.Millisecond)
	}
	got := map[string]float64{}
	for _, p := range m.percentiles("x") {
		got[p.Name] = p.Value
	}
	assert.Equal(t, map[string]float64{"x/count": 1000, "x/min": 100, "x/max": 1099, "x/p50": 599.5, "x/p90": 999.1, "x/p95": 1049.05,
		"x/p99": 1089.01, "x/p999": 1098.001, "x/p9999": 1098.9001}, rounded(got))
}

func rounded(m map[string]float64) map[string]float64 {
	for name, v := range m {
		m[name] = float64(int64(v*1e4+0.5)) / 1e4
	}
	return m
}

func ExampleRegistrar_Apply() {
	ctx := context.Background()
	r := InMemory()
	defer r.Close(ctx)
	refused, err := r.Apply(ctx, []core.RegistryChange{
		core.AdmitAgent{Info: agentInfo("S0")},
		core.AdmitAgent{Info: agentInfo("S0")},
	})
	fmt.Println(refused, err)
	// Output: [<nil> agent S0 is already admitted] <nil>
}
