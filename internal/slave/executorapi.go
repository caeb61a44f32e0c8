package slave

import (
	"context"
	"net/http"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/executor"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// executorAPI answers the calls of executors. The order of the checks is that of
// Mesos.
func (s *Slave) executorAPI(w http.ResponseWriter, r *http.Request) {
	call := &executor.Call{}
	media, refusal := s.readExecutorCall(w, r, call)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	var claims *mesosv1.Labels
	if p := apihttp.PrincipalOf(r); p != nil {
		claims = p.Claims
	}
	id, stream, answer := s.requests.begin(media)
	s.mail.put(core.ExecutorCall{Request: id, Stream: stream, Claims: claims, Call: call})
	var got reply
	select {
	case got = <-answer:
	case <-r.Context().Done():
		s.mail.put(core.StreamGone{Stream: stream}) // in case it was opened
		return
	}
	switch {
	case got.stream != nil:
		ctx, end := context.WithCancel(s.ctx)
		defer end()
		if s.cfg.Stopping != nil {
			defer context.AfterFunc(s.cfg.Stopping, end)()
		}
		_ = got.stream.Serve(w, r, ctx) // however it ends, it has
		s.requests.close(got.id)
		s.mail.put(core.StreamGone{Stream: got.id})
	case got.status == http.StatusAccepted:
		apihttp.Empty(w, got.status)
	default:
		(&apihttp.Refusal{Status: got.status, Text: got.text}).Write(w, r)
	}
}

// readExecutorCall reads a call, and returns in which form a stream is wanted.
func (s *Slave) readExecutorCall(w http.ResponseWriter, r *http.Request, call *executor.Call) (apihttp.Media, *apihttp.Refusal) {
	if s.Recovering() {
		return 0, apihttp.Refuse(http.StatusServiceUnavailable, "Agent has not finished recovery")
	}
	if refusal := apihttp.Methods(r, http.MethodPost); refusal != nil {
		return 0, refusal
	}
	if _, refusal := apihttp.ReadCall(w, r, call); refusal != nil {
		return 0, refusal
	}
	if problem := validateExecutorCall(call); problem != "" {
		return 0, apihttp.Refuse(http.StatusBadRequest, "Failed to validate Executor::Call: %s", problem)
	}
	if call.GetType() != executor.Call_SUBSCRIBE {
		return 0, nil
	}
	return apihttp.Choose(r.Header)
}

// uuidSize is that of the uuid of a status.
const uuidSize = 16

// validateExecutorCall checks what the types do not say. It returns what is wrong, as
// Mesos says it; empty if nothing is.
func validateExecutorCall(call *executor.Call) (problem string) {
	if call.Type == nil {
		return "Expecting 'type' to be present"
	}
	switch call.GetType() {
	case executor.Call_SUBSCRIBE:
		if call.GetSubscribe() == nil {
			return "Expecting 'subscribe' to be present"
		}
	case executor.Call_UPDATE:
		if call.GetUpdate() == nil {
			return "Expecting 'update' to be present"
		}
		return validateStatus(call.GetExecutorId(), call.GetUpdate().GetStatus())
	case executor.Call_MESSAGE:
		if call.GetMessage() == nil {
			return "Expecting 'message' to be present"
		}
	case executor.Call_HEARTBEAT, executor.Call_UNKNOWN:
	}
	return ""
}

func validateStatus(caller *mesosv1.ExecutorID, s *mesosv1.TaskStatus) (problem string) {
	switch {
	case s.Uuid == nil:
		return "Expecting 'uuid' to be present"
	case len(s.GetUuid()) != uuidSize:
		return "Expecting 'uuid' to have 16 bytes"
	case s.GetExecutorId() != nil && s.GetExecutorId().GetValue() != caller.GetValue():
		return "ExecutorID in Call: " + caller.GetValue() + " does not match ExecutorID in TaskStatus: " + s.GetExecutorId().GetValue()
	case s.GetSource() != mesosv1.TaskStatus_SOURCE_EXECUTOR:
		return "Received Call from executor " + caller.GetValue() + " with invalid source, expecting 'SOURCE_EXECUTOR'"
	case s.GetState() == mesosv1.TaskState_TASK_STAGING:
		return "Received TASK_STAGING from executor " + caller.GetValue() + " which is not allowed"
	}
	return ""
}
