package apihttp_test

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/roles/httpauthenticator"
)

func named(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if p := apihttp.PrincipalOf(r); p != nil {
			name += " " + *p.Value
		}
		_, _ = w.Write([]byte(name))
	}
}

func TestRouter(t *testing.T) {
	router := apihttp.NewRouter("/master", nil, []apihttp.Route{
		{Path: "/state", Handler: named("state")},
		{Path: "/slaves", Handler: named("slaves")},
		{Path: "/api/v1", Handler: named("operator"), Methods: []string{"POST"}},
		{Path: "/api/v1/scheduler", Handler: named("scheduler")},
		{Path: "/redirect", Exact: true, Handler: named("redirect")},
	}, named("face"))
	for path, want := range map[string]string{
		"/state": "state", "/state/": "state", "/state//": "state", "/master/state": "state", "/master/state/x/y": "state",
		"/slaves/S1": "slaves", "/api/v1/scheduler": "scheduler", "/master/api/v1/scheduler/": "scheduler",
		"/redirect": "redirect", "/redirect/": "redirect", "/redirect/x": "face",
		"/": "face", "/master": "face", "/masters/state": "face", "/modules/state": "face", "/state/../x": "face", "state": "face", "/statex": "face",
	} {
		assert.Equal(t, want, text(t, get(t, router.ServeHTTP, "http://a"+"/"+path[1:])), path)
	}
	assert.Equal(t, 405, get(t, router.ServeHTTP, "/api/v1/operator").StatusCode)
}

// answers is an HttpAuthenticator that always gives one answer.
type answers struct {
	result *httpauth.Result
	err    error
}

func (a answers) Scheme(context.Context) (string, error) { return "Basic", nil }
func (a answers) Authenticate(_ context.Context, r *httpauth.Request) (*httpauth.Result, error) {
	return a.result, a.err
}

func TestRealms(t *testing.T) {
	knows := answers{result: &httpauth.Result{Principal: &httpauth.Principal{Value: proto.String("bob")}}}
	asks := answers{result: &httpauth.Result{Unauthorized: proto.String(`Basic realm="r"`)}}
	asksToo := answers{result: &httpauth.Result{Unauthorized: proto.String(`Token realm="r"`)}}
	forbids := answers{result: &httpauth.Result{Forbidden: proto.String("not you")}}
	fails := answers{err: errors.New("broken")}
	for about, c := range map[string]struct {
		modules          []answers
		status           int
		text, challenges string
	}{
		"the first that knows wins": {[]answers{asks, fails, knows}, 200, "state bob", ""},
		"all challenges are told":   {[]answers{asks, forbids, asksToo}, 401, "401 Unauthorized.", `Basic realm="r", Token realm="r"`},
		"forbidden, if nobody asks": {[]answers{fails, forbids}, 403, "not you", ""},
		"all fail":                  {[]answers{fails}, 401, "401 Unauthorized.", "Basic"},
	} {
		t.Run(about, func(t *testing.T) {
			router := apihttp.NewRouter("/master", apihttp.Realms{apihttp.RealmReadOnly: authenticator(c.modules)}, []apihttp.Route{
				{Path: "/state", Realm: apihttp.RealmReadOnly, Handler: named("state")},
				{Path: "/health", Handler: named("health")},
				{Path: "/teardown", Realm: apihttp.RealmReadWrite, Handler: named("teardown")},
			}, http.NotFoundHandler())
			r := get(t, router.ServeHTTP, "/state")
			assert.Equal(t, c.status, r.StatusCode)
			assert.Equal(t, c.text, text(t, r))
			assert.Equal(t, c.challenges, r.Header.Get("WWW-Authenticate"))
			assert.Equal(t, "health", text(t, get(t, router.ServeHTTP, "/health")))
			assert.Equal(t, "teardown", text(t, get(t, router.ServeHTTP, "/teardown", "Authorization", "Basic !")), "nobody authenticates it")
		})
	}
}

func authenticator(all []answers) apihttp.Authenticator {
	modules := make([]httpauthenticator.HttpAuthenticator, len(all))
	for i, a := range all {
		modules[i] = a
	}
	return apihttp.Modules(slog.New(slog.DiscardHandler), modules...)
}
