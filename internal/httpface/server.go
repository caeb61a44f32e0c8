package httpface

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// Limits of a connection. Event streams lift those of time for themselves.
const (
	headerTimeout = 10 * time.Second
	readTimeout   = 30 * time.Second
	writeTimeout  = time.Minute
	idleTimeout   = 15 * time.Minute // connections between daemons are links, and end only with them
	maxHeader     = 64 << 10

	// drainTimeout is how long requests may go on when the daemon stops.
	drainTimeout = 5 * time.Second
)

// Server answers at a socket with a face. It goes through Start and Stop once; Stop
// may come first, from another goroutine, and any number of times.
type Server struct {
	listener net.Listener
	face     *Face
	http     *http.Server

	mu      sync.Mutex
	started bool
	stopped bool
	silent  map[net.Conn]bool // connections that have asked nothing yet
	served  chan struct{}     // closed when Serve has returned
}

// Listen takes an address like 127.0.0.1:5050, so that one that is taken is known
// before anything else starts; port 0 lets the system choose.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", address, err)
	}
	return listener, nil
}

// NewServer returns a server for a socket, which is closed by Stop. Who connects
// before Start waits. Requests go to handler, which is the face or stands before it.
func NewServer(listener net.Listener, face *Face, handler http.Handler, log *slog.Logger) *Server {
	s := &Server{listener: listener, face: face, silent: map[net.Conn]bool{}, served: make(chan struct{})}
	s.http = &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		MaxHeaderBytes: maxHeader,
		ErrorLog:       slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ConnState:      s.note,
	}
	return s
}

// Start begins to answer.
func (s *Server) Start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped || s.started {
		return fmt.Errorf("answer at %v: %w", s.Addr(), http.ErrServerClosed)
	}
	s.started = true
	go func() {
		defer close(s.served)
		_ = s.http.Serve(s.listener) // always ErrServerClosed, or the listener's end
	}()
	return nil
}

// Addr is where the server listens.
func (s *Server) Addr() net.Addr { return s.listener.Addr() }

// Stop ends event streams, lets other requests end, and cuts off those that do not
// in a few seconds; that is an error, as is the end of ctx before. It returns when
// the server's goroutine has ended.
func (s *Server) Stop(ctx context.Context) error {
	s.mu.Lock()
	first, started := !s.stopped, s.started
	s.stopped = true
	s.mu.Unlock()
	s.face.Close()
	if !started {
		if first {
			_ = s.listener.Close() // nothing was written to it
		}
		return nil
	}
	var err error
	if first {
		err = s.drain(ctx)
	}
	<-s.served
	return err
}

// note keeps the connections that have asked nothing yet. Clients make some in
// store, and Shutdown would wait for each as for a request.
func (s *Server) note(c net.Conn, state http.ConnState) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case state != http.StateNew:
		delete(s.silent, c)
	case s.stopped:
		_ = c.Close()
	default:
		s.silent[c] = true
	}
}

// hangUp closes the connections that have asked nothing yet.
func (s *Server) hangUp() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.silent {
		_ = c.Close()
	}
}

func (s *Server) drain(ctx context.Context) error {
	s.hangUp()
	ctx, cancel := context.WithTimeout(ctx, drainTimeout)
	defer cancel()
	if err := s.http.Shutdown(ctx); err != nil {
		return fmt.Errorf("stop answering requests: %w", errors.Join(err, s.http.Close()))
	}
	return nil
}
