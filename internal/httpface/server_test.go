package httpface_test

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/httpface"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/verify"
)

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := httpface.Listen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	return l
}

// start gives a face a socket for the length of the test.
func start(t *testing.T, face *httpface.Face) (url string, s *httpface.Server) {
	t.Helper()
	s = httpface.NewServer(listen(t), face, face, slog.New(slog.DiscardHandler))
	require.NoError(t, s.Start())
	t.Cleanup(func() { _ = s.Stop(context.Background()) })
	return "http://" + s.Addr().String(), s
}

// open asks for the events and returns the stream; it is closed with the test.
func open(t *testing.T, url string, header ...string) *bufio.Reader {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	require.NoError(t, err)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	answer, err := client.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = answer.Body.Close() })
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	return bufio.NewReader(answer.Body)
}

// next returns the lines of the next event, passing comments over.
func next(t *testing.T, stream *bufio.Reader) []string {
	t.Helper()
	var lines []string
	for {
		line, err := stream.ReadString('\n')
		require.NoError(t, err)
		switch line = strings.TrimSuffix(line, "\n"); {
		case line == "" && len(lines) > 0:
			return lines
		case line == "" || strings.HasPrefix(line, ":"):
		default:
			lines = append(lines, line)
		}
	}
}

func TestEvents(t *testing.T) {
	m := verified(t)
	for _, module := range []string{"org_a", "org_b", "org_c"} {
		m.bus.Publish(lifecycle.Notice{Header: lifecycle.Header{Module: module}, Text: "two\nlines"})
	}
	url, server := start(t, newFace(t, m))

	t.Run("from the beginning, then as they come", func(t *testing.T) {
		stream := open(t, url+"/modules/events")
		first := next(t, stream)
		assert.Equal(t, []string{"id: 1", "event: Notice"}, first[:2])
		data, ok := strings.CutPrefix(first[2], "data: ")
		require.True(t, ok)
		e, err := lifecycle.ParseEvent([]byte(data))
		require.NoError(t, err)
		assert.Equal(t, "two\nlines", e.(lifecycle.Notice).Text)
		assert.Equal(t, "id: 2", next(t, stream)[0])
		assert.Equal(t, "id: 3", next(t, stream)[0])
		m.bus.Publish(lifecycle.Notice{Text: "late"})
		assert.Equal(t, "id: 4", next(t, stream)[0])
	})
	t.Run("replay from a number", func(t *testing.T) {
		assert.Equal(t, "id: 3", next(t, open(t, url+"/modules/events?from=3"))[0])
	})
	t.Run("replay behind the last event that was seen, which wins", func(t *testing.T) {
		assert.Equal(t, "id: 2", next(t, open(t, url+"/modules/events?from=3", "Last-Event-ID", "1"))[0])
	})
	t.Run("numbers only", func(t *testing.T) {
		face := newFace(t, m)
		assert.Equal(t, 400, do(face, "GET", "/modules/events?from=x").Code)
		assert.Equal(t, 400, do(face, "GET", "/modules/events", "Last-Event-ID", "-1").Code)
	})
	t.Run("HEAD shows what it is and ends", func(t *testing.T) {
		w := do(newFace(t, m), "HEAD", "/modules/events")
		assert.Equal(t, "text/event-stream", w.Header().Get("Content-Type"))
		assert.Empty(t, w.Body.String())
	})
	t.Run("a reader finds a gap in place of what is not kept any more", func(t *testing.T) {
		few := verified(t)
		few.bus = lifecycle.NewBus(lifecycle.BusOptions{Capacity: 2})
		for range 5 {
			few.bus.Publish(lifecycle.Notice{Text: "n"})
		}
		url, _ := start(t, newFace(t, few))
		stream := open(t, url+"/modules/events")
		assert.Equal(t, []string{"id: 3", "event: Gap"}, next(t, stream)[:2])
		assert.Equal(t, "id: 4", next(t, stream)[0])
	})
	t.Run("the stream ends with the server", func(t *testing.T) {
		stream := open(t, url+"/modules/events?from=99")
		require.NoError(t, server.Stop(t.Context()))
		_, err := io.ReadAll(stream)
		assert.NoError(t, err)
	})
}

func TestStreamsAreBounded(t *testing.T) {
	face := newFace(t, verified(t))
	ctx, cancel := context.WithCancel(t.Context())
	var open, ended sync.WaitGroup
	for range 1000 {
		open.Add(1)
		ended.Go(func() {
			r := httptest.NewRequestWithContext(ctx, "GET", "/modules/events", nil)
			face.ServeHTTP(&first{ResponseRecorder: httptest.NewRecorder(), written: open.Done}, r)
		})
	}
	open.Wait()
	w := do(face, "GET", "/modules/events")
	assert.Equal(t, 503, w.Code)
	assert.Contains(t, w.Body.String(), "1000 streams of events are open")
	cancel()
	ended.Wait()
	assert.Equal(t, 200, do(face, "HEAD", "/modules/events").Code)
}

// first tells of the first write.
type first struct {
	*httptest.ResponseRecorder
	once    sync.Once
	written func()
}

func (f *first) Write(p []byte) (int, error) {
	f.once.Do(f.written)
	return f.ResponseRecorder.Write(p)
}

func TestServer(t *testing.T) {
	t.Run("waits for nobody who has asked nothing", func(t *testing.T) {
		url, s := start(t, newFace(t, verified(t)))
		silent, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		require.NoError(t, err)
		defer silent.Close()
		answer, err := http.Get(url + "/health") // comes in behind the silent one
		require.NoError(t, err)
		require.NoError(t, answer.Body.Close())
		began := time.Now()
		require.NoError(t, s.Stop(t.Context()))
		assert.Less(t, time.Since(began), 4*time.Second)
		_, err = silent.Read(make([]byte, 1))
		require.Error(t, err)
		http.DefaultClient.CloseIdleConnections()
	})
	discard := slog.New(slog.DiscardHandler)

	t.Run("an address that is taken is named", func(t *testing.T) {
		_, first := start(t, newFace(t, verified(t)))
		_, err := httpface.Listen(t.Context(), first.Addr().String())
		assert.ErrorContains(t, err, "listen on "+first.Addr().String())
	})
	t.Run("one that was stopped before does not start", func(t *testing.T) {
		l := listen(t)
		face := newFace(t, verified(t))
		s := httpface.NewServer(l, face, face, discard)
		require.NoError(t, s.Stop(t.Context()))
		require.NoError(t, s.Stop(t.Context()))
		assert.ErrorIs(t, s.Start(), http.ErrServerClosed)
		_, err := l.Accept()
		assert.ErrorIs(t, err, net.ErrClosed, "the socket is left open")
	})
	t.Run("nor does one that runs", func(t *testing.T) {
		_, s := start(t, newFace(t, verified(t)))
		assert.ErrorIs(t, s.Start(), http.ErrServerClosed)
	})
	t.Run("stopped twice", func(t *testing.T) {
		_, s := start(t, newFace(t, verified(t)))
		assert.NoError(t, s.Stop(t.Context()))
		assert.NoError(t, s.Stop(t.Context()))
	})
	t.Run("a request that is under way is answered", func(t *testing.T) {
		inside, leave := make(chan struct{}), make(chan struct{})
		m := &waiting{verified(t), inside, leave}
		face := newFace(t, m.modules, func(c *httpface.Config) { c.Modules = m })
		url, s := start(t, face)
		answered := make(chan int, 1)
		go func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			answer, err := client.Get(url + "/modules/graph")
			if err != nil {
				answered <- 0
				return
			}
			_ = answer.Body.Close()
			answered <- answer.StatusCode
		}()
		<-inside
		stopped := make(chan error, 1)
		go func() { stopped <- s.Stop(context.Background()) }()
		close(leave)
		assert.Equal(t, 200, <-answered)
		assert.NoError(t, <-stopped)
	})
	t.Run("one that does not end is cut off when time is up", func(t *testing.T) {
		inside, leave := make(chan struct{}), make(chan struct{})
		m := &waiting{verified(t), inside, leave}
		face := newFace(t, m.modules, func(c *httpface.Config) { c.Modules = m })
		url, s := start(t, face)
		cut := make(chan error, 1)
		go func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
			_, err := client.Get(url + "/modules/graph")
			cut <- err
		}()
		<-inside
		ended, cancel := context.WithDeadline(context.Background(), time.Now())
		defer cancel()
		assert.ErrorIs(t, s.Stop(ended), context.DeadlineExceeded)
		assert.Error(t, <-cut)
		close(leave)
	})
	t.Run("an enormous header is refused", func(t *testing.T) {
		url, _ := start(t, newFace(t, verified(t)))
		r, err := http.NewRequestWithContext(t.Context(), "GET", url+"/health", nil)
		require.NoError(t, err)
		r.Header.Set("X-Much", strings.Repeat("x", 1<<20))
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
		answer, err := client.Do(r)
		if err == nil { // the server may answer before all is written, or after
			_ = answer.Body.Close()
			assert.Equal(t, http.StatusRequestHeaderFieldsTooLarge, answer.StatusCode)
			return
		}
		assert.Error(t, err)
	})
}

// waiting lets a test hold a request.
type waiting struct {
	*modules
	inside, leave chan struct{}
}

func (w *waiting) Result() verify.Result {
	close(w.inside)
	<-w.leave
	return w.modules.Result()
}
