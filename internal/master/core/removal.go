package core

import (
	"context"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/libprocess"
	"github.com/mesos-modules/mms/internal/wire"
	"github.com/mesos-modules/mms/roles/hook"
)

// departure is how an agent leaves the books.
type departure struct {
	state       mesosv1.TaskState         // of its tasks, for frameworks that are PARTITION_AWARE
	reason      mesosv1.TaskStatus_Reason // likewise
	message     string
	unreachable *mesosv1.TimeInfo // since when, if it may come back
}

// markUnreachable gives up on an agent for now. It is done when the registry has it.
func (c *Core) markUnreachable(a *agent, reason string) {
	if now, _ := c.agents.get(a.id); now != a || c.changing[a.id] != "" {
		return
	}
	c.changing[a.id] = markingUnreachable
	at := timeInfo(c.now)
	c.log(Warning, "agent %s at %v (%s) becomes unreachable: %s", a.id, a.pid, a.info.GetHostname(), reason)
	c.store(MarkAgentUnreachable{a.info.GetId(), at}, func(refused error) {
		delete(c.changing, a.id)
		if refused != nil {
			return
		}
		c.unreachable.put(a.id, at)
		c.countRemoval("slave_removals/reason_unhealthy")
		c.leave(a, departure{
			state:       mesosv1.TaskState_TASK_UNREACHABLE,
			reason:      mesosv1.TaskStatus_REASON_AGENT_REMOVED,
			message:     "Agent " + a.info.GetHostname() + " is unreachable: " + reason,
			unreachable: at,
		})
	})
}

// removeAgent forgets an agent that has left for good.
func (c *Core) removeAgent(a *agent, reason, metric string) {
	if now, _ := c.agents.get(a.id); now != a || c.changing[a.id] != "" {
		return
	}
	c.changing[a.id] = removing
	c.log(Info, "agent %s at %v (%s) is removed: %s", a.id, a.pid, a.info.GetHostname(), reason)
	c.store(RemoveAgent{a.info.GetId()}, func(refused error) {
		delete(c.changing, a.id)
		if refused != nil {
			return
		}
		c.countRemoval(metric)
		c.leave(a, departure{
			state:   mesosv1.TaskState_TASK_LOST, // whoever is PARTITION_AWARE too
			reason:  mesosv1.TaskStatus_REASON_AGENT_REMOVED,
			message: "Agent " + a.info.GetHostname() + " removed: " + reason,
		})
	})
}

func (c *Core) countRemoval(reason string) {
	c.counts.add("slave_removals", 1)
	c.counts.add(reason, 1)
}

// unregisterAgent is told by an agent that it leaves.
func (c *Core) unregisterAgent(from libprocess.PID, m *wire.UnregisterSlaveMessage) {
	c.counts.add("messages_unregister_slave", 1)
	a, ok := c.agents.get(m.GetSlaveId().GetValue())
	if !ok {
		return
	}
	if a.pid != from {
		c.log(Warning, "%v wants agent %s to leave, which is at %v: dropped", from, a.id, a.pid)
		return
	}
	c.removeAgent(a, "it unregistered", "slave_removals/reason_unregistered")
}

// leave takes an agent out of the books and tells everybody: updates of tasks first,
// then offers that are void, then the loss of the agent.
func (c *Core) leave(a *agent, d departure) {
	for _, t := range a.tasks.snapshot() {
		c.leaveTask(t, d)
	}
	for _, e := range a.executors.snapshot() {
		c.removeExecutor(e)
	}
	c.rescindAll(a)
	c.allocatorRemoveAgent(a)
	c.agents.delete(a.id)
	if c.agentAt[a.pid] == a {
		delete(c.agentAt, a.pid)
		c.forgetPrincipal(a.pid)
		c.emit(Unlink{a.pid})
	}
	c.stop(a.away)
	a.observer.end(c)
	c.sums.total.add(a.base, -1)
	c.sums.total.add(a.oversubscribed, -1)
	a.connected, a.active = false, false
	c.tellLost(a.info)
	c.watchAgentRemoved(a)
}

func (c *Core) leaveTask(t *task, d departure) {
	reason := d.reason
	if !t.framework.partitionAware() {
		reason = mesosv1.TaskStatus_REASON_AGENT_REMOVED
	}
	status := masterStatus(t, t.framework.lost(d.state), reason, d.message, c.stamp())
	status.UnreachableTime = d.unreachable
	to := completed
	if d.unreachable != nil {
		to = unreachable
	}
	if terminal(t.info.GetState()) {
		to = completed // it has ended, though its framework may not know yet
	}
	c.setState(t, status)
	c.removeTask(t, to)
	c.forward(t.framework, status)
}

// tellLost tells all frameworks and the hooks that an agent is lost.
func (c *Core) tellLost(info *mesosv1.AgentInfo) {
	event := &scheduler.Event{
		Type:    scheduler.Event_FAILURE.Enum(),
		Failure: &scheduler.Event_Failure{AgentId: info.GetId()},
	}
	for f := range c.frameworks.values() {
		c.send(f, event)
	}
	if !c.config.Hooks {
		return
	}
	c.emit(CallHooks{Name: "MasterSlaveLostHook", Do: func(ctx context.Context, hooks []hook.Hook) any {
		var failed []error
		for _, h := range hooks {
			if err := h.MasterSlaveLostHook(ctx, info); err != nil {
				failed = append(failed, err)
			}
		}
		return failed
	}})
}
