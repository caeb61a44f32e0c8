package core

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/internal/wire"
)

func (w *world) gone(agent string) RequestID {
	w.Helper()
	return w.operator(&master.Call{Type: master.Call_MARK_AGENT_GONE.Enum(),
		MarkAgentGone: &master.Call_MarkAgentGone{AgentId: &mesosv1.AgentID{Value: &agent}}})
}

func weights(role string, weight float64) *master.Call {
	return &master.Call{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{
		WeightInfos: []*mesosv1.WeightInfo{{Role: &role, Weight: &weight}}}}
}

func amounts(text string) map[string]*mesosv1.Value_Scalar {
	return parsed(text).ScalarQuantities().Message()
}

func updateQuota(force bool, configs ...*quota.QuotaConfig) *master.Call {
	return &master.Call{Type: master.Call_UPDATE_QUOTA.Enum(),
		UpdateQuota: &master.Call_UpdateQuota{Force: &force, QuotaConfigs: configs}}
}

func setQuota(force bool, role, guarantee string) *master.Call {
	return &master.Call{Type: master.Call_SET_QUOTA.Enum(), SetQuota: &master.Call_SetQuota{
		QuotaRequest: &quota.QuotaRequest{Force: &force, Role: &role, Guarantee: res(guarantee)}}}
}

func removeQuota(role string) *master.Call {
	return &master.Call{Type: master.Call_REMOVE_QUOTA.Enum(), RemoveQuota: &master.Call_RemoveQuota{Role: &role}}
}

func TestMarkGone(t *testing.T) {
	t.Run("an agent that is registered is told to shut down, and must not come back", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		assert.Equal(t, 200, w.answered(w.gone(agent)).Status)
		assert.Len(t, messages[*wire.ShutdownMessage](w, pid(1)), 1)
		w.look()
		w.reregister(1, agent)
		require.Len(t, messages[*wire.ShutdownMessage](w, pid(1)), 1)
		assert.Zero(t, w.core.agents.len())
		assert.Equal(t, 200, w.answered(w.gone(agent)).Status, "twice is as once")
		w.sound()
	})

	t.Run("one that is recovered or unreachable is gone too, with all that was there", func(t *testing.T) {
		w, _, agent := running(t, aware)
		w.wait(75 * time.Second)
		w.look()
		assert.Equal(t, 200, w.answered(w.gone(agent)).Status)
		status := w.one("s")
		assert.Equal(t, mesosv1.TaskState_TASK_GONE_BY_OPERATOR, status.GetState())
		view := w.core.View()
		assert.Empty(t, view.Frameworks[0].Unreachable)
		assert.Len(t, view.Frameworks[0].Completed, 1)
		assert.Len(t, view.Gone, 1)
		assert.Empty(t, view.Unreachable)

		w = recoveredWorld(t, []int{1})
		w.subscribe("s")
		w.look()
		assert.Equal(t, 200, w.answered(w.gone("L-S1")).Status)
		assert.Equal(t, []string{"FAILURE"}, w.types("s"))
		assert.Empty(t, w.core.View().Recovered)
	})

	t.Run("one that nobody knows is 404", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, 404, w.answered(w.gone("x")).Status)
	})

	t.Run("a registry that refuses is 500", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.answerStores = false
		request := w.gone(agent)
		w.do(RegistryStored{Ticket: w.stores[0], Refused: true, Err: errors.New("no")})
		assert.Equal(t, 500, w.answered(request).Status)
		assert.Equal(t, 1, w.core.agents.len())
	})
}

func TestOperatorAuthorization(t *testing.T) {
	teardown := &master.Call{Type: master.Call_TEARDOWN.Enum(),
		Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: proto.String("L-0000")}}}
	for _, c := range []struct {
		call   *master.Call
		action authorization.Action
		value  string
	}{
		{teardown, authorization.Action_TEARDOWN_FRAMEWORK, "owner"},
		{&master.Call{Type: master.Call_MARK_AGENT_GONE.Enum(), MarkAgentGone: &master.Call_MarkAgentGone{
			AgentId: &mesosv1.AgentID{Value: proto.String("L-S1")}}}, authorization.Action_MARK_AGENT_GONE, ""},
		{weights("web", 2), authorization.Action_UPDATE_WEIGHT, "web"},
		{updateQuota(false, &quota.QuotaConfig{Role: proto.String("web")}), authorization.Action_UPDATE_QUOTA_WITH_CONFIG, "web"},
		{setQuota(true, "web", "cpus:1"), authorization.Action_UPDATE_QUOTA, "web"},
	} {
		t.Run(c.call.GetType().String(), func(t *testing.T) {
			for _, allowed := range []bool{true, false} {
				w := recoveredWorld(t, []int{1})
				w.reregister(1, "L-S1", runs(frameworkInfo(id("L-0000"),
					func(i *mesosv1.FrameworkInfo) { i.Principal = proto.String("owner") }), runningTask("L-0000", "L-S1", "t")))
				w.core.config.Authorize = true
				w.requests++
				w.do(OperatorCall{Request: w.requests, Principal: named("op"), Call: c.call})
				require.Len(t, w.asked, 1)
				request := w.asked[0].Requests[0]
				assert.Equal(t, c.action, request.GetAction())
				assert.Equal(t, "op", request.GetSubject().GetValue())
				assert.Equal(t, c.value, request.GetObject().GetValue())
				w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{allowed}})
				if allowed {
					assert.Equal(t, 200, w.answered(w.requests).Status)
				} else {
					assert.Equal(t, 403, w.answered(w.requests).Status)
					assert.Empty(t, w.changes)
				}
			}
		})
	}
}

func TestOperatorCalls(t *testing.T) {
	t.Run("TEARDOWN of a framework that is not there is 400", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, 400, w.answered(w.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{
			FrameworkId: &mesosv1.FrameworkID{Value: proto.String("x")}}})).Status)
	})

	t.Run("what is not here yet is 501", func(t *testing.T) {
		w := newWorld(t)
		assert.Equal(t, 501, w.answered(w.operator(&master.Call{Type: master.Call_DRAIN_AGENT.Enum()})).Status)
	})

	t.Run("weights are checked, stored, told to the allocator, and rescind offers where they matter", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Roles = []string{"web", "batch", "-"} })
		agent := w.register(1)
		f := w.subscribe("s")
		w.offer(f, agent, "web", "cpus:1")
		assert.Equal(t, 400, w.answered(w.operator(weights("web", 0))).Status)
		assert.Equal(t, 400, w.answered(w.operator(weights("other", 1))).Status)
		assert.Equal(t, 200, w.answered(w.operator(weights("batch", 3))).Status)
		assert.Equal(t, 1, w.core.offers.len(), "nobody has the role")
		w.look()
		assert.Equal(t, 200, w.answered(w.operator(weights("web", 2))).Status)
		assert.Equal(t, []string{"RESCIND"}, w.types("s"))
		roles := w.core.View().Roles
		require.Len(t, roles, 2)
		assert.InDelta(t, 3, roles[0].Weight, 0)
		assert.InDelta(t, 2, roles[1].Weight, 0)
		w.sound()
	})
}

func TestQuota(t *testing.T) {
	config := func(role, guarantees, limits string) *quota.QuotaConfig {
		return &quota.QuotaConfig{Role: &role, Guarantees: amounts(guarantees), Limits: amounts(limits)}
	}
	for _, c := range []struct {
		name   string
		call   *master.Call
		status int
	}{
		{"a nested role", updateQuota(true, config("a/b", "cpus:1", "cpus:1")), 400},
		{"limits below what is used", updateQuota(false, config("web", "cpus:0", "cpus:0.5")), 400},
		{"by force", updateQuota(true, config("web", "cpus:0", "cpus:0.5")), 200},
		{"guarantees above the cluster", updateQuota(false, config("batch", "cpus:9", "cpus:9")), 400},
		{"by force", updateQuota(true, config("batch", "cpus:9", "cpus:9")), 200},
		{"what fits", updateQuota(false, config("web", "cpus:2", "cpus:4")), 200},
		{"SET_QUOTA above the cluster", setQuota(false, "batch", "cpus:9"), 409},
		{"by force", setQuota(true, "batch", "cpus:9"), 200},
		{"of no scalars", setQuota(false, "batch", "ports:[1-2]"), 400},
		{"of nothing", setQuota(false, "batch", ""), 400},
		{"what fits", setQuota(false, "web", "cpus:2"), 200},
		{"REMOVE_QUOTA of none", removeQuota("web"), 400},
	} {
		t.Run(fmt.Sprint(c.call.GetType(), " ", c.name), func(t *testing.T) {
			w, f, agent := running(t)
			w.offer(f, agent, "web", "cpus:1")
			w.look()
			a := w.answered(w.operator(c.call))
			assert.Equal(t, c.status, a.Status, a.Text)
			assert.Equal(t, c.status == 200, w.core.quotas.len() == 1)
			w.sound()
		})
	}

	t.Run("a quota that is there is shown, not set again, and goes", func(t *testing.T) {
		w, f, agent := running(t)
		w.offer(f, agent, "web", "cpus:1")
		w.look()
		require.Equal(t, 200, w.answered(w.operator(setQuota(false, "web", "cpus:2"))).Status)
		assert.Equal(t, []string{"RESCIND"}, w.types("s"))
		stored := w.changes[len(w.changes)-1].(UpdateQuota).Configs[0]
		assert.True(t, proto.Equal(stored, config("web", "cpus:2", "cpus:2")), "the guarantee is the limit")
		assert.Equal(t, stored, w.core.View().Roles[0].Quota)
		assert.Equal(t, 400, w.answered(w.operator(setQuota(true, "web", "cpus:2"))).Status)
		assert.Equal(t, 200, w.answered(w.operator(removeQuota("web"))).Status)
		assert.Nil(t, w.core.View().Roles[0].Quota)
		w.sound()
	})

	t.Run("an empty one is none", func(t *testing.T) {
		w := newWorld(t)
		w.operator(updateQuota(true, config("web", "cpus:1", "cpus:1")))
		w.operator(updateQuota(true, &quota.QuotaConfig{Role: proto.String("web")}))
		assert.Zero(t, w.core.quotas.len())
	})
}

func TestWatch(t *testing.T) {
	watch := func(w *world, stream StreamID) {
		w.requests++
		w.do(OperatorCall{Request: w.requests, Stream: stream, Call: &master.Call{Type: master.Call_SUBSCRIBE.Enum()}})
	}
	w := newWorld(t, func(c *Config) { c.MaxOperatorStreams = 2 })
	watch(w, "a")
	w.wait(10 * time.Second)
	watch(w, "b")
	w.look()
	w.wait(5 * time.Second)
	assert.Len(t, w.sent["a"], 1, "the first heartbeat is after 15 seconds")
	assert.Empty(t, w.sent["b"])

	t.Run("over the cap the oldest is closed", func(t *testing.T) {
		w.T = t
		w.look()
		watch(w, "c")
		assert.Equal(t, []string{"open operator c for 3", "close a"}, w.look())
		w.do(StreamGone{Stream: "a"})
		assert.Equal(t, 2, w.core.watched.len())
	})

	t.Run("who has left hears nothing", func(t *testing.T) {
		w.T = t
		w.do(StreamGone{Stream: "b"})
		w.register(1)
		assert.Empty(t, w.sent["b"])
		assert.Len(t, w.sent["c"], 1)
		w.look()
		w.wait(time.Minute)
		assert.Empty(t, w.sent["b"])
	})
}
