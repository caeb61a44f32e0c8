package executor

import (
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor/checks"
)

// Reporter makes the statuses of one task. It is for one goroutine.
type Reporter struct {
	session   *Session
	task      *mesosv1.TaskInfo
	container *mesosv1.ContainerStatus // of every status; may be nil
	last      *mesosv1.TaskStatus
}

// NewReporter makes a reporter; container, which may be nil, goes into every status.
func NewReporter(session *Session, task *mesosv1.TaskInfo, container *mesosv1.ContainerStatus) *Reporter {
	return &Reporter{session: session, task: task, container: container}
}

// Report sends a status and returns its uuid. It says of health and checks what the last one said, unless more, which
// may be nil, changes that.
func (r *Reporter) Report(state mesosv1.TaskState, more func(*mesosv1.TaskStatus)) []byte {
	status := &mesosv1.TaskStatus{TaskId: r.task.GetTaskId(), State: state.Enum(), ContainerStatus: r.container}
	if r.last != nil {
		status.Healthy, status.CheckStatus = r.last.Healthy, r.last.CheckStatus
	} else if check := r.task.GetCheck(); check != nil {
		status.CheckStatus = checks.Empty(check)
	}
	return r.send(status, more)
}

// Checked sends the last status again with what the check has found.
func (r *Reporter) Checked(found *mesosv1.CheckStatusInfo) {
	status := proto.CloneOf(r.last)
	status.Reason, status.Message = mesosv1.TaskStatus_REASON_TASK_CHECK_STATUS_UPDATED.Enum(), nil
	r.send(status, func(s *mesosv1.TaskStatus) { s.CheckStatus = found })
}

// Health sends the last status again with the task's health.
func (r *Reporter) Health(healthy bool) {
	status := proto.CloneOf(r.last)
	status.Reason, status.Message = mesosv1.TaskStatus_REASON_TASK_HEALTH_CHECK_STATUS_UPDATED.Enum(), nil
	r.send(status, func(s *mesosv1.TaskStatus) { s.Healthy = &healthy })
}

func (r *Reporter) send(status *mesosv1.TaskStatus, more func(*mesosv1.TaskStatus)) []byte {
	if more != nil {
		more(status)
	}
	r.last = status
	return r.session.Update(status)
}
