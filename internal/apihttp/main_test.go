package apihttp_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// serve answers with a handler at a real socket.
func serve(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

// exchange sends a request byte for byte and returns the answer, but for its date.
func exchange(t *testing.T, s *httptest.Server, request string) string {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	answer, err := io.ReadAll(c)
	require.NoError(t, err)
	return regexp.MustCompile(`Date: [^\r]*\r\n`).ReplaceAllString(string(answer), "")
}

// get asks a handler, without a socket.
func get(t *testing.T, h http.HandlerFunc, target string, headers ...string) *http.Response {
	t.Helper()
	return ask(t, h, httptest.NewRequest(http.MethodGet, target, nil), headers...)
}

func post(t *testing.T, h http.HandlerFunc, body string, headers ...string) *http.Response {
	t.Helper()
	return ask(t, h, httptest.NewRequest(http.MethodPost, "/", bytes.NewReader([]byte(body))), headers...)
}

func ask(t *testing.T, h http.HandlerFunc, r *http.Request, headers ...string) *http.Response {
	t.Helper()
	for i := 0; i < len(headers); i += 2 {
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h(w, r)
	return w.Result()
}

func text(t *testing.T, r *http.Response) string {
	t.Helper()
	b, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	return string(b)
}

// open sends a request and returns the connection after the head of the answer.
func open(t *testing.T, s *httptest.Server, request string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, err := net.Dial("tcp", s.Listener.Addr().String())
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	_, err = io.WriteString(c, request)
	require.NoError(t, err)
	r := bufio.NewReader(c)
	for {
		line, err := r.ReadString('\n')
		require.NoError(t, err)
		if line == "\r\n" {
			return c, r
		}
	}
}
