package operator

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/core"
)

// may refuses who is not allowed an action. Without an authorizer all is allowed.
func (o *Operator) may(r *http.Request, action authorization.Action, object *authorization.Object) *apihttp.Refusal {
	if o.c.Authorizer == nil {
		return nil
	}
	allowed, err := o.allowed(r.Context(), []*authorization.Request{{Subject: subject(r), Action: &action, Object: object}})
	switch {
	case err != nil:
		return apihttp.Internal(err)
	case !allowed[0]:
		return &apihttp.Refusal{Status: http.StatusForbidden}
	default:
		return nil
	}
}

// allowed asks the authorizer, from the request's goroutine.
func (o *Operator) allowed(ctx context.Context, requests []*authorization.Request) ([]bool, error) {
	allowed, err := o.c.Authorizer.Authorize(ctx, requests)
	if err != nil {
		return nil, fmt.Errorf("ask the authorizer: %w", err)
	}
	if len(allowed) != len(requests) {
		return nil, fmt.Errorf("the authorizer has decided about %d of %d requests", len(allowed), len(requests))
	}
	return allowed, nil
}

func subject(r *http.Request) *authorization.Subject {
	p := apihttp.PrincipalOf(r)
	if p == nil {
		return nil
	}
	return &authorization.Subject{Value: p.Value, Claims: p.Claims}
}

// visible takes a view, and leaves out what the client of a request may not see:
// frameworks, their tasks and executors. It asks for all of them at once.
func (o *Operator) visible(r *http.Request) (*core.View, *apihttp.Refusal) {
	v, refusal := o.see(r)
	if refusal != nil || o.c.Authorizer == nil {
		return v, refusal
	}
	q := &questions{subject: subject(r)}
	for _, f := range slices.Concat(v.Frameworks, v.Completed) {
		q.framework(f)
	}
	a := &answers{}
	if len(q.requests) > 0 {
		var err error
		if a.allowed, err = o.allowed(r.Context(), q.requests); err != nil {
			return nil, apihttp.Internal(err)
		}
	}
	seen := *v
	seen.Frameworks, seen.Completed = a.frameworks(v.Frameworks), a.frameworks(v.Completed)
	return &seen, nil
}

// questions are those to the authorizer, in the order of the view; answers reads what it
// said in the same order.
type questions struct {
	subject  *authorization.Subject
	requests []*authorization.Request
}

func (q *questions) ask(action authorization.Action, object *authorization.Object) {
	q.requests = append(q.requests, &authorization.Request{Subject: q.subject, Action: &action, Object: object})
}

func (q *questions) framework(f *core.FrameworkView) {
	q.ask(authorization.Action_VIEW_FRAMEWORK, &authorization.Object{FrameworkInfo: f.Info})
	for _, p := range f.Pending {
		q.ask(authorization.Action_VIEW_TASK, &authorization.Object{TaskInfo: p.Task, FrameworkInfo: f.Info})
	}
	for _, e := range slices.Concat(f.Executors, f.Completed) {
		q.ask(authorization.Action_VIEW_EXECUTOR, &authorization.Object{ExecutorInfo: e.Info, FrameworkInfo: f.Info})
		for _, t := range e.Queued {
			q.ask(authorization.Action_VIEW_TASK, &authorization.Object{TaskInfo: t, FrameworkInfo: f.Info})
		}
		for _, tasks := range [][]*mesosv1.Task{e.Launched, e.Terminated, e.Completed} {
			for _, t := range tasks {
				q.ask(authorization.Action_VIEW_TASK, &authorization.Object{Task: t, FrameworkInfo: f.Info})
			}
		}
	}
}

type answers struct {
	allowed []bool
	next    int
}

func (a *answers) yes() bool {
	a.next++
	return a.allowed[a.next-1]
}

func keep[T any](a *answers, all []T) []T {
	var kept []T
	for _, x := range all {
		if a.yes() {
			kept = append(kept, x)
		}
	}
	return kept
}

func (a *answers) frameworks(all []*core.FrameworkView) []*core.FrameworkView {
	var kept []*core.FrameworkView
	for _, f := range all {
		yes, seen := a.yes(), *f
		seen.Pending = keep(a, f.Pending)
		seen.Executors, seen.Completed = a.executors(f.Executors), a.executors(f.Completed)
		if yes {
			kept = append(kept, &seen)
		}
	}
	return kept
}

func (a *answers) executors(all []*core.ExecutorView) []*core.ExecutorView {
	var kept []*core.ExecutorView
	for _, e := range all {
		yes, seen := a.yes(), *e
		seen.Queued = keep(a, e.Queued)
		seen.Launched, seen.Terminated, seen.Completed = keep(a, e.Launched), keep(a, e.Terminated), keep(a, e.Completed)
		if yes {
			kept = append(kept, &seen)
		}
	}
	return kept
}
