package operator

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// contained is a container with what is known of it. What is not, because it has just
// ended, is nil.
type contained struct {
	owner
	id         *mesosv1.ContainerID
	statistics *mesosv1.ResourceStatistics
	status     *mesosv1.ContainerStatus
}

// containersOf are the containers that the client may see and keep lets through: those of
// executors, in the order of the view, then nested ones, by id.
func (o *Operator) containersOf(r *http.Request, nested bool, keep func(*contained) bool) ([]*contained, *apihttp.Refusal) {
	v, refusal := o.see(r)
	if refusal != nil {
		return nil, refusal
	}
	var all []*contained
	add := func(c *contained) {
		if keep(c) {
			all = append(all, c)
		}
	}
	for _, f := range v.Frameworks {
		for _, e := range f.Executors {
			if e.Phase != core.ExecutorTerminated {
				add(&contained{owner: owner{f, e}, id: e.Container})
			}
		}
	}
	if nested {
		for _, id := range o.c.Containers.Containers() {
			if id.GetParent() != nil {
				w, _ := ownerOf(v, id)
				add(&contained{owner: w, id: id})
			}
		}
	}
	return o.visibleContainers(r, all)
}

func (o *Operator) visibleContainers(r *http.Request, all []*contained) ([]*contained, *apihttp.Refusal) {
	if o.c.Authorizer == nil || len(all) == 0 {
		return all, nil
	}
	q := &questions{subject: subject(r)}
	for _, c := range all {
		q.ask(authorization.Action_VIEW_CONTAINER, c.object(c.id, nil))
	}
	allowed, err := o.allowed(r.Context(), q.requests)
	if err != nil {
		return nil, apihttp.Internal(err)
	}
	return keep(&answers{allowed: allowed}, all), nil
}

// atOnce is how many containers are looked at at a time.
const atOnce = 32

// measure fills in what containers use and how they are.
func (o *Operator) measure(ctx context.Context, all []*contained) {
	var work sync.WaitGroup
	defer work.Wait()
	turns := make(chan struct{}, atOnce)
	for _, c := range all {
		turns <- struct{}{}
		work.Go(func() {
			defer func() { <-turns }()
			if usage, err := o.c.Containers.Usage(ctx, c.id); err == nil {
				c.statistics = usage
			}
			if status, err := o.c.Containers.Status(ctx, c.id); err == nil {
				c.status = status
			}
		})
	}
}

func (o *Operator) getContainers(r *http.Request, call *agent.Call_GetContainers) (*agent.Response, *apihttp.Refusal) {
	all, refusal := o.containersOf(r, call.GetShowNested(), func(*contained) bool { return true })
	if refusal != nil {
		return nil, refusal
	}
	o.measure(r.Context(), all)
	answer := &agent.Response_GetContainers{}
	for _, c := range all {
		one := &agent.Response_GetContainers_Container{ContainerId: c.id, ContainerStatus: c.status, ResourceStatistics: c.statistics}
		if c.id.GetParent() == nil {
			one.FrameworkId, one.ExecutorId = c.framework.Info.Id, c.executor.Info.ExecutorId
			one.ExecutorName = c.executor.Info.Name
		}
		answer.Containers = append(answer.Containers, one)
	}
	return &agent.Response{Type: agent.Response_GET_CONTAINERS.Enum(), GetContainers: answer}, nil
}

// queried is the filter that the query of /containers asks for.
func queried(r *http.Request) (func(*contained) bool, *apihttp.Refusal) {
	q := r.URL.Query()
	if q.Has("container_id") && (q.Has("framework_id") || q.Has("executor_id")) {
		return nil, apihttp.Refuse(http.StatusBadRequest, "Query parameter 'container_id' excludes 'framework_id' and 'executor_id'")
	}
	if q.Has("executor_id") && !q.Has("framework_id") {
		return nil, apihttp.Refuse(http.StatusBadRequest, "Query parameter 'executor_id' needs 'framework_id'")
	}
	return func(c *contained) bool {
		return is(q["container_id"], c.id.GetValue()) && is(q["framework_id"], c.framework.Info.GetId().GetValue()) &&
			is(q["executor_id"], c.executor.Info.GetExecutorId().GetValue())
	}, nil
}

// is says whether a parameter, if it is given, has a value.
func is(parameter []string, value string) bool {
	return len(parameter) == 0 || slices.Contains(parameter, value)
}
