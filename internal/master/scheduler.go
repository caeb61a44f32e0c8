package master

import (
	"net/http"

	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/validate"
)

// serveScheduler answers POST /api/v1/scheduler. The order of the checks is the
// API's.
func (m *Master) serveScheduler(w http.ResponseWriter, r *http.Request) {
	var call scheduler.Call
	refusal := m.admit(w, r, &call)
	if refusal == nil {
		if err := validate.SchedulerCall(&call); err != nil {
			refusal = apihttp.Invalid("scheduler::Call", err)
		}
	}
	media, unacceptable := apihttp.Choose(r.Header)
	stream := core.StreamID(r.Header.Get(streamHeader))
	switch {
	case refusal != nil:
	case call.GetType() == scheduler.Call_RECONCILE_OPERATIONS:
		refusal = unacceptable
	case call.GetType() != scheduler.Call_SUBSCRIBE:
	case unacceptable != nil:
		refusal = unacceptable
	case stream != "": // some clients send the header empty
		refusal = apihttp.Refuse(http.StatusBadRequest, "Subscribe calls should not include the '%s' header", streamHeader)
	default:
		stream = newStreamID()
	}
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	m.handOver(w, r, media, func(id core.RequestID) core.Event {
		return core.SchedulerCall{Request: id, Stream: stream, Principal: principalOf(r), Call: &call}
	})
}

func principalOf(r *http.Request) *core.Principal {
	p := apihttp.PrincipalOf(r)
	if p == nil {
		return nil
	}
	return &core.Principal{Value: p.Value, Claims: p.Claims}
}
