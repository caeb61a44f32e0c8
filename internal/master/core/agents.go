package core

import (
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/allocation"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// agent is a registered agent.
//
//	connected, active <--link breaks, comes back--> disconnected --timeout--> unreachable
type agent struct {
	id           string
	info         *mesosv1.AgentInfo // never changed, only replaced
	pid          libprocess.PID
	version      string
	capabilities []*mesosv1.AgentInfo_Capability
	providers    []*mesosv1.ResourceProviderInfo

	connected   bool
	active      bool // in the allocator
	deactivated bool // by an operator

	registered, reregistered time.Time

	base           resources.Resources // with reservations and volumes made since it started
	oversubscribed resources.Resources
	total          resources.Resources // both
	used, offered  resources.Resources // allocated to roles
	resourcesID    *mesosv1.UUID       // the version of its resources

	tasks     table[taskKey, *task]
	executors table[executorKey, *executor]
	offers    table[string, *offer]
	inverse   table[string, *inverseOffer]
	killed    map[taskKey]bool // to be killed again when the agent comes back

	observer *observer
	away     *timer // when it is away: until it counts as unreachable
}

// can says whether the agent has a capability.
func (a *agent) can(capability mesosv1.AgentInfo_Capability_Type) bool {
	return slices.ContainsFunc(a.capabilities, func(c *mesosv1.AgentInfo_Capability) bool {
		return c.GetType() == capability
	})
}

func (a *agent) shape() resources.Shape {
	if a.can(mesosv1.AgentInfo_Capability_RESERVATION_REFINEMENT) {
		return resources.Post
	}
	return resources.PreIfPossible
}

// url is where the agent's API is.
func (a *agent) url() *mesosv1.URL {
	return &mesosv1.URL{
		Scheme: proto.String("http"),
		Address: &mesosv1.Address{
			Hostname: proto.String(a.info.GetHostname()),
			Ip:       proto.String(a.pid.Addr.Addr().String()),
			Port:     proto.Int32(int32(a.pid.Addr.Port())),
		},
		Path: proto.String("/" + a.pid.Name),
	}
}

// agentMessage is told by an agent. Who does not lead listens to nobody.
func (c *Core) agentMessage(e AgentMessage) {
	if c.phase != leading {
		c.counts.add("dropped_messages", 1)
		return
	}
	if o, ok := c.observers[e.To]; ok {
		if _, ok := e.Message.(*wire.PongSlaveMessage); ok {
			o.pong(c)
		}
		return
	}
	switch m := e.Message.(type) {
	case *wire.RegisterSlaveMessage:
		c.registerAgent(e.From, m)
	case *wire.ReregisterSlaveMessage:
		c.reregisterAgent(e.From, m)
	case *wire.UnregisterSlaveMessage:
		c.unregisterAgent(e.From, m)
	case *wire.UpdateSlaveMessage:
		c.updateAgent(m)
	case *wire.StatusUpdateMessage:
		a, _ := c.agents.get(m.GetUpdate().GetSlaveId().GetValue())
		c.statusUpdate(a, m)
	case *wire.ExitedExecutorMessage:
		c.executorExited(m)
	case *wire.ExecutorToFrameworkMessage:
		c.messageToFramework(m)
	case *wire.UpdateOperationStatusMessage:
		c.operationStatus(m)
	case *wire.PongSlaveMessage: // of an observer that is gone
	default:
		c.log(Warning, "a message of type %s from %v is of no use here and was dropped",
			e.Message.ProtoReflect().Descriptor().FullName(), e.From)
	}
}

// addAgent enters an agent, with what it runs, and begins to watch it.
func (c *Core) addAgent(a *agent) {
	a.connected = true
	a.active = !a.deactivated
	a.setTotal()
	c.agents.put(a.id, a)
	c.agentAt[a.pid] = a
	c.sums.total.add(a.base, 1)
	c.sums.total.add(a.oversubscribed, 1)
	c.emit(Link{a.pid})
}

// announceAgent tells the allocator of an agent whose tasks and executors are in the
// books.
func (c *Core) announceAgent(a *agent) {
	c.allocatorAddAgent(a, a.shares())
	if !a.active {
		c.allocatorDeactivateAgent(a)
	}
	c.observe(a)
	c.watchAgentAdded(a)
}

func (a *agent) setTotal() { a.total = a.base.Add(a.oversubscribed) }

// shares is what frameworks use on the agent, in the order in which they came to it.
func (a *agent) shares() []*allocation.Share {
	var used table[string, resources.Resources]
	add := func(f *framework, r resources.Resources) {
		sum, _ := used.get(f.id)
		used.put(f.id, sum.Add(r))
	}
	for e := range a.executors.values() {
		add(e.framework, e.resources)
	}
	for t := range a.tasks.values() {
		if t.holding {
			add(t.framework, t.resources)
		}
	}
	shares := make([]*allocation.Share, 0, used.len())
	for id := range used.keys() {
		r, _ := used.get(id)
		shares = append(shares, &allocation.Share{
			FrameworkId: &mesosv1.FrameworkID{Value: proto.String(id)},
			AgentId:     a.info.GetId(),
			Resources:   r.Messages(),
		})
	}
	return shares
}

// connection says how long an agent waits for a ping.
func (c *Core) connection() *wire.MasterSlaveConnection {
	total := c.config.AgentPingTimeout * time.Duration(c.config.MaxAgentPingTimeouts)
	return &wire.MasterSlaveConnection{TotalPingTimeoutSeconds: proto.Float64(total.Seconds())}
}

// agentExited is told that the link to an agent has broken. It may come back; its
// tasks go on if their framework wants that.
func (c *Core) agentExited(pid libprocess.PID) {
	a, ok := c.agentAt[pid]
	if !ok || !a.connected {
		return
	}
	c.forgetPrincipal(pid)
	c.log(Info, "agent %s at %v (%s) is disconnected", a.id, a.pid, a.info.GetHostname())
	a.connected = false
	c.deactivateAgent(a)
	for _, f := range a.frameworks() {
		if !f.info.GetCheckpoint() {
			c.loseFramework(a, f)
		}
	}
	a.away = c.after(c.config.AgentReregisterTimeout, func() {
		c.markUnreachable(a, "agent did not re-register within the timeout after disconnecting")
	})
}

// deactivateAgent ends offers of an agent and takes back those that are out.
func (c *Core) deactivateAgent(a *agent) {
	if !a.active {
		return
	}
	a.active = false
	c.allocatorDeactivateAgent(a)
	c.rescindAll(a)
}

func (c *Core) rescindAll(a *agent) {
	for _, o := range a.offers.snapshot() {
		c.rescind(o, nil)
	}
	for _, o := range a.inverse.snapshot() {
		c.rescindInverse(o)
	}
}

// frameworks are those that have something on the agent.
func (a *agent) frameworks() []*framework {
	var all table[string, *framework]
	for t := range a.tasks.values() {
		all.put(t.framework.id, t.framework)
	}
	for e := range a.executors.values() {
		all.put(e.framework.id, e.framework)
	}
	return all.snapshot()
}

// loseFramework takes what a framework that does not checkpoint has on an agent that
// has gone out of the books: when the agent comes back, it will be dead.
func (c *Core) loseFramework(a *agent, f *framework) {
	for _, t := range a.tasks.snapshot() {
		if t.framework != f {
			continue
		}
		status := masterStatus(t, mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_DISCONNECTED,
			"Agent "+a.info.GetHostname()+" disconnected", c.stamp())
		c.setState(t, status)
		c.removeTask(t, completed)
		c.forward(f, status)
	}
	for _, e := range a.executors.snapshot() {
		if e.framework == f {
			c.removeExecutor(e)
		}
	}
}

// updateAgent is told what an agent has beyond the resources it registered with.
func (c *Core) updateAgent(m *wire.UpdateSlaveMessage) {
	c.counts.add("messages_update_slave", 1)
	a, ok := c.agents.get(m.GetSlaveId().GetValue())
	if !ok {
		c.log(Warning, "an update from agent %s is dropped: it is not registered", m.GetSlaveId().GetValue())
		return
	}
	if m.ResourceVersionUuid != nil {
		a.resourcesID = m.ResourceVersionUuid
	}
	if m.ResourceProviders != nil {
		a.providers = nil
		for _, p := range m.GetResourceProviders().GetProviders() {
			a.providers = append(a.providers, p.GetInfo())
		}
	}
	oversubscribed := a.oversubscribed
	if m.UpdateOversubscribedResources == nil || m.GetUpdateOversubscribedResources() {
		r, err := resources.New(m.GetOversubscribedResources())
		if err != nil {
			c.log(Warning, "an update from agent %s is dropped: %v", a.id, err)
			return
		}
		oversubscribed = r.Revocable()
	}
	if oversubscribed.Equal(a.oversubscribed) {
		return
	}
	c.sums.total.add(a.oversubscribed, -1)
	c.sums.total.add(oversubscribed, 1)
	a.oversubscribed = oversubscribed
	a.setTotal()
	for _, o := range a.offers.snapshot() {
		if !o.resources.Revocable().Empty() {
			c.rescind(o, nil)
		}
	}
	c.allocatorUpdateAgent(a)
}
