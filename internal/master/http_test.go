package master

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/apihttp"
)

// locked knows nobody.
type locked struct{}

func (locked) Authenticate(*http.Request) (*apihttp.Principal, *apihttp.Refusal) {
	return nil, &apihttp.Refusal{Status: http.StatusUnauthorized, Challenges: []string{`Basic realm="mesos-master-scheduler"`}}
}

// named is a principal for everybody.
type named struct{ p apihttp.Principal }

func (n named) Authenticate(*http.Request) (*apihttp.Principal, *apihttp.Refusal) { return &n.p, nil }

// TestSchedulerAPI mirrors the cases of upstream's SchedulerHttpApiTest.
func TestSchedulerAPI(t *testing.T) {
	w := start(t, options{})
	t.Run("AuthenticationRequired", func(t *testing.T) {
		r := start(t, options{realms: apihttp.Realms{apihttp.RealmFrameworks: locked{}}}).call(schedulerPath, aFramework)
		assert.Equal(t, 401, r.status)
		assert.Equal(t, `Basic realm="mesos-master-scheduler"`, r.header.Get("WWW-Authenticate"))
	})
	t.Run("NoContentType", func(t *testing.T) {
		r := w.do(http.MethodPost, schedulerPath, aFramework)
		assert.Equal(t, 400, r.status)
		assert.Equal(t, "Expecting 'Content-Type' to be present", r.body)
	})
	t.Run("ValidJsonButInvalidProtobuf", func(t *testing.T) {
		r := w.call(schedulerPath, `{"string":"valid_json"}`)
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.body, "Failed to validate scheduler::Call: Expecting 'type' to be present")
	})
	t.Run("MalformedContent", func(t *testing.T) {
		r := w.do(http.MethodPost, schedulerPath, "MALFORMED_CONTENT", contentType, apihttp.TypeProtobuf)
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.body, "Failed to parse body into Call protobuf")
		r = w.call(schedulerPath, "MALFORMED_CONTENT")
		assert.Equal(t, 400, r.status)
		assert.Contains(t, r.body, "Failed to parse body into JSON: ")
	})
	t.Run("UnsupportedContentMediaType", func(t *testing.T) {
		assert.Equal(t, 415, w.do(http.MethodPost, schedulerPath, aFramework, contentType, "application/unknown").status)
	})
	t.Run("Subscribe", func(t *testing.T) {
		e := w.subscribe(schedulerPath, aFramework)
		assert.Equal(t, apihttp.TypeJSON, e.header.Get(contentType))
		assert.Len(t, e.header.Get(streamHeader), 36)
		first := e.next()["subscribed"].(map[string]any)
		assert.InEpsilon(t, 15.0, first["heartbeat_interval_seconds"], 0)
		assert.Regexp(t, `^M-\d{4}$`, first["framework_id"].(map[string]any)["value"])
		assert.Equal(t, "M", first["master_info"].(map[string]any)["id"])
		assert.Equal(t, "HEARTBEAT", e.next()["type"])
	})
	t.Run("RejectFrameworkWithInvalidRole", func(t *testing.T) {
		e := w.subscribe(schedulerPath, `{"type":"SUBSCRIBE","subscribe":{"framework_info":{"user":"u","name":"n","role":"/test/test1"}}}`)
		assert.Equal(t, "ERROR", e.next()["type"])
		e.over()
	})
	t.Run("SubscribeWithStreamId", func(t *testing.T) {
		r := w.call(schedulerPath, aFramework, streamHeader, "8c8809e6-88bd-46a5-8a9a-76749de571a2")
		assert.Equal(t, 400, r.status)
		assert.Equal(t, "Subscribe calls should not include the 'Mesos-Stream-Id' header", r.body)
	})
	t.Run("SubscribedOnRetry", func(t *testing.T) {
		first := w.framework(`{"user":"u","name":"n","failover_timeout":100}`)
		again := w.subscribe(schedulerPath, `{"type":"SUBSCRIBE","framework_id":{"value":"`+first.id+
			`"},"subscribe":{"framework_info":{"user":"u","name":"n","failover_timeout":100,"id":{"value":"`+first.id+`"}}}}`)
		assert.Equal(t, first.id, again.next()["subscribed"].(map[string]any)["framework_id"].(map[string]any)["value"])
		assert.NotEqual(t, first.stream, again.header.Get(streamHeader))
		failed := first.next()
		assert.Equal(t, "Framework failed over", failed["error"].(map[string]any)["message"])
		first.over()
	})
	t.Run("NotAcceptable", func(t *testing.T) {
		assert.Equal(t, 406, w.call(schedulerPath, aFramework, "Accept", "foo").status)
	})
	t.Run("NoAcceptHeader and DefaultAccept", func(t *testing.T) {
		for _, accept := range []string{"", "*/*"} {
			body := strings.Replace(aFramework, `"name"`, `"role":"/","name"`, 1) // the stream ends after an ERROR
			head := fmt.Sprintf("POST /api/v1/scheduler HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: %d\r\n", len(body))
			if accept != "" {
				head += "Accept: " + accept + "\r\n"
			}
			answer := w.raw(head + "Connection: close\r\n\r\n" + body)
			assert.True(t, strings.HasPrefix(answer, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nMesos-Stream-Id: "), answer)
			assert.Contains(t, answer, "\r\nTransfer-Encoding: chunked\r\n")
		}
	})
	t.Run("GetRequest", func(t *testing.T) {
		r := w.get(schedulerPath)
		assert.Equal(t, 405, r.status)
		assert.Equal(t, "POST", r.header.Get("Allow"))
		assert.Equal(t, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", r.body)
	})
	t.Run("TeardownWithoutStreamId", func(t *testing.T) {
		f := w.framework(`{"user":"u","name":"n"}`)
		r := w.call(schedulerPath, f.teardown())
		assert.Equal(t, 400, r.status)
		assert.Equal(t, "All non-subscribe calls should include the 'Mesos-Stream-Id' header", r.body)
	})
	t.Run("TeardownWrongStreamId", func(t *testing.T) {
		f, other := w.framework(`{"user":"u","name":"n"}`), w.framework(`{"user":"u","name":"n"}`)
		assert.Equal(t, 400, w.call(schedulerPath, f.teardown(), streamHeader, other.stream).status)
		assert.Equal(t, 202, w.call(schedulerPath, f.teardown(), streamHeader, f.stream).status)
		f.over()
	})
	t.Run("MalformedUUID", func(t *testing.T) {
		f := w.framework(`{"user":"u","name":"n"}`)
		r := w.call(schedulerPath, `{"type":"ACKNOWLEDGE","framework_id":{"value":"`+f.id+
			`"},"acknowledge":{"agent_id":{"value":"a"},"task_id":{"value":"t"},"uuid":"aGVsbG8="}}`, streamHeader, f.stream)
		assert.Equal(t, 400, r.status)
	})
	t.Run("protobuf goes both ways", func(t *testing.T) {
		b, err := proto.Marshal(&scheduler.Call{Type: scheduler.Call_SUBSCRIBE.Enum(), Subscribe: &scheduler.Call_Subscribe{
			FrameworkInfo: &mesosv1.FrameworkInfo{User: proto.String("u"), Name: proto.String("n"), Role: proto.String("//")}}})
		require.NoError(t, err)
		r := w.do(http.MethodPost, "/master"+schedulerPath+"/", string(b), contentType, apihttp.TypeProtobuf, "Accept", apihttp.TypeProtobuf)
		assert.Equal(t, apihttp.TypeProtobuf, r.header.Get(contentType))
		_, record, _ := strings.Cut(r.body, "\n")
		var e scheduler.Event
		require.NoError(t, proto.Unmarshal([]byte(record), &e))
		assert.Equal(t, scheduler.Event_ERROR, e.GetType())
	})
	t.Run("a principal without a value is refused before all else", func(t *testing.T) {
		w := start(t, options{realms: apihttp.Realms{apihttp.RealmFrameworks: named{}}})
		assert.Equal(t, 403, w.get(schedulerPath).status)
	})
}

func (f *framework) teardown() string {
	return `{"type":"TEARDOWN","framework_id":{"value":"` + f.id + `"}}`
}

func TestLeadership(t *testing.T) {
	election := &ruled{}
	w := start(t, options{idle: true, config: func(c *Config) { c.Detector = election }})
	t.Run("without a leader nobody is answered", func(t *testing.T) {
		for _, path := range []string{schedulerPath, operatorPath, "/state", "/redirect"} {
			r := w.get(path)
			assert.Equal(t, 503, r.status, path)
			assert.Equal(t, "No leader elected", r.body)
		}
		for _, path := range []string{"/health", "/version", "/flags", "/metrics/snapshot"} {
			assert.Equal(t, 200, w.get(path).status, path)
		}
	})
	t.Run("another leader is named, with the path", func(t *testing.T) {
		election.sink(&leadership.Leadership{Leader: &mesosv1.MasterInfo{Id: proto.String("other"), Hostname: proto.String("lead.example"),
			Port: proto.Uint32(5055), Ip: proto.Uint32(1)}})
		for path, want := range map[string]string{
			schedulerPath: "//lead.example:5055/api/v1/scheduler", "/master/state?jsonp=x": "//lead.example:5055/master/state?jsonp=x",
			"/redirect": "//lead.example:5055",
		} {
			r := w.get(path)
			assert.Equal(t, 307, r.status, path)
			assert.Equal(t, want, r.header.Get("Location"))
		}
	})
	t.Run("this one answers when it leads and has read its registry", func(t *testing.T) {
		election.sink(&leadership.Leadership{Leader: w.m.c.Core.Info})
		for !w.m.state.Load().recovered {
			_, err := w.m.View(t.Context())
			require.NoError(t, err)
		}
		assert.Equal(t, 405, w.get(schedulerPath).status)
		assert.Equal(t, "//master.example:"+w.port(), w.get("/master/redirect").header.Get("Location"))
		assert.Equal(t, 404, w.get("/redirect/x").status)
	})
	t.Run("one that does not lead any more ends", func(t *testing.T) {
		election.sink(&leadership.Leadership{})
		require.ErrorContains(t, <-w.failed, "lead")
	})
}

func (w *world) port() string {
	_, port, _ := strings.Cut(w.server.Listener.Addr().String(), ":")
	return port
}
