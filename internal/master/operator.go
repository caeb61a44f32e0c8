package master

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/validate"
	"github.com/mesos-modules/mms/internal/master/view"
)

// serveOperator answers POST /api/v1. The order of the checks is the API's.
func (m *Master) serveOperator(w http.ResponseWriter, r *http.Request) {
	var call master.Call
	refusal := m.admit(w, r, &call)
	if refusal == nil {
		if err := validate.OperatorCall(&call); err != nil {
			refusal = apihttp.Invalid("master::Call", err)
		}
	}
	media, unacceptable := apihttp.Choose(r.Header)
	if refusal == nil {
		refusal = unacceptable
	}
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	switch kind := call.GetType(); {
	case aboutProgram[kind]:
		m.serveProgram(w, r, media, &call)
	case strings.HasPrefix(kind.String(), "GET_"):
		m.serveState(w, r, media, kind)
	default:
		m.handOver(w, r, media, func(id core.RequestID) core.Event {
			e := core.OperatorCall{Request: id, Principal: principalOf(r), Call: &call}
			if kind == master.Call_SUBSCRIBE {
				e.Stream = newStreamID()
			}
			return e
		})
	}
}

// aboutProgram are the calls about the program rather than the cluster.
var aboutProgram = map[master.Call_Type]bool{
	master.Call_GET_HEALTH: true, master.Call_GET_FLAGS: true, master.Call_GET_VERSION: true, master.Call_GET_METRICS: true,
	master.Call_GET_LOGGING_LEVEL: true, master.Call_SET_LOGGING_LEVEL: true, master.Call_LIST_FILES: true, master.Call_READ_FILE: true,
}

// serveState answers a call that reads the cluster's state.
func (m *Master) serveState(w http.ResponseWriter, r *http.Request, media apihttp.Media, kind master.Call_Type) {
	v, approve, err := m.see(r)
	if err != nil {
		apihttp.Internal(err).Write(w, r)
		return
	}
	answer, known := view.Answer(v, kind, approve)
	switch {
	case !known:
		(&apihttp.Refusal{Status: http.StatusNotImplemented}).Write(w, r)
	case media == apihttp.JSON:
		apihttp.Write(w, r, apihttp.TypeJSON, func(to io.Writer) error { return view.WriteJSON(to, answer) })
	default:
		apihttp.Message(w, r, media, answer)
	}
}

// aView is about the memory of the queue that the first event of a stream counts for.
const aView = 1 << 20

// sendState sends an operator's stream its first event: the state as it is at this
// moment, of what the client may see. It is made by the stream's own goroutine.
func (m *Master) sendState(s *apihttp.Stream, r *http.Request) {
	all := m.core.View()
	s.SendFunc(aView, func(dst []byte) ([]byte, error) {
		v, approve, err := m.visible(r, all)
		if err != nil {
			return nil, err
		}
		event := view.Subscribed(v, approve, m.c.Core.HeartbeatInterval)
		if s.Media() != apihttp.JSON {
			return s.Media().Append(dst, event)
		}
		text, err := view.JSON(event)
		return append(dst, text...), err
	})
}

// serveProgram answers calls about the program rather than the cluster.
func (m *Master) serveProgram(w http.ResponseWriter, r *http.Request, media apihttp.Media, call *master.Call) {
	answer, refusal := m.program(r, call)
	switch {
	case refusal != nil:
		refusal.Write(w, r)
	case answer == nil:
		apihttp.Empty(w, http.StatusOK)
	default:
		apihttp.Message(w, r, media, answer)
	}
}

func (m *Master) program(r *http.Request, call *master.Call) (*master.Response, *apihttp.Refusal) {
	switch call.GetType() {
	case master.Call_GET_HEALTH:
		return &master.Response{Type: master.Response_GET_HEALTH.Enum(), GetHealth: &master.Response_GetHealth{Healthy: proto.Bool(true)}}, nil
	case master.Call_GET_FLAGS:
		return m.getFlags(r)
	case master.Call_GET_VERSION:
		return &master.Response{Type: master.Response_GET_VERSION.Enum(), GetVersion: &master.Response_GetVersion{VersionInfo: m.versionInfo()}}, nil
	case master.Call_GET_METRICS:
		return m.getMetrics(r, call.GetGetMetrics()), nil
	case master.Call_GET_LOGGING_LEVEL:
		return &master.Response{Type: master.Response_GET_LOGGING_LEVEL.Enum(),
			GetLoggingLevel: &master.Response_GetLoggingLevel{Level: proto.Uint32(m.c.Verbosity.Level())}}, nil
	case master.Call_SET_LOGGING_LEVEL:
		if refusal := m.may(r, authorization.Action_SET_LOG_LEVEL, nil); refusal != nil {
			return nil, refusal
		}
		set := call.GetSetLoggingLevel()
		m.c.Verbosity.Set(set.GetLevel(), time.Duration(set.GetDuration().GetNanoseconds()))
		return nil, nil
	case master.Call_LIST_FILES:
		found, err := m.files.Browse(r.Context(), apihttp.PrincipalOf(r), call.GetListFiles().GetPath())
		if err != nil {
			return nil, files.Refusal(err)
		}
		return &master.Response{Type: master.Response_LIST_FILES.Enum(), ListFiles: &master.Response_ListFiles{FileInfos: found}}, nil
	case master.Call_READ_FILE:
		read := call.GetReadFile()
		c, err := m.files.ReadFile(r.Context(), apihttp.PrincipalOf(r), read.GetPath(), read.GetOffset(), read.Length)
		if err != nil {
			return nil, files.Refusal(err)
		}
		return &master.Response{Type: master.Response_READ_FILE.Enum(),
			ReadFile: &master.Response_ReadFile{Size: proto.Uint64(uint64(c.Size)), Data: c.Data}}, nil
	default:
		return nil, apihttp.Internal(fmt.Errorf("the call %v is none about the program", call.GetType()))
	}
}

func (m *Master) getFlags(r *http.Request) (*master.Response, *apihttp.Refusal) {
	if refusal := m.mayViewFlags(r); refusal != nil {
		return nil, refusal
	}
	found := &master.Response_GetFlags{}
	for _, f := range m.c.Flags() {
		found.Flags = append(found.Flags, &mesosv1.Flag{Name: &f.Name, Value: &f.Value})
	}
	return &master.Response{Type: master.Response_GET_FLAGS.Enum(), GetFlags: found}, nil
}

func (m *Master) getMetrics(r *http.Request, call *master.Call_GetMetrics) *master.Response {
	ctx, cancel := limitedBy(r.Context(), call.GetTimeout())
	defer cancel()
	all := m.measures(ctx)
	found := &master.Response_GetMetrics{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found.Metrics = append(found.Metrics, &mesosv1.Metric{Name: &name, Value: proto.Float64(all[name])})
	}
	return &master.Response{Type: master.Response_GET_METRICS.Enum(), GetMetrics: found}
}
