package v1client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/recordio"
)

// StreamIDHeader names the header in which a master tells a scheduler its stream.
const StreamIDHeader = "Mesos-Stream-Id"

// Stream is the answer to a call that goes on answering. Next is for one goroutine at a time; Close may be called from
// any, and more than once.
type Stream struct {
	endpoint string
	form     Encoding
	header   http.Header
	body     io.ReadCloser
	records  *recordio.Reader
	ctx      context.Context
	cancel   context.CancelCauseFunc
	silence  time.Duration
	timer    *time.Timer // nil where silence is not bounded
	once     sync.Once
}

// Stream sends a call whose answer is a stream of records. The stream ends with ctx, and has to be closed.
func (c *Client) Stream(ctx context.Context, call proto.Message, header http.Header) (*Stream, error) {
	body, err := c.config.Encoding.marshal(call)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	media := c.config.Encoding.MediaType()
	return c.open(ctx, func(ctx context.Context) (*http.Response, error) {
		return c.send(ctx, body, header, media, media)
	})
}

func (c *Client) open(ctx context.Context, send func(context.Context) (*http.Response, error)) (*Stream, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Stream{ctx: ctx, cancel: cancel, silence: c.config.Silence}
	if s.silence > 0 {
		s.timer = time.AfterFunc(s.silence, func() { cancel(fmt.Errorf("%w: %v", ErrSilent, s.silence)) })
	}
	response, err := send(ctx)
	if err != nil {
		s.end()
		return nil, err
	}
	s.endpoint, s.header, s.body = response.Request.URL.String(), response.Header, response.Body
	s.records = recordio.NewReader(response.Body, c.config.Limit)
	if s.form, err = streamForm(response.Header); err != nil {
		s.Close()
		return nil, fmt.Errorf("%s: %w", s.endpoint, err)
	}
	return s, nil
}

// streamForm is what the records of an answer are.
func streamForm(header http.Header) (Encoding, error) {
	if header.Get("Content-Type") == mediaRecordIO {
		return formOf(header.Get("Message-Content-Type"))
	}
	return formOf(header.Get("Content-Type"))
}

// Header is the answer's header. It is not to be changed.
func (s *Stream) Header() http.Header { return s.header }

// Next reads the next record into a message, which is emptied first. At the end of the stream it returns io.EOF; the
// stream's silence and the end of its context are errors that wrap their cause.
func (s *Stream) Next(m proto.Message) error {
	record, err := s.records.Next()
	if err != nil {
		if cause := context.Cause(s.ctx); cause != nil {
			return cause
		}
		if errors.Is(err, io.EOF) {
			return io.EOF
		}
		return &TransportError{Endpoint: s.endpoint, Err: err}
	}
	if s.timer != nil {
		s.timer.Reset(s.silence)
	}
	if err := s.form.unmarshal(record, m); err != nil {
		return fmt.Errorf("%s: %w", s.endpoint, err)
	}
	return nil
}

// Close ends the stream. A Next that waits returns.
func (s *Stream) Close() {
	s.once.Do(func() {
		s.end()
		_ = s.body.Close() // what it says concerns nobody any more
	})
}

func (s *Stream) end() {
	if s.timer != nil {
		s.timer.Stop()
	}
	s.cancel(context.Canceled)
}
