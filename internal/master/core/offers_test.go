package core

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestOffers(t *testing.T) {
	t.Run("an offer says whose it is, where, and how to get there", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		w.look()
		w.offer(f, agent, "web", "cpus:1;mem:32")
		require.Equal(t, []string{"OFFERS"}, w.types("s"))
		o := w.events("s")[0].GetOffers().GetOffers()[0]
		assert.Equal(t, "M-O0", o.GetId().GetValue())
		assert.Equal(t, f, o.GetFrameworkId().GetValue())
		assert.Equal(t, agent, o.GetAgentId().GetValue())
		assert.Equal(t, "host1", o.GetHostname())
		assert.Equal(t, "/slave(1)", o.GetUrl().GetPath())
		assert.Equal(t, "10.0.0.1", o.GetUrl().GetAddress().GetIp())
		assert.Equal(t, int32(5051), o.GetUrl().GetAddress().GetPort())
	})

	t.Run("allocation and reservations are in the form the framework knows", func(t *testing.T) {
		for _, c := range []struct {
			name         string
			capabilities []mesosv1.FrameworkInfo_Capability_Type
			allocated    bool
			role         string
			reservations int
		}{
			{"with one role and no refinement", nil, false, "web", 0},
			{"with many roles", []mesosv1.FrameworkInfo_Capability_Type{mesosv1.FrameworkInfo_Capability_MULTI_ROLE}, true, "web", 0},
			{"with refinement", []mesosv1.FrameworkInfo_Capability_Type{
				mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT}, false, "*", 1},
			{"with both", []mesosv1.FrameworkInfo_Capability_Type{mesosv1.FrameworkInfo_Capability_MULTI_ROLE,
				mesosv1.FrameworkInfo_Capability_RESERVATION_REFINEMENT}, true, "*", 1},
		} {
			t.Run(c.name, func(t *testing.T) {
				w := newWorld(t)
				agent := w.register(1)
				f := w.subscribe("s", with(c.capabilities...))
				w.look()
				w.offer(f, agent, "web", "cpus(web):1")
				o := w.events("s")[0].GetOffers().GetOffers()[0]
				assert.Equal(t, c.allocated, o.AllocationInfo != nil)
				assert.Equal(t, c.allocated, o.GetResources()[0].AllocationInfo != nil)
				assert.Equal(t, c.role, o.GetResources()[0].GetRole())
				assert.Len(t, o.GetResources()[0].GetReservations(), c.reservations)
				seen := w.core.View().Frameworks[0].Offers[0]
				assert.Equal(t, "web", seen.GetAllocationInfo().GetRole(), "operators see all")
				assert.Len(t, seen.GetResources()[0].GetReservations(), 1)
			})
		}
	})

	t.Run("of one call come all offers of a framework in one event, one for each agent and role", func(t *testing.T) {
		w := newWorld(t)
		one, two := w.register(1), w.register(2)
		f := w.subscribe("s", with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE),
			func(i *mesosv1.FrameworkInfo) { i.Roles = []string{"web", "batch"} })
		g := w.subscribe("g")
		w.look()
		w.do(Offered{Shares: []*allocation.Share{
			w.books.share(one, f, "web", parsed("cpus:1")), w.books.share(one, f, "batch", parsed("cpus:1")),
			w.books.share(two, f, "web", parsed("cpus:1")), w.books.share(two, g, "web", parsed("cpus:1")),
		}})
		require.Equal(t, []string{"OFFERS"}, w.types("s"))
		assert.Len(t, w.events("s")[0].GetOffers().GetOffers(), 3)
		require.Equal(t, []string{"OFFERS"}, w.types("g"))
		assert.Len(t, w.events("g")[0].GetOffers().GetOffers(), 1)
		w.sound()
	})

	t.Run("executors of the framework on the agent are named", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		o := w.offer(f, agent, "web", "cpus:1;mem:64")
		task := taskInfo("t", agent, "cpus:0.1;mem:32")
		task.Command, task.Executor = nil, customExecutor()
		w.call("s", accept([]*mesosv1.OfferID{o}, launch(task)))
		w.look()
		w.offer(f, agent, "web", "cpus:1")
		ids := w.events("s")[0].GetOffers().GetOffers()[0].GetExecutorIds()
		require.Len(t, ids, 1)
		assert.Equal(t, "e", ids[0].GetValue())
	})

	t.Run("what nobody can be offered goes back", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		share := func() *allocation.Share { return w.books.share(agent, f, "web", parsed("cpus:1")) }
		for _, c := range []struct {
			name  string
			spoil func()
		}{
			{"a framework that is away", func() { w.do(StreamGone{Stream: "s"}) }},
			{"a framework that is removed", func() {
				w.operator(&master.Call{Type: master.Call_TEARDOWN.Enum(),
					Teardown: &master.Call_Teardown{FrameworkId: &mesosv1.FrameworkID{Value: &f}}})
			}},
			{"an agent that is away", func() { w.subscribe("t"); f = "M-0001"; w.do(AgentExited{PID: pid(1)}) }},
		} {
			s := share()
			c.spoil()
			w.look()
			w.do(Offered{Shares: []*allocation.Share{s}})
			assert.Zero(t, w.core.offers.len(), c.name)
			assert.Contains(t, w.look()[0], "allocator RecoverResources", c.name)
			w.sound()
		}
	})

	t.Run("of an agent that has gone nothing goes back: all on it has gone too", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		f := w.subscribe("s")
		share := w.books.share(agent, f, "web", parsed("cpus:1"))
		w.do(AgentMessage{From: pid(1), To: "master",
			Message: &wire.UnregisterSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}}})
		w.look()
		w.do(Offered{Shares: []*allocation.Share{share}})
		assert.Empty(t, w.look())
		w.sound()
	})
}

func TestOfferTimeout(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.OfferTimeout = 10 * time.Second })
	agent := w.register(1)
	f := w.subscribe("s")
	used := w.offer(f, agent, "web", "cpus:1;mem:32")
	w.offer(f, agent, "web", "cpus:2")
	w.call("s", accept([]*mesosv1.OfferID{used}, launch(taskInfo("t", agent, "cpus:1;mem:32"))))
	w.look()
	w.wait(10 * time.Second)
	require.Equal(t, []string{"RESCIND"}, w.types("s"), "only what is not used")
	assert.Equal(t, "M-O1", w.events("s")[0].GetRescind().GetOfferId().GetValue())
	w.sound()
}

func TestDecline(t *testing.T) {
	decline := func(filters *mesosv1.Filters, ids ...*mesosv1.OfferID) *scheduler.Call {
		return &scheduler.Call{Type: scheduler.Call_DECLINE.Enum(),
			Decline: &scheduler.Call_Decline{OfferIds: ids, Filters: filters}}
	}
	w := newWorld(t)
	agent := w.register(1)
	f, g := w.subscribe("s"), w.subscribe("g")
	mine, yours := w.offer(f, agent, "web", "cpus:1"), w.offer(g, agent, "web", "cpus:1")
	again := w.offer(f, agent, "web", "mem:1")
	w.look()
	assert.Equal(t, 202, w.answered(w.call("s", decline(nil, mine, yours, &mesosv1.OfferID{Value: proto.String("x")}))).Status)
	assert.Equal(t, []string{
		"answer 3: 202",
		"allocator RecoverResources M-0000 M-S0 cpus(allocated: web):1 allocated=false refuse=5",
	}, w.look(), "others' offers and unknown ones are left alone; five seconds are the default")
	w.call("s", decline(&mesosv1.Filters{RefuseSeconds: proto.Float64(0)}, again))
	assert.Contains(t, w.look()[1], "refuse=0")
	w.sound()
}

func TestReviveAndSuppress(t *testing.T) {
	both := func(i *mesosv1.FrameworkInfo) { i.Roles = []string{"web", "batch"} }
	call := func(t scheduler.Call_Type, roles ...string) *scheduler.Call {
		return &scheduler.Call{Type: t.Enum(), Revive: &scheduler.Call_Revive{Roles: roles},
			Suppress: &scheduler.Call_Suppress{Roles: roles}}
	}
	w := newWorld(t)
	w.subscribe("s", with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE), both)
	f := w.core.streams["s"].framework
	for _, c := range []struct {
		name       string
		call       *scheduler.Call
		suppressed []string
		told       bool
	}{
		{"no roles are all", call(scheduler.Call_SUPPRESS), []string{"web", "batch"}, true},
		{"roles that are named", call(scheduler.Call_REVIVE, "web"), []string{"batch"}, true},
		{"one role too many and nothing is done", call(scheduler.Call_REVIVE, "batch", "other"), []string{"batch"}, false},
		{"likewise", call(scheduler.Call_SUPPRESS, "web", "-"), []string{"batch"}, false},
		{"all again", call(scheduler.Call_REVIVE), nil, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			w.T = t
			w.look()
			assert.Equal(t, 202, w.answered(w.call("s", c.call)).Status)
			assert.Equal(t, c.suppressed, f.suppressedRoles())
			assert.Equal(t, c.told, len(w.look()) == 2)
		})
	}
}

func TestInverseOffers(t *testing.T) {
	w := newWorld(t)
	agent := w.register(1)
	f := w.subscribe("s")
	share := &allocation.InverseShare{AgentId: &mesosv1.AgentID{Value: &agent}, FrameworkId: &mesosv1.FrameworkID{Value: &f},
		Unavailability: &mesosv1.Unavailability{Start: timeInfo(begin)}}
	w.look()
	w.do(InverseOffered{Shares: []*allocation.InverseShare{share, share, share}})
	require.Equal(t, []string{"INVERSE_OFFERS"}, w.types("s"))
	offers := w.events("s")[0].GetInverseOffers().GetInverseOffers()
	require.Len(t, offers, 3)
	w.look()
	w.call("s", &scheduler.Call{Type: scheduler.Call_ACCEPT_INVERSE_OFFERS.Enum(),
		AcceptInverseOffers: &scheduler.Call_AcceptInverseOffers{InverseOfferIds: []*mesosv1.OfferID{offers[0].GetId()}}})
	assert.Equal(t, "allocator UpdateInverseOffer M-S0 M-0000 status=ACCEPT filters=true", w.look()[1])
	w.call("s", &scheduler.Call{Type: scheduler.Call_DECLINE_INVERSE_OFFERS.Enum(),
		DeclineInverseOffers: &scheduler.Call_DeclineInverseOffers{
			InverseOfferIds: []*mesosv1.OfferID{offers[0].GetId(), offers[1].GetId()}}})
	assert.Equal(t, []string{"answer 3: 202", "allocator UpdateInverseOffer M-S0 M-0000 status=DECLINE filters=true"}, w.look())
	w.do(AgentExited{PID: pid(1)})
	assert.Equal(t, []string{"RESCIND_INVERSE_OFFER"}, w.types("s"))
	assert.Zero(t, w.core.frameworks.snapshot()[0].inverse.len())
}
