package apihttp_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/v1/scheduler"
	"github.com/mesos-modules/mms/internal/apihttp"
)

var heartbeat = &scheduler.Event{Type: scheduler.Event_HEARTBEAT.Enum()}

func failing(text string) *scheduler.Event {
	return &scheduler.Event{Type: scheduler.Event_ERROR.Enum(), Error: &scheduler.Event_Error{Message: &text}}
}

// streaming is a server whose every answer is a stream.
func streaming(t *testing.T, stopping context.Context, media apihttp.Media) (*httptest.Server, *apihttp.Stream, <-chan error) {
	t.Helper()
	s, ended := apihttp.NewStream(media), make(chan error, 1)
	server := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Mesos-Stream-Id", "s")
		ended <- s.Serve(w, r, stopping)
	})
	return server, s, ended
}

const subscribe = "POST / HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip\r\n\r\n"

func TestStream(t *testing.T) {
	t.Run("the head goes out at once, and each record is one chunk", func(t *testing.T) {
		server, s, ended := streaming(t, t.Context(), apihttp.JSON)
		_, r := open(t, server, subscribe) // nothing has been sent
		s.Send(heartbeat)
		chunk := make([]byte, len("17\r\n20\n{\"type\":\"HEARTBEAT\"}\r\n"))
		_, err := io.ReadFull(r, chunk)
		require.NoError(t, err)
		assert.Equal(t, "17\r\n20\n{\"type\":\"HEARTBEAT\"}\r\n", string(chunk))
		s.Send(failing("x"))
		s.Close()
		const last = "2b\r\n40\n{\"type\":\"ERROR\",\"error\":{\"message\":\"x\"}}\r\n0\r\n\r\n"
		rest := make([]byte, len(last))
		_, err = io.ReadFull(r, rest)
		require.NoError(t, err)
		assert.Equal(t, last, string(rest))
		require.NoError(t, <-ended)
		s.Send(heartbeat) // nobody gets it
	})
	t.Run("the head is that of a stream", func(t *testing.T) {
		server, s, _ := streaming(t, t.Context(), apihttp.Protobuf)
		s.Close()
		assert.Equal(t, "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nMesos-Stream-Id: s\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
			exchange(t, server, "POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nAccept-Encoding: gzip\r\n\r\n"))
	})
	t.Run("a client that goes is noticed", func(t *testing.T) {
		server, _, ended := streaming(t, t.Context(), apihttp.JSON)
		c, _ := open(t, server, subscribe)
		require.NoError(t, c.Close())
		require.ErrorIs(t, <-ended, apihttp.ErrGone)
	})
	t.Run("the end of the daemon ends it", func(t *testing.T) {
		stopping, stop := context.WithCancelCause(t.Context())
		server, _, ended := streaming(t, stopping, apihttp.JSON)
		open(t, server, subscribe)
		reason := errors.New("stops")
		stop(reason)
		require.ErrorIs(t, <-ended, reason)
	})
	for limit, record := range map[time.Duration]*scheduler.Event{30 * time.Second: heartbeat, 38 * time.Second: failing(strings.Repeat("x", 1<<20))} {
		t.Run("a client that never reads is cut off, after a time that the record is worth", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				near, far := net.Pipe()
				l := &oneConn{c: near, done: make(chan struct{})}
				s, ended := apihttp.NewStream(apihttp.JSON), make(chan error, 1)
				server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					ended <- s.Serve(w, r, context.Background())
				})}
				go func() { _ = server.Serve(l) }()
				_, err := io.WriteString(far, subscribe)
				require.NoError(t, err)
				head := bufio.NewReaderSize(far, 16)
				for line := ""; line != "\r\n"; {
					line, err = head.ReadString('\n')
					require.NoError(t, err)
				}
				start := time.Now()
				s.Send(record)
				require.ErrorIs(t, <-ended, apihttp.ErrSlow)
				assert.Equal(t, limit, time.Since(start).Truncate(time.Second))
				require.NoError(t, far.Close())
				require.NoError(t, server.Close())
			})
		})
	}
	t.Run("what waits for a client is bounded", func(t *testing.T) {
		s := apihttp.NewStream(apihttp.JSON)
		large := failing(strings.Repeat("x", 1<<20))
		for range 100 {
			s.Send(large)
		}
		w := httptest.NewRecorder()
		require.ErrorIs(t, s.Serve(w, httptest.NewRequest(http.MethodPost, "/", nil), t.Context()), apihttp.ErrSlow)
		assert.Zero(t, w.Body.Len())
	})
	t.Run("a record that cannot be written ends it", func(t *testing.T) {
		s := apihttp.NewStream(apihttp.JSON)
		s.SendFunc(0, func([]byte) ([]byte, error) { return nil, errors.New("too deep") })
		require.ErrorContains(t, s.Serve(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, "/", nil), t.Context()), "too deep")
	})
	t.Run("one that is skipped leaves no trace", func(t *testing.T) {
		s := apihttp.NewStream(apihttp.JSON)
		s.SendFunc(0, func([]byte) ([]byte, error) { return nil, apihttp.ErrSkip })
		s.Send(heartbeat)
		s.Close()
		w := httptest.NewRecorder()
		require.NoError(t, s.Serve(w, httptest.NewRequest(http.MethodPost, "/", nil), t.Context()))
		assert.Equal(t, "20\n{\"type\":\"HEARTBEAT\"}", w.Body.String())
	})
	t.Run("a long one is one record", func(t *testing.T) {
		server, s, _ := streaming(t, t.Context(), apihttp.Protobuf)
		s.Send(failing(strings.Repeat("x", 10<<20)))
		s.Close()
		answer, err := http.Post(server.URL, "", nil)
		require.NoError(t, err)
		defer answer.Body.Close()
		b, err := io.ReadAll(answer.Body)
		require.NoError(t, err)
		_, record, _ := strings.Cut(string(b), "\n")
		var e scheduler.Event
		require.NoError(t, proto.Unmarshal([]byte(record), &e))
		assert.Len(t, e.GetError().GetMessage(), 10<<20)
	})
}

// oneConn is a listener that accepts one connection.
type oneConn struct {
	c    net.Conn
	done chan struct{}
}

func (l *oneConn) Accept() (net.Conn, error) {
	if c := l.c; c != nil {
		l.c = nil
		return c, nil
	}
	<-l.done
	return nil, net.ErrClosed
}
func (l *oneConn) Close() error   { close(l.done); return nil }
func (l *oneConn) Addr() net.Addr { return &net.TCPAddr{} }
