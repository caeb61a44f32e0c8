package core

import (
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/resources"
	"github.com/mesos-modules/mms/internal/wire"
)

// reregisterAgent lets an agent in that has an id.
func (c *Core) reregisterAgent(from libprocess.PID, m *wire.ReregisterSlaveMessage) {
	c.counts.add("messages_reregister_slave", 1)
	p := &applicant{from: from, info: m.GetSlave(), version: m.GetVersion(), capabilities: m.GetAgentCapabilities(),
		checkpointed: m.GetCheckpointedResources(), resourcesID: m.GetResourceVersionUuid()}
	c.apply(p, func() { c.reregisterApplicant(p, m) })
}

func (c *Core) reregisterApplicant(p *applicant, m *wire.ReregisterSlaveMessage) {
	id := p.info.GetId().GetValue()
	if id == "" {
		c.log(Warning, "the re-registration of the agent at %v is dropped: it has no id", p.from)
		return
	}
	if c.gone.has(id) || c.changing[id] == markingGone {
		c.shutdownAgent(p.from, "Agent has been marked gone")
		return
	}
	if doing := c.changing[id]; doing != "" {
		c.log(Info, "the re-registration of agent %s waits for the next try: its registry entry is changing (%s)", id, doing)
		return
	}
	if a, ok := c.agents.get(id); ok {
		c.reregisterKnown(a, p, m)
		return
	}
	old, recovered := c.recovered.get(id)
	if recovered && proto.Equal(old.info, p.info) {
		c.readmit(p, m, true)
		return
	}
	c.changing[id] = readmitting
	var change RegistryChange = MarkAgentReachable{p.info}
	if recovered {
		change = UpdateAgent{p.info}
	}
	c.store(change, func(refused error) {
		delete(c.changing, id)
		if refused != nil {
			return
		}
		c.readmit(p, m, recovered)
	})
}

// What is being changed about an agent in the registry.
const (
	readmitting        = "coming back"
	updating           = "changing"
	markingUnreachable = "becoming unreachable"
	markingGone        = "being marked gone"
	removing           = "being removed"
)

func (c *Core) shutdownAgent(pid libprocess.PID, reason string) {
	c.log(Warning, "the agent at %v is told to shut down: %s", pid, reason)
	c.toAgent(pid, &wire.ShutdownMessage{Message: proto.String(reason)})
}

// reregisterKnown is done when an agent comes back that is in the books: after a break
// of its link, or a restart.
func (c *Core) reregisterKnown(a *agent, p *applicant, m *wire.ReregisterSlaveMessage) {
	if a.pid.Addr.Addr() != p.from.Addr.Addr() || a.info.GetHostname() != p.info.GetHostname() {
		c.shutdownAgent(p.from, "Agent attempted to re-register with different IP / hostname; it was "+
			a.pid.Addr.Addr().String()+" ("+a.info.GetHostname()+")")
		return
	}
	if proto.Equal(a.info, p.info) {
		c.refresh(a, p, m)
		return
	}
	c.changing[a.id] = updating
	c.store(UpdateAgent{p.info}, func(refused error) {
		delete(c.changing, a.id)
		if refused != nil {
			return
		}
		if now, _ := c.agents.get(a.id); now == a {
			c.refresh(a, p, m)
		}
	})
}

// refresh takes over what an agent that is in the books says now.
func (c *Core) refresh(a *agent, p *applicant, m *wire.ReregisterSlaveMessage) {
	if a.pid != p.from {
		delete(c.agentAt, a.pid)
		c.emit(Unlink{a.pid})
		a.pid = p.from
		c.agentAt[a.pid] = a
	}
	c.emit(Link{a.pid})
	c.stop(a.away)
	a.away = nil
	if !a.base.Equal(p.resources) {
		c.rescindAll(a)
	}
	c.sums.total.add(a.base, -1)
	c.sums.total.add(p.resources, 1)
	a.info, a.version, a.capabilities, a.resourcesID = p.info, p.version, p.capabilities, p.resourcesID
	a.base = p.resources
	a.setTotal()
	a.reregistered = c.now
	c.allocatorUpdateAgent(a)
	a.connected = true
	if !a.active && !a.deactivated {
		a.active = true
		c.allocatorActivateAgent(a)
	}
	c.counts.add("slave_reregistrations", 1)
	c.log(Info, "agent %s at %v (%s) is registered again", a.id, a.pid, a.info.GetHostname())
	c.dropExecutorsNotIn(a, m.GetExecutorInfos())
	c.toAgent(a.pid, &wire.SlaveReregisteredMessage{
		SlaveId:         a.info.GetId(),
		Reconciliations: missing(a, m.GetTasks(), c.stamp()),
		Connection:      c.connection(),
	})
	c.killAgain(a, m.GetTasks())
	c.tellAgent(a, m)
}

// dropExecutorsNotIn takes executors out of the books that the agent does not have.
func (c *Core) dropExecutorsNotIn(a *agent, infos []*mesosv1.ExecutorInfo) {
	if a.executors.len() == 0 {
		return
	}
	there := make(map[executorKey]bool, len(infos))
	for _, e := range infos {
		there[executorKey{a.id, e.GetFrameworkId().GetValue(), e.GetExecutorId().GetValue()}] = true
	}
	for _, e := range a.executors.snapshot() {
		if !there[e.key()] {
			c.removeExecutor(e)
		}
	}
}

// missing are the tasks that the agent should have and does not name, by framework. It
// is asked because it may have got them meanwhile, or knows how they ended.
func missing(a *agent, tasks []*mesosv1.Task, at *float64) []*wire.ReconcileTasksMessage {
	there := make(map[taskKey]bool, len(tasks))
	for _, t := range tasks {
		there[taskKey{t.GetFrameworkId().GetValue(), t.GetTaskId().GetValue()}] = true
	}
	var by table[string, *wire.ReconcileTasksMessage]
	for t := range a.tasks.values() {
		if there[t.key()] {
			continue
		}
		ask, ok := by.get(t.framework.id)
		if !ok {
			ask = &wire.ReconcileTasksMessage{FrameworkId: t.framework.info.GetId(), Framework: t.framework.info}
			by.put(t.framework.id, ask)
		}
		state := t.info.GetState()
		if t.info.StatusUpdateState != nil {
			state = t.info.GetStatusUpdateState()
		}
		ask.Statuses = append(ask.Statuses, masterStatus(t, state, mesosv1.TaskStatus_REASON_RECONCILIATION,
			"Reconciliation request", at))
	}
	return by.snapshot()
}

// killAgain repeats what an agent may have missed while it was away, for tasks that it
// still has.
func (c *Core) killAgain(a *agent, tasks []*mesosv1.Task) {
	for _, t := range tasks {
		if a.killed[taskKey{t.GetFrameworkId().GetValue(), t.GetTaskId().GetValue()}] && !terminal(t.GetState()) {
			c.toAgent(a.pid, &wire.KillTaskMessage{FrameworkId: t.GetFrameworkId(), TaskId: t.GetTaskId()})
		}
	}
	clear(a.killed)
}

// tellAgent sends what is known of the frameworks that an agent names: the newest
// about those that are there, the end of those that are not.
func (c *Core) tellAgent(a *agent, m *wire.ReregisterSlaveMessage) {
	var named table[string, *mesosv1.FrameworkID]
	for _, f := range m.GetFrameworks() {
		named.put(f.GetId().GetValue(), f.GetId())
	}
	for _, t := range m.GetTasks() {
		named.put(t.GetFrameworkId().GetValue(), t.GetFrameworkId())
	}
	for id := range named.values() {
		f, ok := c.frameworks.get(id.GetValue())
		switch {
		case ok && f.connected():
			c.toAgent(a.pid, &wire.UpdateFrameworkMessage{
				FrameworkId: id, Pid: proto.String(libprocess.PID{}.String()), FrameworkInfo: f.info,
			})
		case c.completed.has(id.GetValue()):
			c.toAgent(a.pid, &wire.ShutdownFrameworkMessage{FrameworkId: id})
		}
	}
}

// readmit enters an agent that is not in the books, with all it runs. Its frameworks
// are told how their tasks are if they thought them lost.
func (c *Core) readmit(p *applicant, m *wire.ReregisterSlaveMessage, recovered bool) {
	if other, taken := c.agentAt[p.from]; taken {
		c.log(Warning, "agent %s comes back at %v, where agent %s is registered", p.info.GetId().GetValue(), p.from, other.id)
		if other.connected {
			return
		}
		c.removeAgent(other, "another agent came back at the same address", "slave_removals/reason_registered")
	}
	id := p.info.GetId().GetValue()
	c.forgetRecovered(id)
	c.unreachable.delete(id)
	a := c.newAgent(p)
	a.registered, a.reregistered = c.now, c.now
	c.recoverFrameworks(m)
	c.enterExecutors(a, m.GetExecutorInfos())
	c.enterTasks(a, m.GetTasks())
	c.counts.add("slave_reregistrations", 1)
	c.log(Info, "agent %s at %v (%s) is registered again, with %d tasks", a.id, a.pid, a.info.GetHostname(), a.tasks.len())
	c.toAgent(a.pid, &wire.SlaveReregisteredMessage{SlaveId: a.info.GetId(), Connection: c.connection()})
	c.announceAgent(a)
	for t := range a.tasks.values() {
		c.watchTaskAdded(t)
	}
	if !recovered {
		c.tellReregistered(a)
	}
	c.tellAgent(a, m)
	for _, done := range m.GetCompletedFrameworks() {
		c.enterHistory(done)
	}
}

// enterHistory takes over tasks that an agent remembers of a framework that is there.
func (c *Core) enterHistory(archive *wire.Archive_Framework) {
	f, ok := c.frameworks.get(archive.GetFrameworkInfo().GetId().GetValue())
	if !ok {
		return
	}
	for _, t := range archive.GetTasks() {
		f.done.put(t, c.config.MaxCompletedTasks)
	}
}

// recoverFrameworks enters frameworks that a former master knew.
func (c *Core) recoverFrameworks(m *wire.ReregisterSlaveMessage) {
	for _, info := range m.GetFrameworks() {
		if id := info.GetId().GetValue(); id != "" && !c.frameworks.has(id) && !c.completed.has(id) {
			c.recoverFramework(info)
		}
	}
	// Agents name the frameworks of what they run; should one not, the rest must be right.
	for _, t := range m.GetTasks() {
		c.recoverBare(t.GetFrameworkId())
	}
	for _, e := range m.GetExecutorInfos() {
		c.recoverBare(e.GetFrameworkId())
	}
}

func (c *Core) recoverBare(id *mesosv1.FrameworkID) {
	if id.GetValue() == "" || c.frameworks.has(id.GetValue()) || c.completed.has(id.GetValue()) {
		return
	}
	f := c.recoverFramework(&mesosv1.FrameworkInfo{User: proto.String(""), Name: proto.String(""), Id: id})
	f.bare = true
}

func (c *Core) recoverFramework(info *mesosv1.FrameworkInfo) *framework {
	f := c.addFramework(info, "", nil, nil)
	c.log(Info, "framework %s (%s) is known from an agent and has not subscribed yet", f.id, info.GetName())
	c.watchFrameworkAdded(f)
	return f
}

// enterExecutors and enterTasks enter what an agent runs. What cannot be entered is
// logged; it belongs to completed frameworks, which the agent is told to end.
func (c *Core) enterExecutors(a *agent, infos []*mesosv1.ExecutorInfo) {
	for _, info := range infos {
		f, ok := c.frameworks.get(info.GetFrameworkId().GetValue())
		if !ok {
			continue
		}
		r, err := allocatedOf(info.GetResources(), f)
		if err != nil {
			c.log(Warning, "executor %s on agent %s: %v", info.GetExecutorId().GetValue(), a.id, err)
		}
		c.addExecutor(info, r, f, a)
	}
}

func (c *Core) enterTasks(a *agent, tasks []*mesosv1.Task) {
	for _, info := range tasks {
		f, ok := c.frameworks.get(info.GetFrameworkId().GetValue())
		if !ok {
			continue
		}
		if other, ok := f.tasks.get(info.GetTaskId().GetValue()); ok {
			c.log(Error, "task %s of framework %s runs on agent %s and on agent %s, where it is killed",
				other.id(), f.id, other.agent.id, a.id)
			c.toAgent(a.pid, &wire.KillTaskMessage{FrameworkId: info.GetFrameworkId(), TaskId: info.GetTaskId()})
		}
		r, err := allocatedOf(info.GetResources(), f)
		if err != nil {
			c.log(Warning, "task %s on agent %s: %v", info.GetTaskId().GetValue(), a.id, err)
		}
		f.forgetUnreachable(info.GetTaskId().GetValue())
		c.addTask(info, r, f, a)
	}
}

// allocatedOf are resources of a framework that are in use. Agents from before roles
// were many do not say which role has them: then it is the only one.
func allocatedOf(messages []*mesosv1.Resource, f *framework) (resources.Resources, error) {
	r, err := resources.New(messages)
	if err != nil {
		return resources.Resources{}, err
	}
	for each := range r.All() {
		if _, ok := each.AllocationRole(); !ok && len(f.roles) > 0 {
			return r.Allocate(f.roles[0]), nil
		}
	}
	return r, nil
}

// tellReregistered tells frameworks how their tasks on an agent are that came back
// from where nobody could reach it.
func (c *Core) tellReregistered(a *agent) {
	for t := range a.tasks.values() {
		status := masterStatus(t, t.info.GetState(), mesosv1.TaskStatus_REASON_AGENT_REREGISTERED,
			"Agent "+a.info.GetHostname()+" re-registered", c.stamp())
		withLast(status, t.info)
		c.forward(t.framework, status)
	}
}
