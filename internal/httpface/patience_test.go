package httpface_test

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/httpface"
)

// pipes is a listener of connections in memory, on which time passes at once.
type pipes struct {
	accept chan net.Conn
	done   chan struct{}
	once   sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accept:
		return c, nil
	case <-p.done:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.done) })
	return nil
}
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{} }

func TestPatience(t *testing.T) {
	for about, c := range map[string]struct {
		sent  string
		limit time.Duration
		deaf  bool // reads nothing
	}{
		"one who says nothing is cut off":                {"", 10 * time.Second, false},
		"one who stops in the header is cut off":         {"POST / HTTP/1.1\r\nHost: a\r\nContent-", 10 * time.Second, false},
		"one who stops in the body is cut off":           {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf", 30 * time.Second, false},
		"one who does not read the answer is cut off":    {"GET /long HTTP/1.1\r\nHost: a\r\n\r\n", time.Minute, true},
		"one who asks no more is kept, but not for ever": {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 15 * time.Minute, false},
	} {
		t.Run(about, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := &pipes{accept: make(chan net.Conn), done: make(chan struct{})}
				ended := make(chan error, 1)
				s := httpface.NewServer(l, newFace(t, verified(t)), http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					_, err := io.Copy(io.Discard, r.Body)
					if r.URL.Path == "/long" {
						_, err = w.Write(make([]byte, 1<<20))
					}
					ended <- err
				}), slog.New(slog.DiscardHandler))
				require.NoError(t, s.Start())
				near, far := net.Pipe()
				l.accept <- far
				began := time.Now()
				_, err := io.WriteString(near, c.sent)
				require.NoError(t, err)
				if c.deaf {
					require.Error(t, <-ended)
				} else {
					_, err = io.Copy(io.Discard, near)
					require.True(t, err == nil || errors.Is(err, io.ErrClosedPipe))
				}
				assert.Equal(t, c.limit, time.Since(began))
				require.NoError(t, near.Close())
				require.NoError(t, s.Stop(t.Context()))
			})
		})
	}
}
