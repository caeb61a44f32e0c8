package operator

import (
	"context"
	"net/http"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// running are the executors whose containers live, in the order of the view.
func running(v *core.View) []owner {
	var all []owner
	for _, f := range v.Frameworks {
		for _, e := range f.Executors {
			if e.Phase != core.ExecutorTerminated {
				all = append(all, owner{f, e})
			}
		}
	}
	return all
}

// containersOf are the containers that the client may see: those of executors, in the
// order of the view, then nested ones, by id.
func (o *Operator) containersOf(r *http.Request, nested bool) ([]*agent.Response_GetContainers_Container, *apihttp.Refusal) {
	v, refusal := o.see(r)
	if refusal != nil {
		return nil, refusal
	}
	var all []*agent.Response_GetContainers_Container
	var owners []owner
	for _, w := range running(v) {
		owners = append(owners, w)
		all = append(all, &agent.Response_GetContainers_Container{
			FrameworkId: w.framework.Info.Id, ExecutorId: w.executor.Info.ExecutorId, ExecutorName: w.executor.Info.Name,
			ContainerId: w.executor.Container,
		})
	}
	if nested {
		for _, id := range o.c.Containers.Containers() {
			if id.GetParent() != nil {
				w, _ := ownerOf(v, id)
				owners, all = append(owners, w), append(all, &agent.Response_GetContainers_Container{ContainerId: id})
			}
		}
	}
	return o.visibleContainers(r, owners, all)
}

func (o *Operator) visibleContainers(r *http.Request, owners []owner, all []*agent.Response_GetContainers_Container) (
	[]*agent.Response_GetContainers_Container, *apihttp.Refusal) {
	if o.c.Authorizer == nil || len(all) == 0 {
		return all, nil
	}
	q := &questions{subject: subject(r)}
	for i, c := range all {
		q.ask(authorization.Action_VIEW_CONTAINER, owners[i].object(c.GetContainerId(), nil))
	}
	allowed, err := o.allowed(r.Context(), q.requests)
	if err != nil {
		return nil, apihttp.Internal(err)
	}
	return keep(&answers{allowed: allowed}, all), nil
}

// atOnce is how many containers are looked at at a time.
const atOnce = 32

// measure fills in what containers use and how they are, all at once. What is not known
// of one, because it has just ended, is left out.
func (o *Operator) measure(ctx context.Context, all []*agent.Response_GetContainers_Container, status bool) {
	var work sync.WaitGroup
	defer work.Wait()
	turns := make(chan struct{}, atOnce)
	for i := range all {
		turns <- struct{}{}
		work.Go(func() {
			defer func() { <-turns }()
			o.measureOne(ctx, all[i], status)
		})
	}
}

func (o *Operator) measureOne(ctx context.Context, c *agent.Response_GetContainers_Container, status bool) {
	if usage, err := o.c.Containers.Usage(ctx, c.GetContainerId()); err == nil {
		c.ResourceStatistics = usage
	}
	if !status {
		return
	}
	if known, err := o.c.Containers.Status(ctx, c.GetContainerId()); err == nil {
		c.ContainerStatus = known
	}
}

func (o *Operator) getContainers(r *http.Request, call *agent.Call_GetContainers) (*agent.Response, *apihttp.Refusal) {
	all, refusal := o.containersOf(r, call.GetShowNested())
	if refusal != nil {
		return nil, refusal
	}
	o.measure(r.Context(), all, true)
	return &agent.Response{Type: agent.Response_GET_CONTAINERS.Enum(), GetContainers: &agent.Response_GetContainers{Containers: all}}, nil
}

// wanted leaves the containers that a query of /containers asks for.
func wanted(r *http.Request, all []*agent.Response_GetContainers_Container) ([]*agent.Response_GetContainers_Container, *apihttp.Refusal) {
	q := r.URL.Query()
	container, framework, executor := q.Get("container_id"), q.Get("framework_id"), q.Get("executor_id")
	switch {
	case q.Has("container_id") && (q.Has("framework_id") || q.Has("executor_id")):
		return nil, apihttp.Refuse(http.StatusBadRequest, "Query parameter 'container_id' excludes 'framework_id' and 'executor_id'")
	case q.Has("executor_id") && !q.Has("framework_id"):
		return nil, apihttp.Refuse(http.StatusBadRequest, "Query parameter 'executor_id' needs 'framework_id'")
	}
	return slices.DeleteFunc(all, func(c *agent.Response_GetContainers_Container) bool {
		return q.Has("container_id") && c.GetContainerId().GetValue() != container ||
			q.Has("framework_id") && c.GetFrameworkId().GetValue() != framework ||
			q.Has("executor_id") && c.GetExecutorId().GetValue() != executor
	}), nil
}
