package execute

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	schedulerv1 "github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
)

// manyOffers is how many offers must have been too small before that is said.
const manyOffers = 3

// offered launches the work on the first offer that covers it, and declines all others.
func (s *scheduler) offered(offer *mesosv1.Offer) {
	if s.launched {
		s.decline(offer)
		return
	}
	operation, fits, err := s.work.place(offer, s.framework)
	if err != nil {
		s.screen.warn("%v", err)
	}
	if !fits {
		s.decline(offer)
		s.tooSmall(offer)
		return
	}
	accept := &schedulerv1.Call_Accept{OfferIds: []*mesosv1.OfferID{offer.GetId()}, Operations: []*mesosv1.Offer_Operation{operation}}
	s.call(&schedulerv1.Call{Type: schedulerv1.Call_ACCEPT.Enum(), Accept: accept})
	s.launched, s.agent, s.agentURL = true, offer.GetAgentId(), agentURL(offer.GetUrl())
	s.call(&schedulerv1.Call{Type: schedulerv1.Call_SUPPRESS.Enum()})
	if s.work.executor != nil {
		s.screen.say("Submitted task group with tasks [ %s ] to agent '%s'", strings.Join(s.work.ids(), ", "), s.agent.GetValue())
	} else {
		s.screen.say("Submitted task '%s' to agent '%s'", s.work.tasks[0].GetName(), s.agent.GetValue())
	}
	s.screen.wait("waiting for the task to start")
}

func (s *scheduler) decline(offer *mesosv1.Offer) {
	s.call(&schedulerv1.Call{Type: schedulerv1.Call_DECLINE.Enum(), Decline: &schedulerv1.Call_Decline{OfferIds: []*mesosv1.OfferID{offer.GetId()}}})
}

// tooSmall tells, once, why nothing happens.
func (s *scheduler) tooSmall(offer *mesosv1.Offer) {
	s.seen++
	if s.seen < manyOffers || s.short {
		return
	}
	s.short = true
	s.screen.warn("no offer so far covers %s; the last one, of agent %s, has %s", s.work.needs, offer.GetHostname(), amounts(offer.GetResources()))
}

// amounts is the numbers of resources, in short.
func amounts(list []*mesosv1.Resource) string {
	var parts []string
	for _, r := range list {
		if r.GetType() == mesosv1.Value_SCALAR {
			parts = append(parts, r.GetName()+":"+strconv.FormatFloat(r.GetScalar().GetValue(), 'f', -1, 64))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, "; ")
}

// agentURL is where an agent's API is; nothing if the offer does not say.
func agentURL(url *mesosv1.URL) string {
	address := url.GetAddress()
	host := address.GetIp()
	if host == "" {
		host = address.GetHostname()
	}
	if host == "" {
		return ""
	}
	return url.GetScheme() + "://" + net.JoinHostPort(host, strconv.Itoa(int(address.GetPort()))) + url.GetPath()
}

// updated takes a status, acknowledges it, and ends all when every task has ended.
func (s *scheduler) updated(status *mesosv1.TaskStatus) {
	id := status.GetTaskId().GetValue()
	if len(status.GetUuid()) > 0 {
		s.call(&schedulerv1.Call{Type: schedulerv1.Call_ACKNOWLEDGE.Enum(), Acknowledge: &schedulerv1.Call_Acknowledge{
			AgentId: status.GetAgentId(), TaskId: status.GetTaskId(), Uuid: status.GetUuid(),
		}})
	}
	if terminal(s.states[id].GetState()) {
		return // it came again, because its acknowledgement was lost
	}
	s.states[id] = status
	s.tell(status)
	s.show(status)
	if status.GetState() == mesosv1.TaskState_TASK_RUNNING {
		s.screen.wait("")
		if after := s.flags.killAfter; after.IsSet() && s.killTimer == nil {
			s.killTimer = time.AfterFunc(after.Get(), func() { s.post(s.kill) })
		}
	}
	for _, task := range s.work.tasks {
		if !terminal(s.states[task.GetTaskId().GetValue()].GetState()) {
			return
		}
	}
	s.finish(s.exitStatus())
}

// tell prints a status as Mesos' own program does.
func (s *scheduler) tell(status *mesosv1.TaskStatus) {
	text := fmt.Sprintf("Received status update %v for task '%s'", status.GetState(), status.GetTaskId().GetValue())
	if status.Message != nil {
		text += fmt.Sprintf("\n  message: '%s'", status.GetMessage())
	}
	if status.Source != nil {
		text += fmt.Sprintf("\n  source: %v", status.GetSource())
	}
	if status.Reason != nil {
		text += fmt.Sprintf("\n  reason: %v", status.GetReason())
	}
	if status.Healthy != nil {
		text += fmt.Sprintf("\n  healthy?: %v", status.GetHealthy())
	}
	s.screen.say("%s", text)
	if s.screen.quiet && terminal(status.GetState()) && status.GetState() != mesosv1.TaskState_TASK_FINISHED {
		s.screen.warn("task %s: %v: %s", status.GetTaskId().GetValue(), status.GetState(), status.GetMessage())
	}
}

// exitStatus is the exit status when all tasks have ended.
func (s *scheduler) exitStatus() int {
	for _, id := range s.work.ids() {
		if code := exitStatus(s.states[id]); code != exitOK {
			return code
		}
	}
	return exitOK
}

// show begins to show the output of a task, or, at its end, has the last of it shown.
func (s *scheduler) show(status *mesosv1.TaskStatus) {
	if !s.flags.showOutput.Get() || status.GetSource() == mesosv1.TaskStatus_SOURCE_MASTER || s.agentURL == "" {
		return
	}
	id := status.GetTaskId().GetValue()
	f := s.followers[id]
	if f == nil {
		f = s.newFollower(id)
		s.followers[id] = f
		f.start(s.ctx)
	}
	if terminal(status.GetState()) {
		f.last()
	}
}

// sandbox is the virtual path of a task's sandbox.
func (s *scheduler) sandbox(id string) string {
	executor := id
	if s.work.executor != nil {
		executor = s.work.executor.GetExecutorId().GetValue()
	} else if own := s.work.tasks[0].GetExecutor(); own != nil {
		executor = own.GetExecutorId().GetValue()
	}
	path := "/frameworks/" + s.framework.GetValue() + "/executors/" + executor + "/runs/latest"
	if s.work.executor != nil {
		path += "/tasks/" + id
	}
	return path
}
