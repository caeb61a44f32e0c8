package master

import (
	"context"
	"fmt"
	"net/http"
	"slices"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/files"
	"github.com/mesos-modules/mms/internal/master/core"
	"github.com/mesos-modules/mms/internal/master/view"
)

// may refuses who is not allowed an action. Without an authorizer all is allowed.
func (m *Master) may(r *http.Request, action authorization.Action, object *authorization.Object) *apihttp.Refusal {
	if !m.c.Core.Authorize {
		return nil
	}
	allowed, err := m.allowed(r.Context(), []*authorization.Request{{Subject: subject(apihttp.PrincipalOf(r)), Action: &action, Object: object}})
	switch {
	case err != nil:
		return apihttp.Internal(err)
	case !allowed[0]:
		return &apihttp.Refusal{Status: http.StatusForbidden}
	default:
		return nil
	}
}

// guarded answers a route only to who may get it by its path.
func (m *Master) guarded(path string, do http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		object := &authorization.Object{Value: &path}
		if refusal := m.may(r, authorization.Action_GET_ENDPOINT_WITH_PATH, object); refusal != nil {
			refusal.Write(w, r)
			return
		}
		do(w, r)
	}
}

// mayReadLog is a files.Authorize for the log.
func (m *Master) mayReadLog(ctx context.Context, who *apihttp.Principal) error {
	if !m.c.Core.Authorize {
		return nil
	}
	allowed, err := m.allowed(ctx, []*authorization.Request{{Subject: subject(who), Action: authorization.Action_ACCESS_MESOS_LOG.Enum()}})
	if err == nil && !allowed[0] {
		return files.ErrForbidden
	}
	return err
}

func (m *Master) mayViewFlags(r *http.Request) *apihttp.Refusal {
	return m.may(r, authorization.Action_VIEW_FLAGS, nil)
}

// allowed asks the authorizer, from the goroutine of a request.
func (m *Master) allowed(ctx context.Context, requests []*authorization.Request) ([]bool, error) {
	allowed, err := m.c.Authorizer.Authorize(ctx, requests)
	if err != nil {
		return nil, fmt.Errorf("ask the authorizer: %w", err)
	}
	if len(allowed) != len(requests) {
		return nil, fmt.Errorf("the authorizer has decided about %d of %d requests", len(allowed), len(requests))
	}
	return allowed, nil
}

func subject(p *apihttp.Principal) *authorization.Subject {
	if p == nil {
		return nil
	}
	return &authorization.Subject{Value: p.Value, Claims: p.Claims}
}

// see takes a view, and leaves out what the client of a request may not see.
func (m *Master) see(r *http.Request) (*core.View, view.Approve, error) {
	v, err := m.View(r.Context())
	if err != nil {
		return nil, view.Approve{}, err
	}
	return m.visible(r, v)
}

// visible is the part of a view that the client of a request may see: frameworks,
// their tasks and executors, and roles. It asks for all of them at once.
func (m *Master) visible(r *http.Request, v *core.View) (*core.View, view.Approve, error) {
	if !m.c.Core.Authorize {
		return v, view.Approve{}, nil
	}
	q := &questions{subject: subject(apihttp.PrincipalOf(r))}
	for _, f := range slices.Concat(v.Frameworks, v.Completed) {
		q.framework(f)
	}
	for _, role := range v.Roles {
		q.ask(authorization.Action_VIEW_ROLE, &authorization.Object{Value: proto.String(role.Name)})
	}
	a := &answers{}
	if len(q.requests) > 0 {
		var err error
		if a.allowed, err = m.allowed(r.Context(), q.requests); err != nil {
			return nil, view.Approve{}, err
		}
	}
	seen := *v
	seen.Frameworks, seen.Completed = a.frameworks(v.Frameworks), a.frameworks(v.Completed)
	seen.Roles = keep(a, v.Roles)
	return &seen, view.Approve{Role: func(name string) bool {
		return slices.ContainsFunc(seen.Roles, func(role *core.RoleView) bool { return role.Name == name })
	}}, nil
}

// questions are those to the authorizer, in the order of the view; answers reads
// what it said in the same order.
type questions struct {
	subject  *authorization.Subject
	requests []*authorization.Request
}

func (q *questions) ask(action authorization.Action, object *authorization.Object) {
	q.requests = append(q.requests, &authorization.Request{Subject: q.subject, Action: &action, Object: object})
}

func (q *questions) framework(f *core.FrameworkView) {
	q.ask(authorization.Action_VIEW_FRAMEWORK, &authorization.Object{FrameworkInfo: f.Info})
	for _, t := range f.Pending {
		q.ask(authorization.Action_VIEW_TASK, &authorization.Object{TaskInfo: t, FrameworkInfo: f.Info})
	}
	for _, tasks := range [][]*mesosv1.Task{f.Tasks, f.Unreachable, f.Completed} {
		for _, t := range tasks {
			q.ask(authorization.Action_VIEW_TASK, &authorization.Object{Task: t, FrameworkInfo: f.Info})
		}
	}
	for _, e := range f.Executors {
		q.ask(authorization.Action_VIEW_EXECUTOR, &authorization.Object{ExecutorInfo: e.Info, FrameworkInfo: f.Info})
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
		seen.Tasks, seen.Unreachable, seen.Completed = keep(a, f.Tasks), keep(a, f.Unreachable), keep(a, f.Completed)
		seen.Executors = keep(a, f.Executors)
		if yes {
			kept = append(kept, &seen)
		}
	}
	return kept
}
