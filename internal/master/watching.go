package master

import (
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/apihttp"
)

// sendEvent sends an event on a stream. Of what an operator may not see he hears
// nothing: the stream's own goroutine asks the authorizer before it writes.
func (m *Master) sendEvent(o opened, event proto.Message) {
	e, ok := event.(*master.Event)
	if !ok || !m.c.Core.Authorize {
		o.stream.Send(event)
		return
	}
	request := m.questionOf(e)
	if request == nil {
		o.stream.Send(event)
		return
	}
	request.Subject = subject(apihttp.PrincipalOf(o.http))
	o.stream.SendFunc(proto.Size(e), func(dst []byte) ([]byte, error) {
		allowed, err := m.allowed(o.http.Context(), []*authorization.Request{request})
		if err != nil || !allowed[0] {
			return nil, apihttp.ErrSkip
		}
		return o.stream.Media().Append(dst, e)
	})
}

// questionOf is what has to be allowed for an event to be seen; nil for one that
// everybody may see.
func (m *Master) questionOf(e *master.Event) *authorization.Request {
	switch e.GetType() {
	case master.Event_TASK_ADDED:
		t := e.GetTaskAdded().GetTask()
		info, _ := m.core.Lookup(t.GetFrameworkId(), t.GetTaskId())
		return aboutTask(info, t)
	case master.Event_TASK_UPDATED:
		u := e.GetTaskUpdated()
		return aboutTask(m.core.Lookup(u.GetFrameworkId(), u.GetStatus().GetTaskId()))
	case master.Event_FRAMEWORK_ADDED:
		return aboutFramework(e.GetFrameworkAdded().GetFramework().GetFrameworkInfo())
	case master.Event_FRAMEWORK_UPDATED:
		return aboutFramework(e.GetFrameworkUpdated().GetFramework().GetFrameworkInfo())
	case master.Event_FRAMEWORK_REMOVED:
		return aboutFramework(e.GetFrameworkRemoved().GetFrameworkInfo())
	default: // of agents, and heartbeats
		return nil
	}
}

func aboutTask(info *mesosv1.FrameworkInfo, task *mesosv1.Task) *authorization.Request {
	return &authorization.Request{Action: authorization.Action_VIEW_TASK.Enum(),
		Object: &authorization.Object{Task: task, FrameworkInfo: info}}
}

func aboutFramework(info *mesosv1.FrameworkInfo) *authorization.Request {
	return &authorization.Request{Action: authorization.Action_VIEW_FRAMEWORK.Enum(),
		Object: &authorization.Object{FrameworkInfo: info}}
}
