package core

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/resources"
)

// accepting is an ACCEPT on its way: its offers are used up, its tasks are pending, and
// the authorizer and the hooks are asked.
type accepting struct {
	framework  *framework
	agent      *agent
	role       string
	offered    resources.Resources // by the offers together
	operations []*operation
	filters    *mesosv1.Filters

	inUse  bool                // the allocator counts what was offered as used already
	left   resources.Resources // not used by tasks
	launch []launched          // what is sent to the agent in the end
}

// operation is one operation of an ACCEPT, with its tasks.
type operation struct {
	info  *mesosv1.Offer_Operation
	tasks []*pendingTask
}

// pendingTask is a task that is accepted and not sent to its agent yet.
type pendingTask struct {
	info   *mesosv1.TaskInfo
	killed bool // while it was pending; its framework knows

	unauthorized string
	labels       *mesosv1.Labels // from hooks
}

// accept uses offers for operations.
func (c *Core) accept(f *framework, call *scheduler.Call_Accept) {
	c.countOperations(f, call.GetOperations())
	offers, err := acceptable(f, call.GetOfferIds())
	if err != nil {
		for _, o := range offers {
			c.recoverOffer(o, nil)
		}
		c.log(Warning, "ACCEPT of framework %s with invalid offers: %v", f.id, err)
		c.dropOperations(f, call.GetOperations(), mesosv1.TaskStatus_REASON_INVALID_OFFERS,
			"Task launched with invalid offers: "+err.Error(), "Operation attempted with invalid offers: "+err.Error())
		return
	}
	a := &accepting{framework: f, agent: offers[0].agent, role: offers[0].role(),
		filters: orDefault(call.GetFilters())}
	for _, o := range offers {
		a.offered = a.offered.Add(o.resources)
		c.dropOffer(o)
	}
	a.left = a.offered
	f.counts.add("offers/accepted", float64(len(offers)))
	for _, info := range call.GetOperations() {
		op := &operation{info: info}
		for _, t := range tasksOf(info) {
			p := &pendingTask{info: t}
			if !f.pending.has(t.GetTaskId().GetValue()) { // else it will be refused
				f.pending.put(t.GetTaskId().GetValue(), p)
			}
			op.tasks = append(op.tasks, p)
		}
		a.operations = append(a.operations, op)
	}
	c.accepts.put(a, struct{}{})
	c.authorizeTasks(a, func() {
		c.decorate(a, func() { c.settle(a) })
	})
}

// acceptable are the offers of the framework that are named; with an error if those
// cannot be accepted together.
func acceptable(f *framework, ids []*mesosv1.OfferID) ([]*offer, error) {
	if len(ids) == 0 {
		return nil, fmt.Errorf("No offers specified")
	}
	var offers []*offer
	var problem error
	for i, id := range ids {
		switch o, ok := f.offers.get(id.GetValue()); {
		case !ok:
			if problem == nil {
				problem = fmt.Errorf("Offer %s is no longer valid", id.GetValue())
			}
		case slices.Contains(offers, o):
			if problem == nil {
				problem = fmt.Errorf("Duplicate offer %s in offer list", ids[i].GetValue())
			}
		default:
			offers = append(offers, o)
		}
	}
	for _, o := range offers {
		switch {
		case problem != nil:
		case o.role() != offers[0].role():
			problem = fmt.Errorf("Aggregating offers from different roles is not supported: %s has role '%s', %s has role '%s'",
				offers[0].id(), offers[0].role(), o.id(), o.role())
		case o.agent != offers[0].agent:
			problem = fmt.Errorf("Aggregated offers must belong to one single agent: %s is of agent %s, %s of agent %s",
				offers[0].id(), offers[0].agent.id, o.id(), o.agent.id)
		}
	}
	return offers, problem
}

// tasksOf are the tasks of a LAUNCH or LAUNCH_GROUP; those of a group with their
// executor.
func tasksOf(op *mesosv1.Offer_Operation) []*mesosv1.TaskInfo {
	switch op.GetType() {
	case mesosv1.Offer_Operation_LAUNCH:
		return op.GetLaunch().GetTaskInfos()
	case mesosv1.Offer_Operation_LAUNCH_GROUP:
		return op.GetLaunchGroup().GetTaskGroup().GetTasks()
	default:
		return nil
	}
}

// settle does what was accepted, now that all have been asked. What is gone meanwhile
// is told like what never was.
func (c *Core) settle(a *accepting) {
	c.accepts.delete(a)
	f, agent := a.framework, a.agent
	id := agent.info.GetId()
	there, _ := c.agents.get(agent.id)
	switch now, _ := c.frameworks.get(f.id); {
	case there != agent: // even if it is back: what was on it has gone
		c.abandon(a, mesosv1.TaskStatus_REASON_AGENT_REMOVED, "Agent removed")
		return
	case now != f:
		c.giveBack(f.info.GetId(), id, a.offered, nil, a.inUse)
		return
	case !agent.connected:
		c.abandon(a, mesosv1.TaskStatus_REASON_AGENT_DISCONNECTED, "Agent disconnected")
		c.giveBack(f.info.GetId(), id, a.offered, nil, a.inUse)
		return
	}
	for _, op := range a.operations {
		switch op.info.GetType() {
		case mesosv1.Offer_Operation_LAUNCH:
			c.launchTasks(a, op)
		case mesosv1.Offer_Operation_LAUNCH_GROUP:
			c.launchGroup(a, op)
		default:
			c.refuseOperation(f, op.info, fmt.Sprintf("%v is not supported by this master", op.info.GetType()))
		}
	}
	if used := a.offered.Sub(a.left); !used.Empty() && !a.inUse {
		c.allocatorTransition(id, used)
	}
	for _, l := range a.launch {
		c.toAgent(agent.pid, l.message)
		for _, t := range l.tasks {
			c.watchTaskAdded(t)
		}
	}
	c.giveBack(f.info.GetId(), id, a.left, a.filters, a.inUse)
}

// abandon refuses everything when the agent has gone.
func (c *Core) abandon(a *accepting, reason mesosv1.TaskStatus_Reason, text string) {
	for _, op := range a.operations {
		for _, p := range op.tasks {
			if !c.unpend(a.framework, p) {
				c.refuseTask(a.framework, p.info, a.framework.lost(mesosv1.TaskState_TASK_DROPPED), reason, text)
			}
		}
		if len(op.tasks) == 0 {
			c.refuseOperation(a.framework, op.info, text)
		}
	}
}

// unpend ends the pending of a task and says whether it was killed meanwhile.
func (c *Core) unpend(f *framework, p *pendingTask) (killed bool) {
	if now, _ := f.pending.get(p.info.GetTaskId().GetValue()); now == p {
		f.pending.delete(p.info.GetTaskId().GetValue())
	}
	return p.killed
}

// killPending kills a task that no agent knows of yet.
func (c *Core) killPending(f *framework, p *pendingTask) {
	p.killed = true
	f.pending.delete(p.info.GetTaskId().GetValue())
	status := c.refusal(p.info, mesosv1.TaskState_TASK_KILLED, mesosv1.TaskStatus_REASON_TASK_KILLED_DURING_LAUNCH,
		"Killed pending task")
	c.countEnd(f, mesosv1.TaskState_TASK_KILLED, status)
	c.forward(f, status)
}

// dropPending forgets the pending tasks of a framework that is removed. Their accepts
// find that out when they are answered.
func (c *Core) dropPending(f *framework) {
	for p := range f.pending.values() {
		p.killed = true
	}
	f.pending = table[string, *pendingTask]{}
}

// dropOperations refuses all operations of an ACCEPT.
func (c *Core) dropOperations(f *framework, operations []*mesosv1.Offer_Operation, reason mesosv1.TaskStatus_Reason,
	ofTask, ofOperation string) {
	for _, op := range operations {
		tasks := tasksOf(op)
		for _, t := range tasks {
			c.refuseTask(f, t, f.lost(mesosv1.TaskState_TASK_DROPPED), reason, ofTask)
		}
		if len(tasks) == 0 {
			c.refuseOperation(f, op, ofOperation)
		}
	}
}

// refuseTask tells a framework that a task is not launched.
func (c *Core) refuseTask(f *framework, t *mesosv1.TaskInfo, state mesosv1.TaskState,
	reason mesosv1.TaskStatus_Reason, text string) {
	status := c.refusal(t, state, reason, text)
	c.countEnd(f, state, status)
	c.forward(f, status)
}

func (c *Core) refusal(t *mesosv1.TaskInfo, state mesosv1.TaskState, reason mesosv1.TaskStatus_Reason,
	text string) *mesosv1.TaskStatus {
	status := &mesosv1.TaskStatus{
		TaskId:    t.GetTaskId(),
		AgentId:   t.GetAgentId(),
		State:     state.Enum(),
		Source:    mesosv1.TaskStatus_SOURCE_MASTER.Enum(),
		Reason:    reason.Enum(),
		Message:   proto.String(text),
		Timestamp: c.stamp(),
	}
	if t.Executor != nil {
		status.ExecutorId = t.Executor.ExecutorId
	}
	return status
}

// refuseOperation tells a framework that an operation is not done, if it gave it an id
// to be told by.
func (c *Core) refuseOperation(f *framework, op *mesosv1.Offer_Operation, text string) {
	if op.GetType() == mesosv1.Offer_Operation_LAUNCH || op.GetType() == mesosv1.Offer_Operation_LAUNCH_GROUP {
		return // of no tasks
	}
	c.countOperationError(op.GetType())
	c.log(Warning, "%v of framework %s is refused: %s", op.GetType(), f.id, text)
	if op.Id == nil {
		return
	}
	c.sendOperationStatus(f, &mesosv1.OperationStatus{
		OperationId: op.Id,
		State:       mesosv1.OperationState_OPERATION_ERROR.Enum(),
		Message:     proto.String(text),
	})
}
