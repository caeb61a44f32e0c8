package slave

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// post sends a call and returns status and body.
func (a *agent) post(t testing.TB, path, contentType, accept, body string, headers ...string) (int, string) {
	t.Helper()
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, a.server.URL+path, strings.NewReader(body))
	require.NoError(t, err)
	if contentType != "" {
		q.Header.Set("Content-Type", contentType)
	}
	if accept != "" {
		q.Header.Set("Accept", accept)
	}
	for i := 0; i < len(headers); i += 2 {
		q.Header.Set(headers[i], headers[i+1])
	}
	r, err := http.DefaultTransport.RoundTrip(q)
	require.NoError(t, err)
	defer r.Body.Close()
	text, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return r.StatusCode, string(text)
}

const ids = `"executor_id":{"value":"E"},"framework_id":{"value":"F"}`

func TestRefusals(t *testing.T) {
	t.Cleanup(http.DefaultTransport.(*http.Transport).CloseIdleConnections)
	m, f := newMaster(t), newFolders(t)
	a := f.start(t, m, nil)
	m.admit()
	const json = "application/json"
	status := func(more string) string {
		return `{` + ids + `,"type":"UPDATE","update":{"status":{"task_id":{"value":"T"},"state":"TASK_RUNNING"` + more + `}}}`
	}
	for _, c := range []struct {
		name, contentType, accept, body string
		status                          int
		text                            string
	}{
		{"no content type", "", "", "{}", 400, "Expecting 'Content-Type' to be present"},
		{"another content type", "text/plain", "", "{}", 415, ""},
		{"no JSON", json, "", "{", 400, "Failed to parse body into JSON"},
		{"no call", json, "", "{}", 400, "Failed to convert JSON into Call protobuf"},
		{"no protobuf", "application/x-protobuf", "", "\xff", 400, "Failed to parse body into Call protobuf"},
		{"no type", json, "", `{` + ids + `}`, 400, "Failed to validate Executor::Call: Expecting 'type' to be present"},
		{"no subscribe", json, "", `{` + ids + `,"type":"SUBSCRIBE"}`, 400, "Failed to validate Executor::Call: Expecting 'subscribe' to be present"},
		{"a type that cannot be answered", json, "text/html", `{` + ids + `,"type":"SUBSCRIBE","subscribe":{}}`, 406, ""},
		{"a status without uuid", json, "", status(`,"source":"SOURCE_EXECUTOR"`), 400, "Failed to validate Executor::Call: Expecting 'uuid' to be present"},
		{"a short uuid", json, "", status(`,"source":"SOURCE_EXECUTOR","uuid":"YQ=="`), 400, "Expecting 'uuid' to have 16 bytes"},
		{"a status without source", json, "", status(`,"uuid":"YWJjZGVmZ2hpamtsbW5vcA=="`), 400, "invalid source"},
		{"a status of another executor", json, "", status(`,"executor_id":{"value":"X"},"source":"SOURCE_EXECUTOR","uuid":"YWJjZGVmZ2hpamtsbW5vcA=="`), 400, "does not match"},
		{"staging", json, "", `{` + ids + `,"type":"UPDATE","update":{"status":{"task_id":{"value":"T"},"state":"TASK_STAGING","source":"SOURCE_EXECUTOR","uuid":"YWJjZGVmZ2hpamtsbW5vcA=="}}}`, 400, "TASK_STAGING"},
		{"a message without data", json, "", `{` + ids + `,"type":"MESSAGE"}`, 400, "Expecting 'message' to be present"},
		{"an unknown framework", json, "", `{` + ids + `,"type":"SUBSCRIBE","subscribe":{}}`, 400, "Framework cannot be found"},
		{"a heartbeat of anybody", json, "", `{` + ids + `,"type":"HEARTBEAT"}`, 202, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			for _, path := range []string{"/api/v1/executor", "/slave(1)/api/v1/executor"} {
				code, text := a.post(t, path, c.contentType, c.accept, c.body)
				assert.Equal(t, c.status, code, text)
				assert.Contains(t, text, c.text)
			}
		})
	}
	t.Run("another method", func(t *testing.T) {
		q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, a.server.URL+"/api/v1/executor", nil)
		require.NoError(t, err)
		r, err := http.DefaultTransport.RoundTrip(q)
		require.NoError(t, err)
		defer r.Body.Close()
		assert.Equal(t, http.StatusMethodNotAllowed, r.StatusCode)
	})
}
