package apihttp

import (
	"context"
	"errors"
	"fmt"
	"math"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/recordio"
)

const (
	// maxRecords and maxWaiting bound what waits for a client that reads slowly:
	// all at the beginning may be one large record.
	maxRecords = 1 << 16
	maxWaiting = 16 << 20
)

var (
	// ErrSlow says that a client did not read its stream.
	ErrSlow = errors.New("the client does not read its events")

	// ErrGone says that a client has closed its stream.
	ErrGone = errors.New("the client has gone")

	// ErrSkip is returned by a function of SendFunc for a record that is not to be
	// written after all.
	ErrSkip = errors.New("this record is not written")
)

// Stream is a stream of records to one client. What is sent waits in a queue, which
// is written by the goroutine of the client's request, so that Send never blocks and
// a client that does not read costs a bounded queue, and then its stream.
type Stream struct {
	media Media

	mu      sync.Mutex
	queue   []record
	waiting int // bytes, as estimated
	end     error
	closed  bool // after what is queued
	work    chan struct{}
}

// record writes itself when its turn has come.
type record struct {
	size  int
	write func(dst []byte) ([]byte, error)
}

// NewStream returns a stream of messages in one form. Until Serve takes it up, what
// is sent waits.
func NewStream(media Media) *Stream {
	return &Stream{media: media, work: make(chan struct{}, 1)}
}

// Send sends a message, which must not change any more.
func (s *Stream) Send(m proto.Message) {
	s.SendFunc(proto.Size(m), func(dst []byte) ([]byte, error) { return s.media.Append(dst, m) })
}

// SendFunc sends a record that write appends when its turn has come, from another
// goroutine. size is about how many bytes of memory it keeps until then. What is
// sent after the end is dropped.
func (s *Stream) SendFunc(size int, write func(dst []byte) ([]byte, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.end != nil || s.closed {
		return
	}
	s.queue = append(s.queue, record{size, write})
	s.waiting += size
	if len(s.queue) > maxRecords || s.waiting > maxWaiting && len(s.queue) > 1 {
		s.end, s.queue, s.waiting = ErrSlow, nil, 0
	}
	s.poke()
}

// Close ends the stream after what was sent before.
func (s *Stream) Close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.poke()
}

// Media is the form of the stream's messages.
func (s *Stream) Media() Media { return s.media }

func (s *Stream) poke() {
	select {
	case s.work <- struct{}{}:
	default: // it will look anyway
	}
}

// take returns what waits, and how the stream has ended if it has.
func (s *Stream) take() (batch []record, last bool, end error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	batch, s.queue, s.waiting = s.queue, nil, 0
	return batch, s.closed, s.end
}

// Serve answers a request with the stream, as 200 of the stream's content type, or of
// another if that header is set. It returns nil when the stream has been closed and
// all was written, or why it ended before: ErrSlow, ErrGone, or the end of stopping.
// It may be called once.
func (s *Stream) Serve(w http.ResponseWriter, r *http.Request, stopping context.Context) error {
	if w.Header().Get("Content-Type") == "" {
		w.Header().Set("Content-Type", s.media.ContentType())
	}
	patience := http.NewResponseController(w)
	_ = patience.SetReadDeadline(time.Time{}) // else it would end the request
	_ = patience.SetWriteDeadline(time.Now().Add(pause))
	w.WriteHeader(http.StatusOK)
	if err := patience.Flush(); err != nil {
		return s.ended(gone(err))
	}
	out := recordio.NewWriter(w, math.MaxInt32)
	for {
		batch, last, end := s.take()
		if end != nil {
			return end
		}
		for _, rec := range batch {
			if err := out.WriteFunc(hurried(patience, rec.write)); err != nil && !errors.Is(err, ErrSkip) {
				return s.ended(gone(err))
			}
		}
		if len(batch) > 0 {
			continue
		}
		if last {
			return nil
		}
		_ = patience.SetWriteDeadline(time.Time{})
		select {
		case <-s.work:
		case <-r.Context().Done():
			return s.ended(ErrGone)
		case <-stopping.Done():
			return s.ended(context.Cause(stopping))
		}
	}
}

// slowest is how many bytes a second a client has to read of a long record.
const slowest = 128 << 10

// hurried gives the client time for the record that write makes, by its length.
func hurried(patience *http.ResponseController, write func([]byte) ([]byte, error)) func([]byte) ([]byte, error) {
	return func(dst []byte) ([]byte, error) {
		b, err := write(dst)
		_ = patience.SetWriteDeadline(time.Now().Add(pause + time.Duration(len(b))*time.Second/slowest))
		return b, err
	}
}

// gone says what a failed write means.
func gone(err error) error {
	if timeout := (interface{ Timeout() bool })(nil); errors.As(err, &timeout) && timeout.Timeout() {
		return ErrSlow
	}
	return fmt.Errorf("%w: %w", ErrGone, err)
}

// ended keeps why nothing is written any more.
func (s *Stream) ended(err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.queue, s.waiting = nil, 0
	if s.end == nil {
		s.end = err
	}
	return s.end
}
