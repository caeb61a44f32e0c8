package core

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/wire"
)

func TestReadmittedExecutors(t *testing.T) {
	for _, allocated := range []bool{true, false} {
		w := recoveredWorld(t, []int{1})
		e := customExecutor()
		e.FrameworkId = &mesosv1.FrameworkID{Value: proto.String("L-0000")}
		if allocated {
			e.Resources = parsed("cpus:0.1;mem:32").Allocate("web").Messages()
		}
		other := proto.CloneOf(e)
		other.FrameworkId = &mesosv1.FrameworkID{Value: proto.String("L-0001")}
		w.reregister(1, "L-S1", runs(frameworkInfo(id("L-0000"))), func(m *wire.ReregisterSlaveMessage) {
			m.ExecutorInfos = []*mesosv1.ExecutorInfo{e, other}
		})
		view := w.core.View()
		require.Len(t, view.Frameworks, 2, "one of them is known from its executor only")
		require.Len(t, view.Frameworks[0].Executors, 1)
		assert.Equal(t, "L-S1", view.Frameworks[0].Executors[0].Agent.GetValue())
		assert.Equal(t, "cpus(allocated: web):0.1; mem(allocated: web):32", view.Frameworks[0].Used.String(),
			"old agents do not say which role it is")
		w.sound()
	}
}

func TestLateBreak(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.AuthenticateAgents = true })
	w.do(Authenticating{PID: pid(1)})
	w.do(Authenticated{PID: pid(1), Principal: "agent"})
	agent := w.register(1)
	w.do(Authenticating{PID: pid(1)})
	w.do(AgentExited{PID: pid(1)})
	w.do(Authenticated{PID: pid(1), Principal: "agent"})
	w.reregister(1, agent)
	assert.True(t, w.core.View().Agents[0].Connected, "a handshake that is under way is not undone by news of the old link")
}

func TestManyStates(t *testing.T) {
	w, f, agent := running(t)
	for range 100 {
		w.status(f, agent, "t", mesosv1.TaskState_TASK_STARTING)
		w.status(f, agent, "t", mesosv1.TaskState_TASK_RUNNING)
	}
	statuses := w.task("t").info.GetStatuses()
	assert.Len(t, statuses, maxStatuses)
	assert.Equal(t, mesosv1.TaskState_TASK_RUNNING, statuses[maxStatuses-1].GetState())
}

func TestSmallCalls(t *testing.T) {
	w := newWorld(t)
	w.subscribe("s")
	w.look()
	w.call("s", &scheduler.Call{Type: scheduler.Call_REQUEST.Enum(), Request: &scheduler.Call_Request{
		Requests: []*mesosv1.Request{{}, {}}}})
	assert.Equal(t, []string{"answer 2: 202", "allocator RequestResources M-0000 2"}, w.look())
	w.call("s", &scheduler.Call{Type: scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS.Enum()})
	assert.Equal(t, []string{"answer 3: 202"}, w.look())
	assert.InDelta(t, 1, w.core.counts["messages_operation_status_update_acknowledgement"], 0)
	w.call("other", &scheduler.Call{Type: scheduler.Call_MESSAGE.Enum(), FrameworkId: &mesosv1.FrameworkID{Value: proto.String("M-0000")}})
	assert.InDelta(t, 1, w.core.counts["invalid_framework_to_executor_messages"], 0)
}

func TestSharesThatAreWrong(t *testing.T) {
	w := newWorld(t)
	agent := w.register(1)
	f := w.subscribe("s")
	w.look()
	for name, r := range map[string][]*mesosv1.Resource{
		"not valid":            {{Name: proto.String("cpus")}},
		"allocated to no role": res("cpus:1"),
	} {
		w.do(Offered{Shares: []*allocation.Share{{FrameworkId: &mesosv1.FrameworkID{Value: &f},
			AgentId: &mesosv1.AgentID{Value: &agent}, Resources: r}}})
		require.Len(t, w.log, 1, name)
		assert.Contains(t, w.log[0], name)
		w.look()
	}
	assert.Zero(t, w.core.offers.len())

	t.Run("what a framework cannot read goes back", func(t *testing.T) {
		w.T = t
		refined := res("cpus(web):1")
		refined[0].Reservations = append(refined[0].Reservations, &mesosv1.Resource_ReservationInfo{
			Type: mesosv1.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web/a")})
		w.do(Offered{Shares: []*allocation.Share{w.books.share(agent, f, "web", mustNew(refined))}})
		assert.Empty(t, w.types("s"))
		assert.Contains(t, w.look()[0], "RecoverResources")
		w.sound()
	})
}

func TestRoles(t *testing.T) {
	w := newWorld(t, func(c *Config) {
		c.Weights = []*mesosv1.WeightInfo{{Role: proto.String("z"), Weight: proto.Float64(2)}}
	})
	w.knock(1, func(m *wire.RegisterSlaveMessage) {
		m.Slave.Resources = append(m.Slave.Resources, res("cpus(a/b):1")...)
	})
	multi := with(mesosv1.FrameworkInfo_Capability_MULTI_ROLE)
	f := w.subscribe("s", func(i *mesosv1.FrameworkInfo) { i.Role = proto.String("a/c") }, multi)
	o := w.offer(f, "M-S0", "a/c", "cpus:2;mem:32")
	w.call("s", accept(offers(o), launch(taskInfo("t", "M-S0", "cpus:1;mem:32"))))
	w.offer(f, "M-S0", "a/c", "cpus:1")
	said := func() (all []string) {
		for _, r := range w.core.View().Roles {
			all = append(all, fmt.Sprintf("%s weight=%v frameworks=%d allocated=%v offered=%v reserved=%v", r.Name, r.Weight,
				len(r.Frameworks), r.Allocated.ScalarQuantities(), r.Offered.ScalarQuantities(), r.Reserved.ScalarQuantities()))
		}
		return all
	}
	assert.Equal(t, []string{
		"a weight=1 frameworks=0 allocated=cpus:1; mem:32 offered=cpus:1 reserved=cpus:1",
		"a/b weight=1 frameworks=0 allocated={} offered={} reserved=cpus:1",
		"a/c weight=1 frameworks=1 allocated=cpus:1; mem:32 offered=cpus:1 reserved={}",
		"z weight=2 frameworks=0 allocated={} offered={} reserved={}",
	}, said())

	t.Run("a role that was left is known while something runs there", func(t *testing.T) {
		w.T = t
		w.subscribe("t", id(f), func(i *mesosv1.FrameworkInfo) { i.Role = proto.String("new") }, multi)
		assert.Equal(t, []string{
			"a weight=1 frameworks=0 allocated=cpus:1; mem:32 offered={} reserved=cpus:1",
			"a/b weight=1 frameworks=0 allocated={} offered={} reserved=cpus:1",
			"a/c weight=1 frameworks=1 allocated=cpus:1; mem:32 offered={} reserved={}",
			"new weight=1 frameworks=1 allocated={} offered={} reserved={}",
			"z weight=2 frameworks=0 allocated={} offered={} reserved={}",
		}, said())
	})
}

func TestSeconds(t *testing.T) {
	for s, want := range map[float64]time.Duration{
		1.5: 1500 * time.Millisecond, 0: 0, -1: 0, 1e300: math.MaxInt64, math.Inf(1): math.MaxInt64, math.NaN(): 0,
	} {
		assert.Equal(t, want, seconds(s), "%v", s)
	}
}

func TestUnknownEvent(t *testing.T) {
	w := newWorld(t)
	w.do(nil)
	require.Len(t, w.log, 1)
	assert.Contains(t, w.log[0], "<nil>")
	w.do(StreamGone{Stream: "nobody's"})
	w.do(RegistryStored{Ticket: 99})
	w.do(Allocated{Ticket: 99})
	w.do(AgentExited{PID: pid(9)})
	w.do(NotAuthenticated{PID: pid(9)})
	assert.Len(t, w.log, 1)
}

// TestCrowd has many schedulers with many offers, all of which go at once.
func TestCrowd(t *testing.T) {
	const schedulers, each = 200, 50
	w := newWorld(t)
	var shares []*allocation.Share
	for n := range each {
		w.register(n)
	}
	for n := range schedulers {
		stream := StreamID(fmt.Sprint("s", n))
		f := w.subscribe(stream, func(i *mesosv1.FrameworkInfo) { i.FailoverTimeout = nil })
		for a := range each {
			shares = append(shares, w.books.share(fmt.Sprintf("M-S%d", a), f, "web", parsed("cpus:0.01")))
		}
	}
	w.look()
	w.do(Offered{Shares: shares})
	assert.Equal(t, schedulers*each, w.core.offers.len())
	assert.Len(t, w.look(), schedulers, "one event for each")
	for n := range schedulers {
		w.do(StreamGone{Stream: StreamID(fmt.Sprint("s", n))})
	}
	w.wait(0)
	assert.Zero(t, w.core.offers.len())
	assert.Zero(t, w.core.frameworks.len())
	assert.Empty(t, w.core.streams)
	assert.Empty(t, w.core.audience)
	w.sound()
}
