package v1client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"google.golang.org/protobuf/proto"

	agentv1 "github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server answers by a function, and is closed with the test.
func server(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	s := httptest.NewServer(handle)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// handler may be changed between requests.
type handler struct {
	now atomic.Pointer[http.HandlerFunc]
}

func (h *handler) set(now http.HandlerFunc)                     { h.now.Store(&now) }
func (h *handler) serve(w http.ResponseWriter, r *http.Request) { (*h.now.Load())(w, r) }

func client(t *testing.T, config Config) *Client {
	c, err := New(config)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return c
}

func health() *agentv1.Call { return &agentv1.Call{Type: agentv1.Call_GET_HEALTH.Enum()} }

func healthy() *agentv1.Response {
	return &agentv1.Response{Type: agentv1.Response_GET_HEALTH.Enum(), GetHealth: &agentv1.Response_GetHealth{Healthy: proto.Bool(true)}}
}

// answer writes a message in a form.
func answer(t *testing.T, w http.ResponseWriter, e Encoding, m proto.Message) {
	text, err := e.marshal(m)
	require.NoError(t, err)
	w.Header().Set("Content-Type", e.MediaType())
	_, err = w.Write(text)
	require.NoError(t, err)
}

func TestACall(t *testing.T) {
	for _, encoding := range []Encoding{Protobuf, JSON} {
		t.Run(encoding.MediaType(), func(t *testing.T) {
			s := server(t, func(w http.ResponseWriter, r *http.Request) {
				assert.Equal(t, http.MethodPost, r.Method)
				assert.Equal(t, "/api/v1", r.URL.Path)
				assert.Equal(t, encoding.MediaType(), r.Header.Get("Content-Type"))
				assert.Equal(t, encoding.MediaType(), r.Header.Get("Accept"))
				assert.Equal(t, "x", r.Header.Get("More"))
				text, err := io.ReadAll(r.Body)
				assert.NoError(t, err)
				call := &agentv1.Call{}
				assert.NoError(t, encoding.unmarshal(text, call))
				assert.Equal(t, agentv1.Call_GET_HEALTH, call.GetType())
				answer(t, w, encoding, healthy())
			})
			c := client(t, Config{Endpoint: s.URL + "/api/v1", Encoding: encoding})
			response := &agentv1.Response{}
			require.NoError(t, c.Call(t.Context(), health(), response, http.Header{"More": {"x"}}))
			assert.True(t, response.GetGetHealth().GetHealthy())
		})
	}
	t.Run("an answer may come in the other form, or be empty", func(t *testing.T) {
		empty := false
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			if empty {
				w.WriteHeader(http.StatusAccepted)
				return
			}
			answer(t, w, JSON, healthy())
		})
		c := client(t, Config{Endpoint: s.URL})
		response := &agentv1.Response{}
		require.NoError(t, c.Call(t.Context(), health(), response, nil))
		assert.True(t, response.GetGetHealth().GetHealthy())
		empty = true
		require.NoError(t, c.Call(t.Context(), health(), response, nil))
		require.NoError(t, c.Call(t.Context(), health(), nil, nil))
	})
	t.Run("over a Unix domain socket", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "s")
		listener, err := net.Listen("unix", path)
		require.NoError(t, err)
		s := &httptest.Server{Listener: listener, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			assert.Equal(t, "agent:5051", r.Host)
			answer(t, w, Protobuf, healthy())
		})}}
		s.Start()
		t.Cleanup(s.Close)
		c := client(t, Config{Endpoint: "http://agent:5051/api/v1", Socket: path})
		require.NoError(t, c.Call(t.Context(), health(), nil, nil))
		c.Close()
	})
}

func TestCallsThatFail(t *testing.T) {
	var handle handler
	s := server(t, handle.serve)
	c := client(t, Config{Endpoint: s.URL + "/api/v1", Limit: 100})
	call := func() error { return c.Call(t.Context(), health(), &agentv1.Response{}, nil) }

	t.Run("by a status", func(t *testing.T) {
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, strings.Repeat("x", maxErrorText+100), http.StatusForbidden)
		})
		err := call()
		var status *StatusError
		require.ErrorAs(t, err, &status)
		assert.Equal(t, http.StatusForbidden, status.Code)
		assert.Len(t, status.Text, maxErrorText)
		assert.True(t, strings.HasPrefix(err.Error(), s.URL+"/api/v1 answered 403 Forbidden: xx"), err)
		assert.False(t, IsTemporary(err))
		handle.set(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
		err = call()
		require.EqualError(t, err, s.URL+"/api/v1 answered 503 Service Unavailable")
		assert.True(t, IsTemporary(err))
	})
	t.Run("by what is in them", func(t *testing.T) {
		for _, c := range []struct{ contentType, body, error string }{
			{"application/json", `{"type": 7}`, "type"},
			{"application/x-protobuf", "\xff\xff", "proto"},
			{"text/html", "<p>", "the answer's Content-Type is text/html, not application/x-protobuf or application/json"},
			{"/", "x", `the answer's Content-Type "/" cannot be read`},
			{"application/json", strings.Repeat(" ", 101), "the answer is longer than allowed: more than 100 bytes"},
		} {
			handle.set(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", c.contentType)
				_, _ = io.WriteString(w, c.body)
			})
			err := call()
			require.ErrorContains(t, err, c.error)
			assert.False(t, IsTemporary(err))
		}
	})
	t.Run("for want of an answer", func(t *testing.T) {
		handle.set(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
		err := call()
		var transport *TransportError
		require.ErrorAs(t, err, &transport)
		assert.True(t, IsTemporary(err))
		handle.set(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "50")
			_, _ = io.WriteString(w, "cut")
		})
		assert.True(t, IsTemporary(call()))
	})
	t.Run("with their context", func(t *testing.T) {
		handle.set(func(_ http.ResponseWriter, r *http.Request) { gone(r) })
		why := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Millisecond, func() { cancel(why) })
		require.ErrorIs(t, c.Call(ctx, health(), nil, nil), why)
	})
	t.Run("because of whom they are from", func(t *testing.T) {
		c := client(t, Config{Endpoint: s.URL, Authenticate: func(*http.Request) error { return errors.New("no ticket") }})
		require.ErrorContains(t, c.Call(t.Context(), health(), nil, nil), "authenticate with "+s.URL+": no ticket")
	})
}

func TestEndpoints(t *testing.T) {
	for _, endpoint := range []string{"", "10.0.0.1:5050", "ftp://a/b", "http://", "http://a b"} {
		_, err := New(Config{Endpoint: endpoint})
		require.ErrorContains(t, err, "endpoint", endpoint)
	}
	for text, want := range map[string]Encoding{"json": JSON, "application/json": JSON, "protobuf": Protobuf, "application/x-protobuf": Protobuf} {
		e, err := ParseEncoding(text)
		require.NoError(t, err)
		assert.Equal(t, want, e)
	}
	_, err := ParseEncoding("xml")
	require.EqualError(t, err, `unknown content type "xml": want json or protobuf`)
}

func TestRedirects(t *testing.T) {
	var mu sync.Mutex
	var asked []string
	leads := true
	note := func(who string, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		asked = append(asked, who+" "+r.Header.Get("Authorization"))
	}
	leader := server(t, func(w http.ResponseWriter, r *http.Request) {
		note("leader", r)
		if !leads {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		text, err := io.ReadAll(r.Body)
		assert.NoError(t, err)
		assert.NotEmpty(t, text, "the body comes along")
		answer(t, w, Protobuf, healthy())
	})
	other := server(t, func(w http.ResponseWriter, r *http.Request) {
		note("other", r)
		w.Header().Set("Location", strings.TrimPrefix(leader.URL, "http:")+r.URL.Path) // without a scheme, as masters do
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	c := client(t, Config{Endpoint: other.URL + "/api/v1", Authenticate: func(r *http.Request) error {
		r.Header.Set("Authorization", "for "+r.URL.Host)
		return nil
	}})
	here := strings.TrimPrefix(other.URL, "http://")
	there := strings.TrimPrefix(leader.URL, "http://")
	require.NoError(t, c.Call(t.Context(), health(), nil, nil))
	require.NoError(t, c.Call(t.Context(), health(), nil, nil), "the second call goes to the leader at once")
	assert.Equal(t, []string{"other for " + here, "leader for " + there, "leader for " + there}, asked)
	assert.Equal(t, leader.URL+"/api/v1", c.Endpoint())

	leads = false
	require.Error(t, c.Call(t.Context(), health(), nil, nil))
	assert.Equal(t, other.URL+"/api/v1", c.Endpoint(), "who does not lead any more is forgotten")
	leads = true
	require.NoError(t, c.Call(t.Context(), health(), nil, nil))
	leader.CloseClientConnections()
	leader.Close()
	require.Error(t, c.Call(t.Context(), health(), nil, nil))
	assert.Equal(t, other.URL+"/api/v1", c.Endpoint())

	t.Run("that never end, or lead nowhere", func(t *testing.T) {
		location := "/again"
		s := server(t, func(w http.ResponseWriter, _ *http.Request) {
			if location != "" {
				w.Header().Set("Location", location)
			}
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		c := client(t, Config{Endpoint: s.URL})
		require.ErrorIs(t, c.Call(t.Context(), health(), nil, nil), ErrRedirects)
		location = "file:///etc/passwd"
		require.ErrorContains(t, c.Call(t.Context(), health(), nil, nil), "redirected to file:///etc/passwd")
		location = ""
		require.ErrorContains(t, c.Call(t.Context(), health(), nil, nil), "redirected, but")
	})
}
