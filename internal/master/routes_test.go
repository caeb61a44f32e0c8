package master

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/internal/apihttp"
)

func TestOperatorAPI(t *testing.T) {
	w := start(t, options{})
	f := w.framework(`{"user":"u","name":"n","failover_timeout":100}`)
	t.Run("every call that reads is answered under its key", func(t *testing.T) {
		for call, payload := range map[string]string{
			"GET_HEALTH": "", "GET_FLAGS": "", "GET_VERSION": "", "GET_METRICS": `,"get_metrics":{}`, "GET_LOGGING_LEVEL": "",
			"GET_STATE": "", "GET_AGENTS": "", "GET_FRAMEWORKS": "", "GET_EXECUTORS": "", "GET_OPERATIONS": "", "GET_TASKS": "",
			"GET_ROLES": "", "GET_WEIGHTS": "", "GET_MASTER": "", "GET_QUOTA": "", "GET_MAINTENANCE_STATUS": "", "GET_MAINTENANCE_SCHEDULE": "",
		} {
			r := w.call(operatorPath, `{"type":"`+call+`"`+payload+`}`)
			assert.Equal(t, 200, r.status, "%s: %s", call, r.body)
			var answer map[string]any
			require.NoError(t, json.Unmarshal([]byte(r.body), &answer))
			assert.Equal(t, call, answer["type"])
			assert.Contains(t, answer, strings.ToLower(call))
		}
	})
	t.Run("protobuf is answered in protobuf, below the path too", func(t *testing.T) {
		b, err := proto.Marshal(&master.Call{Type: master.Call_GET_FRAMEWORKS.Enum()})
		require.NoError(t, err)
		r := w.do(http.MethodPost, "/master/api/v1/operator", string(b), contentType, apihttp.TypeProtobuf, "Accept", apihttp.TypeProtobuf)
		var answer master.Response
		require.NoError(t, proto.Unmarshal([]byte(r.body), &answer))
		assert.Equal(t, f.id, answer.GetGetFrameworks().GetFrameworks()[0].GetFrameworkInfo().GetId().GetValue())
	})
	t.Run("refusals", func(t *testing.T) {
		assert.Equal(t, 406, w.call(operatorPath, `{"type":"GET_HEALTH"}`, "Accept", "text/html").status)
		assert.Equal(t, 405, w.get(operatorPath).status)
		assert.Equal(t, 415, w.do(http.MethodPost, operatorPath, "{}", contentType, "text/xml").status)
		r := w.call(operatorPath, `{"type":"GET_METRICS"}`)
		assert.Equal(t, 400, r.status)
		assert.True(t, strings.HasPrefix(r.body, "Failed to validate master::Call: "), r.body)
		assert.Equal(t, 501, w.call(operatorPath, `{"type":"STOP_MAINTENANCE","stop_maintenance":{}}`).status)
		assert.Equal(t, 404, w.call(operatorPath, `{"type":"READ_FILE","read_file":{"path":"/master/log","offset":0}}`).status)
	})
	t.Run("the logging level is set and read", func(t *testing.T) {
		r := w.call(operatorPath, `{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":2,"duration":{"nanoseconds":60000000000}}}`)
		assert.Equal(t, reply{200, r.header, ""}, r)
		assert.JSONEq(t, `{"type":"GET_LOGGING_LEVEL","get_logging_level":{"level":2}}`, w.call(operatorPath, `{"type":"GET_LOGGING_LEVEL"}`).body)
		assert.Equal(t, "2\n", w.get("/logging/toggle").body)
		assert.Equal(t, 200, w.get("/logging/toggle?level=0&duration=1secs").status)
		assert.Equal(t, "0\n", w.get("/master/logging/toggle").body)
		assert.Equal(t, "Expecting 'duration=value' in query.\n", w.get("/logging/toggle?level=1").body)
		assert.Equal(t, "Expecting 'level=value' in query.\n", w.get("/logging/toggle?duration=1secs").body)
		assert.Equal(t, 400, w.get("/logging/toggle?level=-1&duration=1secs").status)
		assert.Equal(t, 400, w.get("/logging/toggle?level=1&duration=1s").status)
	})
	t.Run("a subscriber gets the state and then what happens", func(t *testing.T) {
		e := w.subscribe(operatorPath, `{"type":"SUBSCRIBE"}`)
		first := e.next()
		assert.Equal(t, "SUBSCRIBED", first["type"])
		subscribed := first["subscribed"].(map[string]any)
		assert.InEpsilon(t, 15.0, subscribed["heartbeat_interval_seconds"], 0)
		state := subscribed["get_state"].(map[string]any)
		assert.Len(t, state["get_frameworks"].(map[string]any)["frameworks"], 1)
		w.framework(`{"user":"u","name":"another"}`)
		assert.Equal(t, "FRAMEWORK_ADDED", e.next()["type"])
	})
}

func TestLegacy(t *testing.T) {
	w := start(t, options{paths: []string{"/quota"}, env: map[string]string{rateVariable: "1000/1secs"}})
	f := w.framework(`{"user":"u","name":"n","failover_timeout":100}`)
	t.Run("documents are there by any method, bare and below, with anything after the path", func(t *testing.T) {
		for _, path := range []string{"/state", "/slaves", "/frameworks", "/tasks", "/roles", "/state-summary", "/state.json", "/tasks.json", "/roles.json"} {
			for _, form := range []string{path, "/master" + path, path + "/", path + "/S1/more"} {
				for _, method := range []string{http.MethodGet, http.MethodPost} {
					r := w.do(method, form, "")
					assert.Equal(t, 200, r.status, "%s %s", method, form)
					assert.Equal(t, apihttp.TypeJSON, r.header.Get(contentType))
					assert.True(t, json.Valid([]byte(r.body)), "%s", r.body)
					assert.NotEmpty(t, r.header.Get("Content-Length"))
				}
			}
		}
		assert.Contains(t, w.get("/frameworks").body, f.id)
		assert.Equal(t, "[]", w.get("/weights").body)
	})
	t.Run("jsonp", func(t *testing.T) {
		r := w.get("/state?jsonp=cb")
		assert.Equal(t, apihttp.TypeJavaScript, r.header.Get(contentType))
		assert.True(t, strings.HasPrefix(r.body, "cb({") && strings.HasSuffix(r.body, "})"), r.body)
		assert.Equal(t, 400, w.get("/state?jsonp=cb()").status)
	})
	t.Run("flags, version, measures, the machine", func(t *testing.T) {
		assert.JSONEq(t, `{"flags":{"cluster":"test","port":"5050"}}`, w.get("/master/flags").body)
		var v map[string]any
		require.NoError(t, json.Unmarshal([]byte(w.get("/version").body), &v))
		assert.Equal(t, "1.12.0", v["version"])
		var m map[string]float64
		require.NoError(t, json.Unmarshal([]byte(w.get("/metrics/snapshot?timeout=5secs").body), &m))
		for name, want := range map[string]float64{"master/elected": 1, "master/frameworks_active": 1, "master/messages_register_framework": 1,
			"registrar/queued_operations": 0, "master/event_queue_messages": 0, "allocator/mesos/event_queue_dispatches": 0} {
			got, there := m[name]
			assert.True(t, there, name)
			assert.InDelta(t, want, got, 0, name)
		}
		assert.Positive(t, m["system/cpus_total"])
		assert.Equal(t, 400, w.get("/metrics/snapshot?timeout=5").status)
		require.NoError(t, json.Unmarshal([]byte(w.get("/system/stats.json").body), &m))
		assert.Contains(t, m, "avg_load_1min")
	})
	t.Run("weights are put", func(t *testing.T) {
		r := w.do(http.MethodPut, "/weights", `[{"role":"a","weight":2.5}]`)
		assert.Equal(t, 200, r.status, r.body)
		assert.JSONEq(t, `[{"role":"a","weight":2.5}]`, w.get("/weights").body)
		assert.Equal(t, 400, w.do(http.MethodPut, "/weights", `[{"role":"a","weight":0}]`).status)
		assert.Equal(t, 400, w.do(http.MethodPut, "/weights", `{`).status)
		assert.Equal(t, 405, w.do(http.MethodPost, "/weights", `[]`).status)
		assert.True(t, w.alloc.await(t.Context(), func(calls []string) bool { return slices.Contains(calls, "UpdateWeights") }))
	})
	t.Run("there is no maintenance, and what is not done is refused", func(t *testing.T) {
		assert.Equal(t, "{}", w.get("/maintenance/schedule").body)
		assert.Equal(t, "cb({})", w.get("/maintenance/status?jsonp=cb").body)
		for _, path := range []string{"/maintenance/schedule", "/machine/down", "/machine/up", "/reserve", "/unreserve", "/create-volumes", "/destroy-volumes"} {
			r := w.do(http.MethodPost, path, "")
			assert.Equal(t, 501, r.status, path)
			assert.Equal(t, "501 Not Implemented.", r.body)
		}
	})
	t.Run("disabled paths are forbidden", func(t *testing.T) {
		assert.Equal(t, 403, w.get("/quota").status)
	})
	t.Run("teardown", func(t *testing.T) {
		assert.Equal(t, 405, w.get("/teardown").status)
		r := w.do(http.MethodPost, "/master/teardown", "")
		assert.Equal(t, reply{400, r.header, "Missing 'frameworkId' query parameter in the request body"}, r)
		assert.Equal(t, 400, w.do(http.MethodPost, "/teardown", "frameworkId=other").status)
		assert.Equal(t, 200, w.do(http.MethodPost, "/teardown", "frameworkId="+f.id).status)
		f.over()
	})
	t.Run("what is not the master's goes on", func(t *testing.T) {
		assert.Equal(t, "face\n", w.get("/modules").body)
		assert.Equal(t, "face\n", w.get("/state/../x").body)
	})
	t.Run("messages are taken whatever their path, and only for who is there", func(t *testing.T) {
		const from = "slave(1)@127.0.0.1:1"
		assert.Equal(t, 404, w.do(http.MethodPost, "/nobody/mesos.internal.PongSlaveMessage", "", "Libprocess-From", from).status)
		assert.Equal(t, 202, w.do(http.MethodPost, "/master/mesos.internal.PongSlaveMessage", "", "Libprocess-From", from).status)
		assert.Equal(t, 202, w.do(http.MethodPost, "/master/mesos.scheduler.Call", "", "User-Agent", "libprocess/"+from).status)
		assert.Equal(t, 400, w.do(http.MethodPost, "/api/v1/scheduler", aFramework, "Libprocess-From", "nonsense").status)
	})
}

func TestStreams(t *testing.T) {
	t.Run("a scheduler that dies is disconnected, and removed when its time is over", func(t *testing.T) {
		w := start(t, options{})
		f := w.framework(`{"user":"u","name":"n"}`)
		f.close()
		assert.True(t, w.alloc.await(t.Context(), func(calls []string) bool { return slices.Contains(calls, "RemoveFramework") }))
	})
	t.Run("the end of the master is not the end of its frameworks", func(t *testing.T) {
		w := start(t, options{})
		f := w.framework(`{"user":"u","name":"n"}`)
		w.stop()
		f.over()
		v, err := w.m.View(t.Context())
		require.NoError(t, err)
		assert.True(t, v.Frameworks[0].Connected)
	})
	t.Run("calls at once are all answered", func(t *testing.T) {
		w := start(t, options{})
		f := w.framework(`{"user":"u","name":"n"}`)
		const n = 200
		answered := make(chan int, n)
		for range n {
			go func() {
				answered <- w.call(schedulerPath, `{"type":"REVIVE","framework_id":{"value":"`+f.id+`"}}`, streamHeader, f.stream).status
			}()
		}
		for range n {
			assert.Equal(t, 202, <-answered)
		}
	})
}
