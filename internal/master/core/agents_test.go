package core

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/wire"
)

// knock sends the registration of agent n, changed.
func (w *world) knock(n int, change ...func(*wire.RegisterSlaveMessage)) {
	w.Helper()
	m := &wire.RegisterSlaveMessage{Slave: agentInfo(n), Version: proto.String("1.12.0"), AgentCapabilities: modern}
	for _, c := range change {
		c(m)
	}
	w.do(AgentMessage{From: pid(n), To: "master", Message: m})
}

func TestRegister(t *testing.T) {
	t.Run("an agent is in when the registry has it", func(t *testing.T) {
		w := newWorld(t)
		w.answerStores = false
		w.knock(1)
		w.knock(1)
		require.Len(t, w.stores, 1, "it repeats itself meanwhile")
		assert.Zero(t, w.core.agents.len())
		assert.Empty(t, messages[*wire.SlaveRegisteredMessage](w, pid(1)))
		w.do(RegistryStored{Ticket: w.stores[0]})
		welcome := messages[*wire.SlaveRegisteredMessage](w, pid(1))
		require.Len(t, welcome, 1)
		assert.Equal(t, "M-S0", welcome[0].GetSlaveId().GetValue())
		assert.InDelta(t, 75.0, welcome[0].GetConnection().GetTotalPingTimeoutSeconds(), 0)
		assert.Equal(t, "M-S0", w.changes[0].(AdmitAgent).Info.GetId().GetValue())
		w.knock(1)
		assert.Len(t, w.stores, 1)
		assert.Len(t, messages[*wire.SlaveRegisteredMessage](w, pid(1)), 2, "the answer may have been lost")
		w.sound()
	})

	t.Run("who cannot come in hears nothing", func(t *testing.T) {
		for name, c := range map[string]struct {
			config func(*Config)
			change func(*wire.RegisterSlaveMessage)
		}{
			"it says no version":      {nil, func(m *wire.RegisterSlaveMessage) { m.Version = nil }},
			"its version is no one":   {nil, func(m *wire.RegisterSlaveMessage) { m.Version = proto.String("new") }},
			"its version is too old":  {nil, func(m *wire.RegisterSlaveMessage) { m.Version = proto.String("0.28.2") }},
			"its resources are wrong": {nil, func(m *wire.RegisterSlaveMessage) { m.Slave.Resources[0].Scalar.Value = proto.Float64(-1) }},
			"it has a domain":         {nil, func(m *wire.RegisterSlaveMessage) { m.Slave.Domain = &mesosv1.DomainInfo{} }},
			"it has none":             {func(c *Config) { c.RequireAgentDomain = true }, func(*wire.RegisterSlaveMessage) {}},
			"it is not authenticated": {func(c *Config) { c.AuthenticateAgents = true }, func(*wire.RegisterSlaveMessage) {}},
			"what it checkpointed is not there": {nil, func(m *wire.RegisterSlaveMessage) {
				m.CheckpointedResources = reserved("cpus:9")
			}},
		} {
			t.Run(name, func(t *testing.T) {
				config := func(*Config) {}
				if c.config != nil {
					config = c.config
				}
				w := newWorld(t, config)
				w.knock(1, c.change)
				assert.Empty(t, w.look())
				assert.Zero(t, w.core.agents.len())
			})
		}
	})

	t.Run("reservations that were made are part of what it has", func(t *testing.T) {
		w := newWorld(t)
		w.knock(1, func(m *wire.RegisterSlaveMessage) { m.CheckpointedResources = reserved("cpus:1") })
		assert.Equal(t, "cpus:3; mem:1024; ports:[31000-31009]; cpus(reservations: [(DYNAMIC,web)]):1",
			w.core.View().Agents[0].Total.String())
		w.sound()
	})

	t.Run("a registry that refuses keeps it out, and one that fails ends the master", func(t *testing.T) {
		w := newWorld(t)
		w.answerStores = false
		w.knock(1)
		w.do(RegistryStored{Ticket: w.stores[0], Refused: true, Err: errors.New("no")})
		assert.Zero(t, w.core.agents.len())
		w.knock(1)
		require.Len(t, w.stores, 2)
		w.look()
		w.do(RegistryStored{Ticket: w.stores[1], Err: errors.New("disk full")})
		require.Len(t, w.log, 1)
		assert.Contains(t, w.log[0], "disk full")
		assert.Contains(t, w.log[0], "exit: ")
		w.look()
		w.knock(2)
		assert.Empty(t, w.log, "nothing is done any more")
	})

	t.Run("a new agent at the address of one that is away takes its place", func(t *testing.T) {
		w := newWorld(t)
		old := w.register(1)
		w.subscribe("s")
		w.launch("s", old, "t", "cpus:1;mem:32")
		w.do(AgentExited{PID: pid(1)})
		w.look()
		w.knock(1)
		assert.NotEqual(t, old, w.core.agentAt[pid(1)].id)
		assert.Equal(t, mesosv1.TaskState_TASK_LOST, w.one("s").GetState())
		assert.Equal(t, 1, w.core.agents.len())
		assert.InDelta(t, 1, w.core.counts["slave_removals/reason_registered"], 0)
		w.sound()
	})
}

func reserved(text string) []*mesosv1.Resource {
	messages := res(text)
	messages[0].Reservations = []*mesosv1.Resource_ReservationInfo{{
		Type: mesosv1.Resource_ReservationInfo_DYNAMIC.Enum(), Role: proto.String("web")}}
	return messages
}

func TestAgentAuthentication(t *testing.T) {
	needed := func(c *Config) { c.AuthenticateAgents = true }

	t.Run("a registration waits for the handshake", func(t *testing.T) {
		w := newWorld(t, needed)
		w.do(Authenticating{PID: pid(1)})
		w.knock(1)
		w.knock(1)
		assert.Empty(t, w.look())
		w.do(Authenticated{PID: pid(1), Principal: "agent"})
		assert.Len(t, w.changes, 1)
		assert.Equal(t, 1, w.core.agents.len())
	})

	t.Run("and is dropped if that fails", func(t *testing.T) {
		w := newWorld(t, needed)
		w.do(Authenticating{PID: pid(1)})
		w.knock(1)
		w.do(NotAuthenticated{PID: pid(1)})
		assert.Empty(t, w.look())
	})

	t.Run("who need not and fails comes in all the same", func(t *testing.T) {
		w := newWorld(t)
		w.do(Authenticating{PID: pid(1)})
		w.knock(1)
		w.do(NotAuthenticated{PID: pid(1)})
		assert.Equal(t, 1, w.core.agents.len())
	})

	t.Run("a break of the link ends it", func(t *testing.T) {
		w := newWorld(t, needed)
		w.do(Authenticating{PID: pid(1)})
		w.do(Authenticated{PID: pid(1), Principal: "agent"})
		agent := w.register(1)
		w.do(AgentExited{PID: pid(1)})
		w.look()
		w.reregister(1, agent)
		assert.Empty(t, w.look())
	})

	t.Run("the authorizer is asked with the principal, and about reservations", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.Authorize = true })
		w.do(Authenticating{PID: pid(1)})
		w.do(Authenticated{PID: pid(1), Principal: "agent"})
		w.knock(1, func(m *wire.RegisterSlaveMessage) {
			m.Slave.Resources = append(m.Slave.Resources, res("cpus(web):1")...)
		})
		requests := w.asked[0].Requests
		require.Len(t, requests, 2)
		assert.Equal(t, authorization.Action_REGISTER_AGENT, requests[0].GetAction())
		assert.Equal(t, "agent", requests[0].GetSubject().GetValue())
		assert.Equal(t, authorization.Action_RESERVE_RESOURCES, requests[1].GetAction())
		assert.Equal(t, "web", requests[1].GetObject().GetValue())
		w.do(Authorized{Ticket: w.asked[0].Ticket, Allowed: []bool{true, false}})
		assert.Zero(t, w.core.agents.len())
		w.knock(1)
		w.do(Authorized{Ticket: w.asked[1].Ticket, Err: errors.New("out of order")})
		assert.Zero(t, w.core.agents.len())
	})
}

func TestObserver(t *testing.T) {
	t.Run("it pings from a name of its own, answered or not", func(t *testing.T) {
		w := newWorld(t)
		w.register(1)
		w.register(2)
		w.look()
		w.wait(30 * time.Second)
		var from []string
		for _, e := range w.effects {
			if m, ok := e.(ToAgent); ok {
				from = append(from, m.From)
				assert.True(t, m.Message.(*wire.PingSlaveMessage).GetConnected())
			}
		}
		assert.Equal(t, []string{"slave-observer(1)", "slave-observer(2)", "slave-observer(1)", "slave-observer(2)"}, from)
	})

	t.Run("after five pings without an answer the agent is unreachable", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		w.wait(74 * time.Second)
		assert.Empty(t, w.core.unreachable.len())
		w.wait(time.Second)
		require.Equal(t, 1, w.core.unreachable.len())
		require.Len(t, w.changes, 2)
		assert.Equal(t, agent, w.changes[1].(MarkAgentUnreachable).ID.GetValue())
		assert.Zero(t, w.core.agents.len())
		assert.Empty(t, w.core.observers)
		for _, name := range []string{"slave_unreachable_scheduled", "slave_unreachable_completed", "slave_removals",
			"slave_removals/reason_unhealthy"} {
			assert.InDelta(t, 1, w.core.counts[name], 0, name)
		}
		w.sound()
	})

	t.Run("any pong begins the count anew", func(t *testing.T) {
		w := newWorld(t)
		w.register(1)
		w.wait(70 * time.Second)
		w.do(AgentMessage{From: pid(1), To: "slave-observer(1)", Message: &wire.PongSlaveMessage{}})
		w.wait(70 * time.Second)
		assert.Equal(t, 1, w.core.agents.len())
		w.wait(20 * time.Second)
		assert.Zero(t, w.core.agents.len())
	})

	t.Run("an agent that is away is told so by its pings", func(t *testing.T) {
		w := newWorld(t)
		w.register(1)
		w.do(AgentExited{PID: pid(1)})
		w.look()
		w.wait(15 * time.Second)
		pings := messages[*wire.PingSlaveMessage](w, pid(1))
		require.Len(t, pings, 1)
		assert.False(t, pings[0].GetConnected())
	})

	t.Run("removals are spaced, and a pong cancels one", func(t *testing.T) {
		w := newWorld(t, func(c *Config) { c.AgentRemovalRate = Rate{N: 1, Per: time.Minute} })
		for n := range 3 {
			w.register(n)
		}
		w.wait(75 * time.Second)
		assert.Equal(t, 2, w.core.agents.len(), "one at once")
		w.do(AgentMessage{From: pid(1), To: "slave-observer(2)", Message: &wire.PongSlaveMessage{}})
		assert.InDelta(t, 1, w.core.counts["slave_unreachable_canceled"], 0)
		w.wait(59 * time.Second)
		assert.Equal(t, 2, w.core.agents.len())
		w.wait(time.Second)
		assert.Equal(t, 1, w.core.agents.len(), "the third has the turn of the second")
		assert.NotNil(t, w.core.agentAt[pid(1)])
		w.sound()
	})

	t.Run("a pong that comes too late is dropped", func(t *testing.T) {
		w := newWorld(t)
		w.register(1)
		w.wait(80 * time.Second)
		w.look()
		w.do(AgentMessage{From: pid(1), To: "slave-observer(1)", Message: &wire.PongSlaveMessage{}})
		assert.Empty(t, w.look())
	})
}

func TestAgentMessages(t *testing.T) {
	t.Run("who does not lead listens to nobody", func(t *testing.T) {
		w := standbyWorld(t)
		w.knock(1)
		w.do(Elected{})
		w.knock(1)
		assert.Equal(t, []string{"recover registry"}, w.look())
		assert.InDelta(t, 2, w.core.counts["dropped_messages"], 0)
	})

	t.Run("what is not known is logged", func(t *testing.T) {
		w := newWorld(t)
		w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.PingSlaveMessage{}})
		require.Len(t, w.log, 1)
		assert.Contains(t, w.log[0], "mesos.internal.PingSlaveMessage")
	})

	t.Run("oversubscribed resources come and go, and offers of the old ones with them", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		revocable := res("cpus:2")
		revocable[0].Revocable = &mesosv1.Resource_RevocableInfo{}
		m := &wire.UpdateSlaveMessage{SlaveId: &mesosv1.AgentID{Value: &agent}, OversubscribedResources: revocable}
		w.do(AgentMessage{From: pid(1), To: "master", Message: m})
		assert.Equal(t, "cpus:4; mem:1024; ports:[31000-31009]; cpus{REV}:2", w.core.View().Agents[0].Total.String())
		f := w.subscribe("s")
		w.do(Offered{Shares: []*allocation.Share{w.books.share(agent, f, "web", mustNew(revocable))}})
		w.offer(f, agent, "web", "cpus:1")
		w.look()
		keep := proto.CloneOf(m)
		keep.OversubscribedResources, keep.UpdateOversubscribedResources = nil, proto.Bool(false)
		w.do(AgentMessage{From: pid(1), To: "master", Message: keep})
		assert.Empty(t, w.look(), "nothing is said of them")
		m = proto.CloneOf(m)
		m.OversubscribedResources = nil
		w.do(AgentMessage{From: pid(1), To: "master", Message: m})
		assert.Equal(t, []string{"RESCIND"}, w.types("s"))
		assert.Equal(t, "cpus:4; mem:1024; ports:[31000-31009]", w.core.View().Agents[0].Total.String())
		w.sound()
	})

	t.Run("statuses of operations of a former master are acknowledged", func(t *testing.T) {
		w := newWorld(t)
		agent := w.register(1)
		uuid := &mesosv1.UUID{Value: []byte("0123456789abcdef")}
		w.do(AgentMessage{From: pid(1), To: "master", Message: &wire.UpdateOperationStatusMessage{
			SlaveId: &mesosv1.AgentID{Value: &agent}, OperationUuid: uuid,
			Status: &mesosv1.OperationStatus{State: mesosv1.OperationState_OPERATION_FINISHED.Enum(), Uuid: uuid}}})
		assert.Len(t, messages[*wire.AcknowledgeOperationStatusMessage](w, pid(1)), 1)
	})
}
