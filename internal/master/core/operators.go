package core

import (
	"fmt"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
)

// operatorCall does what an operator asks for and answers when it is done. A refusal
// has a status of its own; what is allowed and valid ends with 200 and an empty body.
func (c *Core) operatorCall(e OperatorCall) {
	if c.phase != leading {
		c.answer(e.Request, http.StatusServiceUnavailable, "Master has not finished recovery")
		return
	}
	if e.Principal != nil && e.Principal.Value == nil {
		c.answer(e.Request, http.StatusForbidden, "The authenticated principal has no value")
		return
	}
	switch call := e.Call; call.GetType() {
	case master.Call_SUBSCRIBE:
		c.watch(e.Request, e.Stream)
	case master.Call_TEARDOWN:
		c.operatorTeardown(e, call.GetTeardown().GetFrameworkId())
	case master.Call_MARK_AGENT_GONE:
		c.markGone(e, call.GetMarkAgentGone().GetAgentId())
	case master.Call_UPDATE_WEIGHTS:
		c.updateWeights(e, call.GetUpdateWeights().GetWeightInfos())
	case master.Call_UPDATE_QUOTA:
		c.updateQuota(e, call.GetUpdateQuota())
	case master.Call_SET_QUOTA:
		c.setQuota(e, call.GetSetQuota().GetQuotaRequest())
	case master.Call_REMOVE_QUOTA:
		c.removeQuota(e, call.GetRemoveQuota().GetRole())
	default:
		c.answer(e.Request, http.StatusNotImplemented, fmt.Sprintf("Call %v is not supported by this master", call.GetType()))
	}
}

// refused answers an operator whose change the registry did not take, if it did not.
func (c *Core) refused(e OperatorCall, err error) bool {
	if err == nil {
		return false
	}
	c.answer(e.Request, http.StatusInternalServerError, "The registry refuses the change: "+err.Error())
	return true
}

// permitted goes on if an operator may do something, and answers him if not. No
// request means that there is nothing to ask.
func (c *Core) permitted(e OperatorCall, requests []*authorization.Request, then func()) {
	for _, r := range requests {
		r.Subject = subject(e.Principal)
	}
	c.authorize(requests, func(allowed []bool, err error) {
		if err != nil {
			c.answer(e.Request, http.StatusInternalServerError, "Authorization failure: "+err.Error())
			return
		}
		for _, yes := range allowed {
			if !yes {
				c.answer(e.Request, http.StatusForbidden, "")
				return
			}
		}
		then()
	})
}

func (c *Core) operatorTeardown(e OperatorCall, id *mesosv1.FrameworkID) {
	f, ok := c.frameworks.get(id.GetValue())
	if !ok {
		c.answer(e.Request, http.StatusBadRequest, "No framework found with specified ID")
		return
	}
	object := &authorization.Object{FrameworkInfo: f.info}
	if f.info.Principal != nil {
		object.Value = proto.String(f.info.GetPrincipal())
	}
	c.permitted(e, []*authorization.Request{{
		Action: authorization.Action_TEARDOWN_FRAMEWORK.Enum(), Object: object,
	}}, func() {
		if now, _ := c.frameworks.get(f.id); now == f {
			c.removeFramework(f)
		}
		c.answer(e.Request, http.StatusOK, "")
	})
}

// markGone gives up on an agent for good: it is told to shut down, and must not come
// back.
func (c *Core) markGone(e OperatorCall, id *mesosv1.AgentID) {
	c.permitted(e, []*authorization.Request{{
		Action: authorization.Action_MARK_AGENT_GONE.Enum(),
	}}, func() {
		key := id.GetValue()
		switch {
		case c.gone.has(key):
			c.answer(e.Request, http.StatusOK, "")
			return
		case !c.agents.has(key) && !c.recovered.has(key) && !c.unreachable.has(key):
			c.answer(e.Request, http.StatusNotFound, "Agent not found")
			return
		case c.changing[key] != "":
			c.answer(e.Request, http.StatusServiceUnavailable, "The agent is "+c.changing[key]+"; try again")
			return
		}
		c.changing[key] = markingGone
		at := timeInfo(c.now)
		c.store(MarkAgentGone{id, at}, func(refused error) {
			delete(c.changing, key)
			if c.refused(e, refused) {
				return
			}
			c.isGone(id, at)
			c.answer(e.Request, http.StatusOK, "")
		})
	})
}

// isGone is done when the registry has it.
func (c *Core) isGone(id *mesosv1.AgentID, at *mesosv1.TimeInfo) {
	key := id.GetValue()
	c.gone.put(key, at)
	const message = "Agent has been marked gone"
	if a, ok := c.agents.get(key); ok {
		c.shutdownAgent(a.pid, message)
		c.countRemoval("slave_removals/reason_unregistered")
		c.leave(a, departure{
			state:   mesosv1.TaskState_TASK_GONE_BY_OPERATOR,
			reason:  mesosv1.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR,
			message: message,
		})
		return
	}
	if r, ok := c.recovered.get(key); ok {
		c.forgetRecovered(key)
		c.tellLost(r.info)
	}
	c.unreachable.delete(key)
	c.goneTasks(key, message)
}

// goneTasks tells frameworks that what they had on an unreachable agent will not come
// back.
func (c *Core) goneTasks(agent, message string) {
	for f := range c.frameworks.values() {
		for _, t := range f.unreachable.snapshot() {
			if t.GetAgentId().GetValue() != agent {
				continue
			}
			state, reason := mesosv1.TaskState_TASK_GONE_BY_OPERATOR, mesosv1.TaskStatus_REASON_AGENT_REMOVED_BY_OPERATOR
			if !f.partitionAware() {
				state, reason = mesosv1.TaskState_TASK_LOST, mesosv1.TaskStatus_REASON_AGENT_REMOVED
			}
			status := masterStatus(&task{info: t}, state, reason, message, c.stamp())
			f.forgetUnreachable(t.GetTaskId().GetValue())
			t = copyTask(t)
			t.State = state.Enum()
			t.Statuses = append(t.Statuses[:len(t.Statuses):len(t.Statuses)], status)
			f.done.put(t, c.config.MaxCompletedTasks)
			c.countEnd(f, state, status)
			c.forward(f, status)
		}
	}
}
