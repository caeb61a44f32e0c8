package operator

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
)

// program answers calls about the program rather than what runs on it; nil, nil if the
// call is another one.
func (o *Operator) program(q *request) (*agent.Response, *apihttp.Refusal) {
	switch q.call.GetType() {
	case agent.Call_GET_HEALTH:
		return &agent.Response{Type: agent.Response_GET_HEALTH.Enum(), GetHealth: &agent.Response_GetHealth{Healthy: proto.Bool(true)}}, nil
	case agent.Call_GET_FLAGS:
		return o.getFlags(q.r)
	case agent.Call_GET_VERSION:
		return &agent.Response{Type: agent.Response_GET_VERSION.Enum(),
			GetVersion: &agent.Response_GetVersion{VersionInfo: o.c.About.VersionInfo()}}, nil
	case agent.Call_GET_METRICS:
		return o.getMetrics(q.r.Context(), q.call.GetGetMetrics()), nil
	case agent.Call_GET_LOGGING_LEVEL:
		return &agent.Response{Type: agent.Response_GET_LOGGING_LEVEL.Enum(),
			GetLoggingLevel: &agent.Response_GetLoggingLevel{Level: proto.Uint32(o.c.About.Verbosity.Level())}}, nil
	case agent.Call_LIST_FILES:
		return o.listFiles(q.r, q.call.GetListFiles())
	case agent.Call_READ_FILE:
		return o.readFile(q.r, q.call.GetReadFile())
	default:
		return nil, nil
	}
}

func (o *Operator) getFlags(r *http.Request) (*agent.Response, *apihttp.Refusal) {
	if refusal := o.may(r, authorization.Action_VIEW_FLAGS, nil); refusal != nil {
		return nil, refusal
	}
	found := &agent.Response_GetFlags{}
	for _, f := range o.c.About.Flags() {
		found.Flags = append(found.Flags, &mesosv1.Flag{Name: &f.Name, Value: &f.Value})
	}
	return &agent.Response{Type: agent.Response_GET_FLAGS.Enum(), GetFlags: found}, nil
}

func (o *Operator) getMetrics(ctx context.Context, call *agent.Call_GetMetrics) *agent.Response {
	if call.GetTimeout() != nil {
		limited, cancel := context.WithTimeout(ctx, time.Duration(call.GetTimeout().GetNanoseconds()))
		defer cancel()
		ctx = limited
	}
	all, found := o.c.Agent.Measures(ctx), &agent.Response_GetMetrics{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		found.Metrics = append(found.Metrics, &mesosv1.Metric{Name: &name, Value: proto.Float64(all[name])})
	}
	return &agent.Response{Type: agent.Response_GET_METRICS.Enum(), GetMetrics: found}
}

func (o *Operator) setLoggingLevel(q *request) *apihttp.Refusal {
	if refusal := o.may(q.r, authorization.Action_SET_LOG_LEVEL, nil); refusal != nil {
		return refusal
	}
	set := q.call.GetSetLoggingLevel()
	o.c.About.Verbosity.Set(set.GetLevel(), time.Duration(set.GetDuration().GetNanoseconds()))
	return q.done(http.StatusOK)
}

func (o *Operator) listFiles(r *http.Request, call *agent.Call_ListFiles) (*agent.Response, *apihttp.Refusal) {
	found, err := o.c.Files.Browse(r.Context(), apihttp.PrincipalOf(r), call.GetPath())
	if err != nil {
		return nil, files.Refusal(err)
	}
	return &agent.Response{Type: agent.Response_LIST_FILES.Enum(), ListFiles: &agent.Response_ListFiles{FileInfos: found}}, nil
}

func (o *Operator) readFile(r *http.Request, call *agent.Call_ReadFile) (*agent.Response, *apihttp.Refusal) {
	c, err := o.c.Files.ReadFile(r.Context(), apihttp.PrincipalOf(r), call.GetPath(), call.GetOffset(), call.Length)
	if err != nil {
		return nil, files.Refusal(err)
	}
	return &agent.Response{Type: agent.Response_READ_FILE.Enum(),
		ReadFile: &agent.Response_ReadFile{Size: proto.Uint64(uint64(c.Size)), Data: c.Data}}, nil
}

func (o *Operator) pruneImages(q *request) *apihttp.Refusal {
	if refusal := o.may(q.r, authorization.Action_PRUNE_IMAGES, nil); refusal != nil {
		return refusal
	}
	if err := o.c.Containers.PruneImages(q.r.Context(), q.call.GetPruneImages().GetExcludedImages()); err != nil {
		return apihttp.Internal(err)
	}
	return q.done(http.StatusOK)
}
