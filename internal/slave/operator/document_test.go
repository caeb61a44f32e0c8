package operator_test

import (
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
	"github.com/mesos-modules/mms/internal/apihttp"
)

// get fetches a document.
func (s *station) get(path string) (status int, contentType, body string) {
	response, err := http.Get(s.url + path)
	require.NoError(s.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, response.Header.Get("Content-Type"), string(text)
}

// post sends a call in JSON.
func (s *station) post(body string, headers ...string) (status int, contentType, text string) {
	request, err := http.NewRequest(http.MethodPost, s.url+"/api/v1", strings.NewReader(body))
	require.NoError(s.t, err)
	request.Header.Set("Content-Type", apihttp.TypeJSON)
	for i := 0; i < len(headers); i += 2 {
		request.Header.Del(headers[i])
		if headers[i+1] != "" {
			request.Header.Set(headers[i], headers[i+1])
		}
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	all, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, response.Header.Get("Content-Type"), string(all)
}

// sha is what a build from a repository has, and a test's has not.
var sha = regexp.MustCompile(`"git_sha":"[0-9a-f]*",`)

var documents = []struct{ name, path string }{
	{"state", "/state"}, {"containers", "/containers"}, {"containers-of-one", "/containers?container_id=C1"},
	{"containers-of-framework", "/containers?framework_id=F2"}, {"containers-of-executor", "/containers?framework_id=F1&executor_id=E1"},
	{"statistics", "/monitor/statistics"}, {"debug", "/containerizer/debug"}, {"flags", "/flags"}, {"version", "/version"}, {"snapshot", "/metrics/snapshot"},
}

func TestDocuments(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	none := serve(t, empty(), measured{}, nil, nil)
	for older, path := range map[string]string{"/state.json": "/state", "/monitor/statistics.json": "/monitor/statistics"} {
		_, _, want := s.get(path)
		status, _, body := s.get(older)
		assert.Equal(t, http.StatusOK, status, older)
		assert.Equal(t, want, body, older)
	}
	for _, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			status, contentType, body := s.get(d.path)
			assert.Equal(t, http.StatusOK, status)
			assert.Equal(t, apihttp.TypeJSON, contentType)
			body = sha.ReplaceAllString(body, "")
			golden(t, d.name, []byte(body))

			for _, other := range []string{"/slave(1)" + d.path, d.path} {
				status, _, again := s.get(other)
				assert.Equal(t, http.StatusOK, status, other)
				assert.Equal(t, body, sha.ReplaceAllString(again, ""), other)
			}
			separator := "?"
			if strings.Contains(d.path, "?") {
				separator = "&"
			}
			_, contentType, wrapped := s.get(d.path + separator + "jsonp=cb")
			assert.Equal(t, apihttp.TypeJavaScript, contentType)
			assert.Equal(t, "cb("+body+")", sha.ReplaceAllString(wrapped, ""))
		})
		t.Run(d.name+" of an agent that knows nothing", func(t *testing.T) {
			_, _, body := none.get(d.path)
			if strings.HasPrefix(body, "[") {
				assert.Equal(t, "[]", body)
			} else if d.name == "state" {
				golden(t, d.name+"-empty", []byte(sha.ReplaceAllString(body, "")))
			}
		})
	}
}

func TestAnswersOfTheOperatorAPI(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	none := serve(t, empty(), measured{}, nil, nil)
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "stdout"), []byte("hello"), 0o600))
	s.files.Attach("/box", folder, nil)
	s.verbosity.level = 2
	for _, kind := range []agent.Call_Type{
		agent.Call_GET_HEALTH, agent.Call_GET_FLAGS, agent.Call_GET_VERSION, agent.Call_GET_METRICS, agent.Call_GET_LOGGING_LEVEL, agent.Call_GET_STATE,
		agent.Call_GET_CONTAINERS, agent.Call_GET_FRAMEWORKS, agent.Call_GET_EXECUTORS, agent.Call_GET_TASKS, agent.Call_GET_AGENT,
		agent.Call_GET_OPERATIONS, agent.Call_GET_RESOURCE_PROVIDERS, agent.Call_READ_FILE,
	} {
		t.Run(kind.String(), func(t *testing.T) {
			call := `{"type":"` + kind.String() + `","get_metrics":{"timeout":{"nanoseconds":1000000000}},"get_containers":{"show_nested":true,"show_standalone":true},
				"read_file":{"path":"/box/stdout","offset":1}}`
			status, contentType, body := s.post(call)
			require.Equal(t, http.StatusOK, status, body)
			assert.Equal(t, apihttp.TypeJSON, contentType)
			body = sha.ReplaceAllString(body, "")
			golden(t, strings.ToLower(kind.String()), []byte(body))
			assert.Contains(t, body, `"`+strings.ToLower(kind.String())+`":{`, "the key of the type is there")

			status, contentType, form := s.post(call, "Accept", apihttp.TypeProtobuf)
			require.Equal(t, http.StatusOK, status)
			assert.Equal(t, apihttp.TypeProtobuf, contentType)
			answer := &agent.Response{}
			require.NoError(t, proto.Unmarshal([]byte(form), answer))
			assert.Equal(t, kind.String(), answer.GetType().String())
		})
		t.Run(kind.String()+" of an agent that knows nothing", func(t *testing.T) {
			if kind == agent.Call_READ_FILE {
				status, _, _ := none.post(`{"type":"READ_FILE","read_file":{"path":"/box/stdout","offset":0}}`)
				assert.Equal(t, http.StatusNotFound, status)
				return
			}
			status, _, body := none.post(`{"type":"` + kind.String() + `","get_metrics":{}}`)
			assert.Equal(t, http.StatusOK, status)
			assert.Contains(t, body, `"`+strings.ToLower(kind.String())+`":{`)
		})
	}

	t.Run("LIST_FILES", func(t *testing.T) {
		status, _, body := s.post(`{"type":"LIST_FILES","list_files":{"path":"/box"}}`)
		assert.Equal(t, http.StatusOK, status)
		assert.Contains(t, body, `{"type":"LIST_FILES","list_files":{"file_infos":[{"path":"/box/stdout","nlink":1,"size":5,`)
	})
	t.Run("SET_LOGGING_LEVEL", func(t *testing.T) {
		status, _, body := s.post(`{"type":"SET_LOGGING_LEVEL","set_logging_level":{"level":3,"duration":{"nanoseconds":60000000000}}}`)
		assert.Equal(t, http.StatusOK, status)
		assert.Empty(t, body)
		assert.Equal(t, uint32(3), s.verbosity.level)
		assert.Equal(t, time.Minute, s.verbosity.lasts)
	})
	t.Run("PRUNE_IMAGES", func(t *testing.T) {
		status, _, body := s.post(`{"type":"PRUNE_IMAGES"}`)
		assert.Equal(t, http.StatusOK, status)
		assert.Empty(t, body)
	})
}

func TestWhatTheOperatorAPIRefuses(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	const state = `{"type":"GET_STATE"}`
	for name, c := range map[string]struct {
		body    string
		headers []string
		status  int
		text    string
	}{
		"no content type":          {state, []string{"Content-Type", ""}, 400, "Expecting 'Content-Type' to be present"},
		"an unknown content type":  {state, []string{"Content-Type", "text/plain"}, 415, "Expecting 'Content-Type' of application/json or application/x-protobuf or application/recordio"},
		"no JSON":                  {"{", nil, 400, "Failed to parse body into JSON: "},
		"JSON of something else":   {`{"type":[]}`, nil, 400, "Failed to "},
		"no protobuf":              {"{", []string{"Content-Type", apihttp.TypeProtobuf}, 400, "Failed to parse body into Call protobuf"},
		"no type":                  {"{}", nil, 400, "Failed to validate agent::Call: Expecting 'type' to be present"},
		"no payload":               {`{"type":"READ_FILE"}`, nil, 400, "Failed to validate agent::Call: Expecting 'read_file' to be present"},
		"a type of nothing":        {`{"type":"UNKNOWN"}`, nil, 501, "501 Not Implemented."},
		"an answer in nothing":     {state, []string{"Accept", "text/html"}, 406, "Expecting 'Accept' to allow application/json or application/x-protobuf or application/recordio"},
		"a streaming answer":       {state, []string{"Accept", apihttp.TypeRecordIO}, 406, "Streaming 'Accept' application/recordio is not supported for GET_STATE calls"},
		"a streaming request":      {"20\n" + state, []string{"Content-Type", apihttp.TypeRecordIO, "Message-Content-Type", apihttp.TypeJSON}, 415, "Streaming 'Content-Type' application/recordio is not supported for GET_STATE calls"},
		"an empty stream":          {"", []string{"Content-Type", apihttp.TypeRecordIO, "Message-Content-Type", apihttp.TypeJSON}, 400, "Received EOF while reading the first record of the request"},
		"a stream of nothing":      {"20\n" + state, []string{"Content-Type", apihttp.TypeRecordIO}, 400, "Expecting 'Message-Content-Type' to be present for streaming requests"},
		"a stream of unknown form": {"20\n" + state, []string{"Content-Type", apihttp.TypeRecordIO, "Message-Content-Type", "text/html"}, 415, "Expecting 'Message-Content-Type' of application/json or application/x-protobuf"},
		"messages without stream":  {state, []string{"Message-Content-Type", apihttp.TypeJSON}, 415, "Expecting 'Message-Content-Type' to be not present for non-streaming requests"},
		"input without stream": {`{"type":"ATTACH_CONTAINER_INPUT","attach_container_input":{"type":"CONTAINER_ID","container_id":{"value":"C1"}}}`, nil, 415,
			"Expecting 'Content-Type' of application/recordio for ATTACH_CONTAINER_INPUT calls"},
		"resource providers": {`{"type":"MARK_RESOURCE_PROVIDER_GONE","mark_resource_provider_gone":{"resource_provider_id":{"value":"x"}}}`, nil, 501, "This agent has no resource providers"},
		"a file outside":     {`{"type":"READ_FILE","read_file":{"path":"/etc/passwd","offset":0}}`, nil, 404, ""},
	} {
		t.Run(name, func(t *testing.T) {
			status, _, text := s.post(c.body, c.headers...)
			assert.Equal(t, c.status, status)
			assert.True(t, strings.HasPrefix(text, c.text), text)
		})
	}

	t.Run("other methods than POST", func(t *testing.T) {
		response, err := http.Get(s.url + "/api/v1")
		require.NoError(t, err)
		defer response.Body.Close()
		assert.Equal(t, http.StatusMethodNotAllowed, response.StatusCode)
		assert.Equal(t, "POST", response.Header.Get("Allow"))
	})
}

func TestWhatDocumentsRefuse(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	for path, want := range map[string]int{
		"/containers?executor_id=E1":                  400,
		"/containers?container_id=C1&framework_id=F1": 400,
		"/containers?framework_id=none":               200,
		"/state?jsonp=alert(1)":                       400,
		"/health":                                     200,
		"/slave(1)/health":                            200,
		"/state/":                                     200,
		"/metrics/snapshot?timeout=soon":              400,
		"/logging/toggle?level=1":                     400,
		"/logging/toggle?level=x&duration=1mins":      400,
		"/logging/toggle?level=1&duration=1mins":      200,
		"/nothing":                                    404,
	} {
		t.Run(path, func(t *testing.T) {
			status, _, _ := s.get(path)
			assert.Equal(t, want, status)
		})
	}
}

func TestWhileItRecovers(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	s.agent.recovering = true
	for path, want := range map[string]int{
		"/state": 503, "/containers": 503, "/monitor/statistics": 503, "/health": 200, "/version": 200, "/flags": 200, "/metrics/snapshot": 200,
	} {
		status, _, text := s.get(path)
		assert.Equal(t, want, status, path)
		if status == 503 {
			assert.Equal(t, "Agent has not finished recovery", text)
		}
	}
	status, _, text := s.post(`{"type":"GET_HEALTH"}`)
	assert.Equal(t, http.StatusServiceUnavailable, status)
	assert.Equal(t, "Agent has not finished recovery", text)
}

func TestStatisticsAreMeasuredTwiceASecondAtMost(t *testing.T) {
	s := serve(t, busy(t), known, nil, nil)
	begin := time.Now()
	for range 3 {
		status, _, _ := s.get("/monitor/statistics")
		assert.Equal(t, http.StatusOK, status)
	}
	assert.GreaterOrEqual(t, time.Since(begin), time.Second)
}
