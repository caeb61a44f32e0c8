package operator

import (
	"time"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/legacy"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// state answers calls about what runs on the agent; nil, nil if the call is another one.
func (o *Operator) state(q *request) (*agent.Response, *apihttp.Refusal) {
	if q.call.GetType() == agent.Call_GET_CONTAINERS {
		return o.getContainers(q.r, q.call.GetGetContainers())
	}
	v, refusal := o.visible(q.r)
	if refusal != nil {
		return nil, refusal
	}
	return stateOf(v, q.call.GetType()), nil
}

// stateOf is the answer to a call that only a view is needed for; nil if the call is
// another one. It shares messages with the view.
func stateOf(v *core.View, kind agent.Call_Type) *agent.Response {
	r := &agent.Response{}
	switch kind {
	case agent.Call_GET_STATE:
		r.Type = agent.Response_GET_STATE.Enum()
		r.GetState = &agent.Response_GetState{GetTasks: tasks(v), GetExecutors: executors(v), GetFrameworks: frameworks(v)}
	case agent.Call_GET_AGENT:
		r.Type, r.GetAgent = agent.Response_GET_AGENT.Enum(), agentOf(v)
	case agent.Call_GET_FRAMEWORKS:
		r.Type, r.GetFrameworks = agent.Response_GET_FRAMEWORKS.Enum(), frameworks(v)
	case agent.Call_GET_EXECUTORS:
		r.Type, r.GetExecutors = agent.Response_GET_EXECUTORS.Enum(), executors(v)
	case agent.Call_GET_TASKS:
		r.Type, r.GetTasks = agent.Response_GET_TASKS.Enum(), tasks(v)
	case agent.Call_GET_OPERATIONS: // this agent applies none
		r.Type, r.GetOperations = agent.Response_GET_OPERATIONS.Enum(), &agent.Response_GetOperations{}
	case agent.Call_GET_RESOURCE_PROVIDERS: // and has none
		r.Type, r.GetResourceProviders = agent.Response_GET_RESOURCE_PROVIDERS.Enum(), &agent.Response_GetResourceProviders{}
	default:
		return nil
	}
	return r
}

func agentOf(v *core.View) *agent.Response_GetAgent {
	return &agent.Response_GetAgent{AgentInfo: v.Info, DrainConfig: v.Drain, EstimatedDrainStartTime: timeInfo(v.DrainStarted)}
}

// timeInfo is unset for what has not happened.
func timeInfo(at time.Time) *mesosv1.TimeInfo {
	if at.IsZero() {
		return nil
	}
	return &mesosv1.TimeInfo{Nanoseconds: proto.Int64(at.UnixNano())}
}

func frameworks(v *core.View) *agent.Response_GetFrameworks {
	r := &agent.Response_GetFrameworks{}
	for _, f := range v.Frameworks {
		r.Frameworks = append(r.Frameworks, &agent.Response_GetFrameworks_Framework{FrameworkInfo: f.Info})
	}
	for _, f := range v.Completed {
		r.CompletedFrameworks = append(r.CompletedFrameworks, &agent.Response_GetFrameworks_Framework{FrameworkInfo: f.Info})
	}
	return r
}

func executors(v *core.View) *agent.Response_GetExecutors {
	r := &agent.Response_GetExecutors{}
	list := func(to *[]*agent.Response_GetExecutors_Executor, all []*core.ExecutorView) {
		for _, e := range all {
			*to = append(*to, &agent.Response_GetExecutors_Executor{ExecutorInfo: e.Info})
		}
	}
	for _, f := range v.Frameworks {
		list(&r.Executors, f.Executors)
		list(&r.CompletedExecutors, f.Completed)
	}
	for _, f := range v.Completed {
		list(&r.CompletedExecutors, f.Completed)
	}
	return r
}

func tasks(v *core.View) *agent.Response_GetTasks {
	r := &agent.Response_GetTasks{}
	for _, f := range v.Frameworks {
		for _, p := range f.Pending {
			r.PendingTasks = append(r.PendingTasks, legacy.Staging(p.Task, f.Info.GetId()))
		}
		for _, e := range f.Executors {
			for _, t := range e.Queued {
				r.QueuedTasks = append(r.QueuedTasks, legacy.Staging(t, f.Info.GetId()))
			}
			r.LaunchedTasks = append(r.LaunchedTasks, e.Launched...)
		}
		addEnded(r, f.Executors)
		addEnded(r, f.Completed)
	}
	for _, f := range v.Completed {
		addEnded(r, f.Completed)
	}
	return r
}

func addEnded(r *agent.Response_GetTasks, all []*core.ExecutorView) {
	for _, e := range all {
		r.TerminatedTasks = append(r.TerminatedTasks, e.Terminated...)
		r.CompletedTasks = append(r.CompletedTasks, e.Completed...)
	}
}
