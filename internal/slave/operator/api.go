package operator

import (
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/mesosjson"
)

// request is a call with all that is known of how it came.
type request struct {
	w    http.ResponseWriter
	r    *http.Request
	form apihttp.Form
	call *agent.Call

	// records are the calls that follow the first one, if it came as a stream.
	records *apihttp.Calls
}

// serveAPI answers POST /api/v1. The order of the checks is the API's.
func (o *Operator) serveAPI(w http.ResponseWriter, r *http.Request) {
	q, refusal := o.read(w, r)
	if refusal == nil {
		refusal = o.handle(q)
	}
	if refusal != nil {
		refusal.Write(w, r)
	}
}

var recovering = apihttp.Refuse(http.StatusServiceUnavailable, "Agent has not finished recovery")

// read reads and checks the first call of a request.
func (o *Operator) read(w http.ResponseWriter, r *http.Request) (*request, *apihttp.Refusal) {
	if o.c.Agent.Recovering() {
		return nil, recovering
	}
	if refusal := apihttp.Methods(r, http.MethodPost); refusal != nil {
		return nil, refusal
	}
	form, refusal := apihttp.FormOf(r)
	if refusal != nil {
		return nil, refusal
	}
	q := &request{w: w, r: r, form: form, call: &agent.Call{}}
	if refusal := q.first(o.patience); refusal != nil {
		return nil, refusal
	}
	if err := validate.AgentCall(q.call); err != nil {
		return nil, apihttp.Invalid("agent::Call", err)
	}
	return q, q.streams()
}

// first reads the first call. What follows it may take as long as it takes.
func (q *request) first(patience time.Duration) *apihttp.Refusal {
	if q.form.Streaming {
		q.records = apihttp.ReadCalls(q.w, q.r, q.form.Content)
		reading := http.NewResponseController(q.w)
		_ = reading.SetReadDeadline(time.Now().Add(patience)) // a connection without deadlines waits
		err := q.records.Next(q.call)
		_ = reading.SetReadDeadline(time.Time{})
		refusal := (*apihttp.Refusal)(nil)
		switch {
		case errors.Is(err, io.EOF):
			return apihttp.Refuse(http.StatusBadRequest, "Received EOF while reading the first record of the request")
		case errors.As(err, &refusal):
			return refusal
		case err != nil:
			return apihttp.Internal(err)
		default:
			return nil
		}
	}
	body, refusal := apihttp.ReadBody(q.w, q.r)
	if refusal != nil {
		return refusal
	}
	return q.form.Content.Unmarshal(body, q.call)
}

// streams refuses streams where there are none, and the lack of them where they are
// needed.
func (q *request) streams() *apihttp.Refusal {
	kind := q.call.GetType()
	input := kind == agent.Call_ATTACH_CONTAINER_INPUT
	output := kind == agent.Call_ATTACH_CONTAINER_OUTPUT || kind == agent.Call_LAUNCH_NESTED_CONTAINER_SESSION
	switch {
	case q.form.Streaming && !input:
		return apihttp.Refuse(http.StatusUnsupportedMediaType, "Streaming 'Content-Type' %s is not supported for %v calls", apihttp.TypeRecordIO, kind)
	case !q.form.Streaming && input:
		return apihttp.Refuse(http.StatusUnsupportedMediaType, "Expecting 'Content-Type' of %s for %v calls", apihttp.TypeRecordIO, kind)
	case q.form.StreamingAnswer && !output:
		return apihttp.Refuse(http.StatusNotAcceptable, "Streaming 'Accept' %s is not supported for %v calls", apihttp.TypeRecordIO, kind)
	default:
		return nil
	}
}

// handle answers a call, unless it returns a refusal.
func (o *Operator) handle(q *request) *apihttp.Refusal {
	switch q.call.GetType() {
	case agent.Call_LAUNCH_NESTED_CONTAINER, agent.Call_LAUNCH_CONTAINER:
		return o.launch(q)
	case agent.Call_WAIT_NESTED_CONTAINER, agent.Call_WAIT_CONTAINER:
		return o.wait(q)
	case agent.Call_KILL_NESTED_CONTAINER, agent.Call_KILL_CONTAINER:
		return o.kill(q)
	case agent.Call_REMOVE_NESTED_CONTAINER, agent.Call_REMOVE_CONTAINER:
		return o.remove(q)
	case agent.Call_LAUNCH_NESTED_CONTAINER_SESSION:
		return o.session(q)
	case agent.Call_ATTACH_CONTAINER_INPUT:
		return o.attachInput(q)
	case agent.Call_ATTACH_CONTAINER_OUTPUT:
		return o.attachOutput(q)
	case agent.Call_PRUNE_IMAGES:
		return o.pruneImages(q)
	case agent.Call_SET_LOGGING_LEVEL:
		return o.setLoggingLevel(q)
	case agent.Call_ADD_RESOURCE_PROVIDER_CONFIG, agent.Call_UPDATE_RESOURCE_PROVIDER_CONFIG,
		agent.Call_REMOVE_RESOURCE_PROVIDER_CONFIG, agent.Call_MARK_RESOURCE_PROVIDER_GONE:
		return apihttp.Refuse(http.StatusNotImplemented, "This agent has no resource providers")
	default:
		return o.tell(q)
	}
}

// tell answers a call that only asks.
func (o *Operator) tell(q *request) *apihttp.Refusal {
	answer, refusal := o.program(q)
	if answer == nil && refusal == nil {
		answer, refusal = o.state(q)
	}
	switch {
	case refusal != nil:
		return refusal
	case answer == nil:
		return &apihttp.Refusal{Status: http.StatusNotImplemented}
	case q.form.Answer == apihttp.JSON:
		apihttp.Document(q.w, q.r, func(e *mesosjson.Encoder) { e.StoredMessage(answer) })
	default:
		apihttp.Message(q.w, q.r, q.form.Answer, answer)
	}
	return nil
}

// done answers a call that has done what it should and has nothing to tell.
func (q *request) done(status int) *apihttp.Refusal {
	apihttp.Empty(q.w, status)
	return nil
}

// say answers with a message.
func (q *request) say(m proto.Message) *apihttp.Refusal {
	apihttp.Message(q.w, q.r, q.form.Answer, m)
	return nil
}
