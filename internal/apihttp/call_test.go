package apihttp_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/master"
	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/apihttp"
	"github.com/mesos-modules/mms/internal/recordio"
)

// echo answers a call with itself, in the form it came in.
func echo(w http.ResponseWriter, r *http.Request) {
	if refusal := apihttp.Methods(r, http.MethodPost); refusal != nil {
		refusal.Write(w, r)
		return
	}
	var call scheduler.Call
	media, refusal := apihttp.ReadCall(w, r, &call)
	if refusal != nil {
		refusal.Write(w, r)
		return
	}
	apihttp.Message(w, r, media, &call)
}

func TestReadCall(t *testing.T) {
	const form = "Content-Type"
	t.Run("both forms are read", func(t *testing.T) {
		r := post(t, echo, `{"type": "TEARDOWN", "unknown": [1], "framework_id": {"value": "f"}, "kill": null}`, form, apihttp.TypeJSON)
		assert.Equal(t, 200, r.StatusCode)
		assert.JSONEq(t, `{"framework_id":{"value":"f"},"type":"TEARDOWN"}`, text(t, r))
		b, err := proto.Marshal(&scheduler.Call{Type: scheduler.Call_TEARDOWN.Enum()})
		require.NoError(t, err)
		r = post(t, echo, string(b), form, apihttp.TypeProtobuf)
		assert.Equal(t, 200, r.StatusCode)
		assert.Equal(t, apihttp.TypeProtobuf, r.Header.Get(form))
		assert.Equal(t, string(b), text(t, r))
	})
	for _, c := range []struct {
		about, form, body string
		status            int
		want              string
	}{
		{"no type", "", "{}", 400, "Expecting 'Content-Type' to be present"},
		{"another type", "text/xml", "{}", 415, "Expecting 'Content-Type' of application/json or application/x-protobuf"},
		{"a type with parameters", "application/json; charset=utf-8", "{}", 415, "Expecting 'Content-Type' of "},
		{"no JSON", apihttp.TypeJSON, "{", 400, "Failed to parse body into JSON: "},
		{"JSON that is no message", apihttp.TypeJSON, `{"framework_id": 3}`, 400, "Failed to convert JSON into Call protobuf: "},
		{"a bomb", apihttp.TypeJSON, strings.Repeat("[", 1<<20), 400, "Failed to parse body into JSON: "},
		{"no protobuf", apihttp.TypeProtobuf, "malformed", 400, "Failed to parse body into Call protobuf"},
	} {
		t.Run(c.about, func(t *testing.T) {
			r := post(t, echo, c.body, form, c.form)
			assert.Equal(t, c.status, r.StatusCode)
			assert.Equal(t, apihttp.TypeText, r.Header.Get(form))
			assert.True(t, strings.HasPrefix(text(t, r), c.want))
		})
	}
	t.Run("another method is refused as Mesos does", func(t *testing.T) {
		r := get(t, echo, "/")
		assert.Equal(t, 405, r.StatusCode)
		assert.Equal(t, "POST", r.Header.Get("Allow"))
		assert.Equal(t, "405 Method Not Allowed. Expecting one of { 'POST' }, but received 'GET'.", text(t, r))
	})
	t.Run("a body that is too long is refused, with or without a length", func(t *testing.T) {
		for _, length := range []int64{apihttp.MaxCall + 1, -1} {
			r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, apihttp.MaxCall+1))
			r.ContentLength = length
			assert.Equal(t, 413, ask(t, echo, r, form, apihttp.TypeJSON).StatusCode)
		}
	})
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

func TestFormOf(t *testing.T) {
	for _, c := range []struct {
		about   string
		headers http.Header
		want    apihttp.Form
		status  int
	}{
		{"plain", http.Header{"Content-Type": {apihttp.TypeProtobuf}}, apihttp.Form{Content: apihttp.Protobuf}, 0},
		{"streaming request", http.Header{"Content-Type": {apihttp.TypeRecordIO}, "Message-Content-Type": {apihttp.TypeProtobuf}},
			apihttp.Form{Streaming: true, Content: apihttp.Protobuf}, 0},
		{"streaming answer", http.Header{"Content-Type": {apihttp.TypeJSON}, "Accept": {apihttp.TypeRecordIO}, "Message-Accept": {apihttp.TypeProtobuf}},
			apihttp.Form{StreamingAnswer: true, Answer: apihttp.Protobuf}, 0},
		{"streaming answer, JSON if nothing is said", http.Header{"Content-Type": {apihttp.TypeJSON}, "Accept": {apihttp.TypeRecordIO}},
			apihttp.Form{StreamingAnswer: true}, 0},
		{"no type", http.Header{}, apihttp.Form{}, 400},
		{"other type", http.Header{"Content-Type": {"a/b"}}, apihttp.Form{}, 415},
		{"streaming without the messages' type", http.Header{"Content-Type": {apihttp.TypeRecordIO}}, apihttp.Form{}, 400},
		{"streaming of an unknown type", http.Header{"Content-Type": {apihttp.TypeRecordIO}, "Message-Content-Type": {"a/b"}}, apihttp.Form{}, 415},
		{"the messages' type without streaming", http.Header{"Content-Type": {apihttp.TypeJSON}, "Message-Content-Type": {apihttp.TypeJSON}}, apihttp.Form{}, 415},
		{"the messages' accept without streaming", http.Header{"Content-Type": {apihttp.TypeJSON}, "Message-Accept": {apihttp.TypeJSON}}, apihttp.Form{}, 406},
		{"an accept of others", http.Header{"Content-Type": {apihttp.TypeJSON}, "Accept": {"a/b"}}, apihttp.Form{}, 406},
		{"messages of others", http.Header{"Content-Type": {apihttp.TypeJSON}, "Accept": {apihttp.TypeRecordIO}, "Message-Accept": {"a/b"}}, apihttp.Form{}, 406},
	} {
		t.Run(c.about, func(t *testing.T) {
			form, refusal := apihttp.FormOf(&http.Request{Header: c.headers})
			if c.status != 0 {
				require.NotNil(t, refusal)
				assert.Equal(t, c.status, refusal.Status)
				return
			}
			require.Nil(t, refusal)
			assert.Equal(t, c.want, form)
		})
	}
}

func TestReadCalls(t *testing.T) {
	read := func(body []byte) (types []string, end error) {
		calls := apihttp.ReadCalls(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(body)), apihttp.JSON)
		for {
			var call master.Call
			if end = calls.Next(&call); end != nil {
				return types, end
			}
			types = append(types, call.GetType().String())
		}
	}
	body := recordio.Append(recordio.Append(nil, []byte(`{"type":"GET_HEALTH"}`)), []byte(`{"type":"GET_FLAGS"}`))
	t.Run("one call after another, to the end", func(t *testing.T) {
		types, end := read(body)
		assert.Equal(t, []string{"GET_HEALTH", "GET_FLAGS"}, types)
		assert.Equal(t, io.EOF, end)
	})
	t.Run("a stream that is cut is refused", func(t *testing.T) {
		_, end := read(body[:len(body)-1])
		assert.Equal(t, 400, end.(*apihttp.Refusal).Status)
	})
	t.Run("a record that is no call is refused", func(t *testing.T) {
		_, end := read(recordio.Append(nil, []byte("{")))
		assert.Equal(t, 400, end.(*apihttp.Refusal).Status)
	})
}
