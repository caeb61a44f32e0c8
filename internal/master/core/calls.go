package core

import (
	"fmt"
	"net/http"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// schedulerCall checks who calls, answers, and does what was asked. All but SUBSCRIBE
// and UPDATE_FRAMEWORK are answered before they are done: what goes wrong then is told
// by events.
func (c *Core) schedulerCall(e SchedulerCall) {
	if c.phase != leading {
		c.answer(e.Request, http.StatusServiceUnavailable, "Master has not finished recovery")
		return
	}
	if e.Principal != nil && e.Principal.Value == nil {
		c.answer(e.Request, http.StatusForbidden, "The authenticated principal has no value")
		return
	}
	if e.Call.GetType() == scheduler.Call_SUBSCRIBE {
		c.subscribe(e)
		return
	}
	f, status, problem := c.caller(e)
	if problem != "" {
		c.countRefused(e.Call.GetType())
		c.answer(e.Request, status, problem)
		return
	}
	f.counts.add("calls", 1)
	f.counts.add("calls/"+strings.ToLower(e.Call.GetType().String()), 1)
	c.perform(f, e)
}

// caller is the framework that a call is from, or the reason why there is none. The
// order of the questions is that of Mesos.
func (c *Core) caller(e SchedulerCall) (f *framework, status int, problem string) {
	f, ok := c.frameworks.get(e.Call.GetFrameworkId().GetValue())
	switch {
	case !ok:
		return nil, http.StatusBadRequest, "Framework cannot be found"
	case e.Principal != nil && *e.Principal.Value != f.info.GetPrincipal():
		return nil, http.StatusBadRequest, otherPrincipal(*e.Principal.Value, f.info)
	case !f.connected():
		return nil, http.StatusForbidden, "Framework is not subscribed"
	case e.Stream == "":
		return nil, http.StatusBadRequest, "All non-subscribe calls should include the 'Mesos-Stream-Id' header"
	case e.Stream != f.stream:
		return nil, http.StatusBadRequest, fmt.Sprintf(
			"The stream ID '%s' included in this request didn't match the stream ID currently associated with "+
				"framework ID %s", e.Stream, f.id)
	}
	return f, 0, ""
}

func otherPrincipal(principal string, info *mesosv1.FrameworkInfo) string {
	return fmt.Sprintf("Authenticated principal '%s' does not match principal '%s' set in `FrameworkInfo`",
		principal, info.GetPrincipal())
}

// perform does what a call asks for.
func (c *Core) perform(f *framework, e SchedulerCall) {
	switch e.Call.GetType() {
	case scheduler.Call_UPDATE_FRAMEWORK:
		c.updateFramework(f, e)
	case scheduler.Call_UNKNOWN, scheduler.Call_SUBSCRIBE: // SUBSCRIBE does not come here
		c.answer(e.Request, http.StatusNotImplemented, fmt.Sprintf("There is no call %v", e.Call.GetType()))
	default:
		c.answer(e.Request, http.StatusAccepted, "")
		c.performLater(f, e.Call)
	}
}

// performLater does what a call asks for that is answered already.
func (c *Core) performLater(f *framework, call *scheduler.Call) {
	switch call.GetType() {
	case scheduler.Call_TEARDOWN:
		c.removeFramework(f)
	case scheduler.Call_ACCEPT:
		c.accept(f, call.GetAccept())
	case scheduler.Call_DECLINE:
		c.decline(f, call.GetDecline())
	case scheduler.Call_ACCEPT_INVERSE_OFFERS:
		c.acceptInverse(f, call.GetAcceptInverseOffers())
	case scheduler.Call_DECLINE_INVERSE_OFFERS:
		c.declineInverse(f, call.GetDeclineInverseOffers())
	case scheduler.Call_REVIVE:
		c.revive(f, call.GetRevive().GetRoles())
	case scheduler.Call_SUPPRESS:
		c.suppress(f, call.GetSuppress().GetRoles())
	case scheduler.Call_KILL:
		c.kill(f, call.GetKill())
	case scheduler.Call_SHUTDOWN:
		c.shutdownExecutor(f, call.GetShutdown())
	case scheduler.Call_ACKNOWLEDGE:
		c.acknowledge(f, call.GetAcknowledge())
	case scheduler.Call_ACKNOWLEDGE_OPERATION_STATUS:
		c.acknowledgeOperation()
	case scheduler.Call_RECONCILE:
		c.reconcile(f, call.GetReconcile().GetTasks())
	case scheduler.Call_RECONCILE_OPERATIONS:
		c.reconcileOperations(f, call.GetReconcileOperations().GetOperations())
	case scheduler.Call_MESSAGE:
		c.messageToExecutor(f, call.GetMessage())
	case scheduler.Call_REQUEST:
		c.request(f, call.GetRequest().GetRequests())
	default:
		c.log(Error, "call %v of framework %s was accepted, but nobody does it", call.GetType(), f.id)
	}
}

// acknowledgeOperation is told that a framework has seen the status of an operation.
// No operation is under way that could wait for it.
func (c *Core) acknowledgeOperation() {
	c.counts.add("messages_operation_status_update_acknowledgement", 1)
	c.counts.add("invalid_operation_status_update_acknowledgements", 1)
}

// countRefused counts calls that have a metric for being refused.
func (c *Core) countRefused(t scheduler.Call_Type) {
	switch t {
	case scheduler.Call_ACKNOWLEDGE:
		c.counts.add("invalid_status_update_acknowledgements", 1)
	case scheduler.Call_MESSAGE:
		c.counts.add("invalid_framework_to_executor_messages", 1)
	default: // others have none
	}
}

func clone[M proto.Message](m M) M { return proto.Clone(m).(M) }
