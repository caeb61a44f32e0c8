package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/slave/operator"
)

// rules is an authorizer that allows what a function says, and remembers the questions.
type rules struct {
	allow func(*authorization.Request) bool
	err   error

	mu    sync.Mutex
	asked []*authorization.Request
	calls int
}

// Authorize implements the role.
func (a *rules) Authorize(_ context.Context, requests []*authorization.Request) ([]bool, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.calls++
	a.asked = append(a.asked, requests...)
	if a.err != nil {
		return nil, a.err
	}
	allowed := make([]bool, len(requests))
	for i, r := range requests {
		allowed[i] = a.allow(r)
	}
	return allowed, nil
}

// guarded serves a busy agent behind rules.
func guarded(t *testing.T, r *rules) *station {
	return serve(t, busy(t), known, apihttp.Realms{apihttp.RealmReadOnly: somebody{}, apihttp.RealmReadWrite: somebody{}},
		func(c *operator.Config) { c.Authorizer = r })
}

// somebody lets those in who give a name, as him.
type somebody struct{}

func (somebody) Authenticate(r *http.Request) (*apihttp.Principal, *apihttp.Refusal) {
	if name, _, ok := r.BasicAuth(); ok {
		return &apihttp.Principal{Value: &name}, nil
	}
	return nil, &apihttp.Refusal{Status: http.StatusUnauthorized, Challenges: []string{`Basic realm="x"`}}
}

func (s *station) as(name string) *station {
	named := *s
	named.url = strings.Replace(s.url, "http://", "http://"+name+":x@", 1)
	return &named
}

func TestWhatOneMaySee(t *testing.T) {
	actions := map[authorization.Action]bool{
		authorization.Action_VIEW_FRAMEWORK: true, authorization.Action_VIEW_EXECUTOR: true, authorization.Action_VIEW_TASK: true, authorization.Action_VIEW_CONTAINER: true,
	}
	alone := func(r *authorization.Request) bool { // framework F1, without task t3 and executor E0
		return actions[r.GetAction()] && r.GetSubject().GetValue() == "ann" && r.GetObject().GetFrameworkInfo().GetId().GetValue() == "F1" &&
			r.GetObject().GetTask().GetTaskId().GetValue() != "t3" && r.GetObject().GetExecutorInfo().GetExecutorId().GetValue() != "E0"
	}
	r := &rules{allow: alone}
	s := guarded(t, r)

	t.Run("is in /state, and nothing else", func(t *testing.T) {
		_, _, body := s.as("ann").get("/state")
		golden(t, "state-seen", []byte(sha.ReplaceAllString(body, "")))
		assert.NotContains(t, body, `"flags"`)
		_, _, body = s.as("bob").get("/state")
		assert.Contains(t, body, `"frameworks":[],"completed_frameworks":[]`)
	})

	t.Run("is in GET_STATE, and nothing else", func(t *testing.T) {
		_, _, body := s.as("ann").post(`{"type":"GET_STATE"}`)
		golden(t, "get_state-seen", []byte(body))
	})

	t.Run("is among the containers, and nothing else", func(t *testing.T) {
		_, _, body := s.as("ann").get("/containers")
		var all []map[string]any
		require.NoError(t, json.Unmarshal([]byte(body), &all))
		require.Len(t, all, 1)
		assert.Equal(t, "C1", all[0]["container_id"])
		_, _, body = s.as("ann").post(`{"type":"GET_CONTAINERS","get_containers":{"show_nested":true}}`)
		assert.Contains(t, body, `"C3"`)
		assert.NotContains(t, body, `"C2"`)
	})

	t.Run("is asked for all at once", func(t *testing.T) {
		r.calls = 0
		_, _, _ = s.as("ann").post(`{"type":"GET_TASKS"}`)
		assert.Equal(t, 1, r.calls)
	})

	t.Run("is told to be unknown when nobody can say", func(t *testing.T) {
		r.err = errors.New("the lists are lost")
		status, _, text := s.as("ann").get("/containers")
		assert.Equal(t, http.StatusInternalServerError, status)
		assert.Equal(t, "ask the authorizer: the lists are lost", text)
		status, _, _ = s.as("ann").get("/state")
		assert.Equal(t, http.StatusInternalServerError, status)
	})
}

func TestWhatOneMayDo(t *testing.T) {
	const container = `"container_id":{"value":"x","parent":{"value":"C1"}}`
	for _, c := range []struct {
		path, call string
		action     authorization.Action
	}{
		{"/flags", "", authorization.Action_VIEW_FLAGS},
		{"/monitor/statistics", "", authorization.Action_GET_ENDPOINT_WITH_PATH},
		{"/containerizer/debug", "", authorization.Action_GET_ENDPOINT_WITH_PATH},
		{"/metrics/snapshot", "", authorization.Action_GET_ENDPOINT_WITH_PATH},
		{"/logging/toggle", "", authorization.Action_GET_ENDPOINT_WITH_PATH},
		{"", `{"type":"GET_FLAGS"}`, authorization.Action_VIEW_FLAGS},
		{"", `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":1,"duration":{"nanoseconds":1}}}`, authorization.Action_SET_LOG_LEVEL},
		{"", `{"type":"PRUNE_IMAGES"}`, authorization.Action_PRUNE_IMAGES},
		{"", `{"type":"LAUNCH_CONTAINER","launch_container":{` + container + `,"command":{"value":"x","user":"u"}}}`, authorization.Action_LAUNCH_NESTED_CONTAINER},
		{"", `{"type":"LAUNCH_NESTED_CONTAINER","launch_nested_container":{` + container + `,"command":{"value":"x"}}}`, authorization.Action_LAUNCH_NESTED_CONTAINER},
		{"", `{"type":"WAIT_CONTAINER","wait_container":{` + container + `}}`, authorization.Action_WAIT_NESTED_CONTAINER},
		{"", `{"type":"WAIT_NESTED_CONTAINER","wait_nested_container":{` + container + `}}`, authorization.Action_WAIT_NESTED_CONTAINER},
		{"", `{"type":"KILL_CONTAINER","kill_container":{` + container + `}}`, authorization.Action_KILL_NESTED_CONTAINER},
		{"", `{"type":"KILL_NESTED_CONTAINER","kill_nested_container":{` + container + `}}`, authorization.Action_KILL_NESTED_CONTAINER},
		{"", `{"type":"REMOVE_CONTAINER","remove_container":{` + container + `}}`, authorization.Action_REMOVE_NESTED_CONTAINER},
		{"", `{"type":"REMOVE_NESTED_CONTAINER","remove_nested_container":{` + container + `}}`, authorization.Action_REMOVE_NESTED_CONTAINER},
		{"", `{"type":"LAUNCH_NESTED_CONTAINER_SESSION","launch_nested_container_session":{` + container + `,"command":{"value":"x"}}}`, authorization.Action_LAUNCH_NESTED_CONTAINER_SESSION},
		{"", `{"type":"ATTACH_CONTAINER_OUTPUT","attach_container_output":{` + container + `}}`, authorization.Action_ATTACH_CONTAINER_OUTPUT},
	} {
		t.Run(c.path+c.call, func(t *testing.T) {
			r := &rules{allow: func(*authorization.Request) bool { return false }}
			s := guarded(t, r)
			ask := func(s *station) (int, string, string) {
				if c.path != "" {
					return s.get(c.path)
				}
				return s.post(c.call)
			}
			status, _, _ := ask(s)
			assert.Equal(t, http.StatusUnauthorized, status)
			assert.Empty(t, r.asked)

			status, _, text := ask(s.as("ann"))
			assert.Equal(t, http.StatusForbidden, status)
			assert.Equal(t, "403 Forbidden.", text)
			require.NotEmpty(t, r.asked)
			asked := r.asked[0]
			assert.Equal(t, c.action, asked.GetAction())
			assert.Equal(t, "ann", asked.GetSubject().GetValue())
			switch {
			case c.path == "/flags":
			case c.path != "":
				assert.Equal(t, c.path, asked.GetObject().GetValue())
			case strings.Contains(c.call, "container_id"):
				assert.Equal(t, "x", asked.GetObject().GetContainerId().GetValue())
				assert.Equal(t, "E1", asked.GetObject().GetExecutorInfo().GetExecutorId().GetValue())
				assert.Equal(t, "F1", asked.GetObject().GetFrameworkInfo().GetId().GetValue())
			}
			if strings.Contains(c.call, `"user":"u"`) {
				assert.Equal(t, "u", asked.GetObject().GetCommandInfo().GetUser())
			}
		})
	}
}

func TestWhoIsNotAsked(t *testing.T) {
	s := guarded(t, &rules{allow: func(*authorization.Request) bool { return true }})
	for _, path := range []string{"/health", "/version"} {
		status, _, _ := s.get(path)
		assert.Equal(t, http.StatusOK, status, path)
	}
	for _, path := range []string{"/state", "/flags", "/containers", "/monitor/statistics", "/containerizer/debug", "/metrics/snapshot", "/system/stats.json", "/files/debug"} {
		status, _, _ := s.get(path)
		assert.Equal(t, http.StatusUnauthorized, status, path)
	}
}

// executor lets everybody in, as the executor of a container.
type executor string

func (e executor) Authenticate(*http.Request) (*apihttp.Principal, *apihttp.Refusal) {
	return &apihttp.Principal{Claims: &mesosv1.Labels{Labels: []*mesosv1.Label{{Key: proto.String("cid"), Value: proto.String(string(e))}}}}, nil
}

func TestAnExecutorMayDoEverythingInItsOwnContainer(t *testing.T) {
	r := &rules{allow: func(*authorization.Request) bool { return false }}
	for name, c := range map[string]struct {
		executor  executor
		container string
		status    int
	}{
		"in its own":      {"C1", `{"value":"x","parent":{"value":"C1"}}`, http.StatusNotFound},
		"further down":    {"C1", `{"value":"y","parent":{"value":"x","parent":{"value":"C1"}}}`, http.StatusNotFound},
		"to its own":      {"C1", `{"value":"C1"}`, http.StatusForbidden},
		"in another":      {"C2", `{"value":"x","parent":{"value":"C1"}}`, http.StatusForbidden},
		"in one like it":  {"x", `{"value":"x","parent":{"value":"C1"}}`, http.StatusForbidden},
		"in one below it": {"x", `{"value":"y","parent":{"value":"x","parent":{"value":"C1"}}}`, http.StatusForbidden},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, busy(t), known, apihttp.Realms{apihttp.RealmReadWrite: c.executor}, func(c *operator.Config) { c.Authorizer = r })
			status, _, _ := s.post(`{"type":"WAIT_CONTAINER","wait_container":{"container_id":` + c.container + `}}`)
			assert.Equal(t, c.status, status)
		})
	}
	assert.Empty(t, r.asked, "nobody else is asked")
}
