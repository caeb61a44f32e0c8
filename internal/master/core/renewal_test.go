package core

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/quota"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

func TestANewAllocator(t *testing.T) {
	t.Run("is told of all there is, and offers nothing before it knows everything", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		away := w.register(2)
		f := w.subscribe("s")
		w.subscribe("gone")
		w.do(StreamGone{Stream: "gone"})
		w.launch("s", agent, "t", "cpus:1;mem:32")
		w.call("s", &scheduler.Call{Type: scheduler.Call_SUPPRESS.Enum()})
		w.operator(&master.Call{Type: master.Call_UPDATE_WEIGHTS.Enum(), UpdateWeights: &master.Call_UpdateWeights{
			WeightInfos: []*mesosv1.WeightInfo{{Role: proto.String("web"), Weight: proto.Float64(2)}}}})
		w.operator(&master.Call{Type: master.Call_UPDATE_QUOTA.Enum(), UpdateQuota: &master.Call_UpdateQuota{
			QuotaConfigs: []*quota.QuotaConfig{{Role: proto.String("web"), Limits: map[string]*mesosv1.Value_Scalar{"cpus": {Value: proto.Float64(3)}}}}}})
		w.do(AgentExited{PID: pid(2)})
		w.look()
		w.do(AllocatorRenewed{})
		assert.Equal(t, []string{
			"retell",
			"allocator Pause ",
			"allocator Recover 0 agents, 1 quotas",
			"allocator UpdateWeights 1",
			"allocator AddFramework " + f + " active=true suppressed=[web] used=0",
			"allocator AddFramework M-0001 active=false suppressed=[] used=0",
			"allocator AddSlave " + agent + " cpus:4; mem:1024; ports:[31000-31009] used=1",
			"allocator AddSlave " + away + " cpus:4; mem:1024; ports:[31000-31009] used=0",
			"allocator DeactivateSlave " + away,
			"allocator Resume ",
		}, w.look())
		w.sound()
	})

	t.Run("finds no offers, and frameworks are told so", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		w.offer(f, agent, "web", "cpus:1;mem:32")
		w.do(InverseOffered{Shares: []*allocation.InverseShare{{
			FrameworkId: &mesosv1.FrameworkID{Value: &f}, AgentId: &mesosv1.AgentID{Value: &agent}, Resources: res("cpus:1")}}})
		w.look()
		w.do(AllocatorRenewed{})
		assert.Equal(t, []string{"RESCIND", "RESCIND_INVERSE_OFFER"}, w.types("s"))
		assert.Zero(t, w.core.offers.len())
		w.sound()
	})

	t.Run("takes back what becomes of an ACCEPT that is under way", func(t *testing.T) {
		for _, c := range []struct {
			name  string
			until func(w *world, f, agent string)
		}{
			{"of which a part is used", func(*world, string, string) {}},
			{"whose agent has gone", func(w *world, _, agent string) { w.do(AgentExited{PID: pid(1)}) }},
			{"whose framework has gone", func(w *world, f, _ string) {
				w.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(), Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: &f}}})
				w.do(Authorized{Ticket: w.asked[len(w.asked)-1].Ticket, Allowed: []bool{true}})
			}},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t, func(config *Config) { config.Authorize = true })
				agent := w.registerAllowed(1)
				f := w.subscribeAllowed("s")
				offer := w.offer(f, agent, "web", "cpus:1;mem:64")
				w.call("s", accept([]*mesosv1.OfferID{offer}, launch(taskInfo("t", agent, "cpus:0.5;mem:32"))))
				question := w.asked[len(w.asked)-1].Ticket
				w.do(AllocatorRenewed{})
				require.Equal(t, "cpus(allocated: web):1; mem(allocated: web):64", w.books.agents[agent].used[f].String())
				c.until(w, f, agent)
				w.look()
				w.do(Authorized{Ticket: question, Allowed: []bool{true}})
				for _, line := range w.look() {
					assert.NotContains(t, line, "Transition", "it is in use already")
					assert.NotContains(t, line, "allocated=false")
				}
				w.sound()
			})
		}
	})

	t.Run("waits for the agents of the registry as the one before", func(t *testing.T) {
		w := recoveredWorld(t, []int{1, 2})
		w.reregister(1, "L-S1")
		w.look()
		w.do(AllocatorRenewed{})
		assert.Equal(t, []string{"retell", "allocator Recover 2 agents, 0 quotas",
			"allocator AddSlave L-S1 cpus:4; mem:1024; ports:[31000-31009] used=0"}, w.look())
		w.sound()
	})

	t.Run("is told nothing by a master that does not lead", func(t *testing.T) {
		w := standbyWorld(t)
		w.do(AllocatorRenewed{})
		assert.Equal(t, []string{"retell"}, w.look())
	})
}

// registerAllowed and subscribeAllowed bring somebody in whom the authorizer lets in.
func (w *world) registerAllowed(n int) string {
	w.Helper()
	w.knock(n)
	w.allow()
	return w.core.agentAt[pid(n)].id
}

func (w *world) subscribeAllowed(stream StreamID) string {
	w.Helper()
	w.trySubscribe(stream)
	w.allow()
	return w.core.streams[stream].framework.id
}

func (w *world) allow() {
	e := w.asked[len(w.asked)-1]
	allowed := make([]bool, len(e.Requests))
	for i := range allowed {
		allowed[i] = true
	}
	w.do(Authorized{Ticket: e.Ticket, Allowed: allowed})
}
