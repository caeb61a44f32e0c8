package apihttp

import (
	"errors"
	"io"
	"net/http"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/recordio"
)

// Headers of requests and answers whose body is a stream of records.
const (
	messageType   = "Message-Content-Type"
	messageAccept = "Message-Accept"
)

// Form is how a request comes and what it wants back, streams included.
type Form struct {
	// Streaming says that the body is a stream of records in the form Content.
	Streaming bool
	Content   Media

	// StreamingAnswer says that the client asks for application/recordio, of
	// messages in the form Answer. Else Answer is the form of all of the answer.
	StreamingAnswer bool
	Answer          Media
}

// FormOf reads the headers of a call that may be a stream of records, or may be
// answered by one. Which calls these are is for the handler to check.
func FormOf(r *http.Request) (Form, *Refusal) {
	var f Form
	var refusal *Refusal
	content, message := r.Header.Get("Content-Type"), r.Header.Get(messageType)
	switch {
	case content == TypeRecordIO && message == "":
		return f, Refuse(http.StatusBadRequest, "Expecting '%s' to be present for streaming requests", messageType)
	case content == TypeRecordIO:
		var ok bool
		if f.Content, ok = MediaOf(message); !ok {
			return f, Refuse(http.StatusUnsupportedMediaType, "Expecting '%s' of %s or %s", messageType, TypeJSON, TypeProtobuf)
		}
		f.Streaming = true
	case message != "":
		return f, Refuse(http.StatusUnsupportedMediaType, "Expecting '%s' to be not present for non-streaming requests", messageType)
	default:
		if f.Content, refusal = callMedia(content); refusal != nil {
			return f, refusal
		}
	}
	return f, f.accept(r.Header)
}

func callMedia(content string) (Media, *Refusal) {
	if content == "" {
		return 0, Refuse(http.StatusBadRequest, "Expecting 'Content-Type' to be present")
	}
	media, ok := MediaOf(content)
	if !ok {
		return 0, Refuse(http.StatusUnsupportedMediaType, "Expecting 'Content-Type' of %s or %s or %s", TypeJSON, TypeProtobuf, TypeRecordIO)
	}
	return media, nil
}

// accept reads what the client wants back. Plain forms win over streams.
func (f *Form) accept(h http.Header) *Refusal {
	plain, refusal := Choose(h)
	if refusal == nil {
		if h.Get(messageAccept) != "" {
			return Refuse(http.StatusNotAcceptable, "Expecting '%s' to be not present for non-streaming responses", messageAccept)
		}
		f.Answer = plain
		return nil
	}
	if !Accepts(h, "Accept", TypeRecordIO) {
		return Refuse(http.StatusNotAcceptable, "Expecting 'Accept' to allow %s or %s or %s", TypeJSON, TypeProtobuf, TypeRecordIO)
	}
	f.StreamingAnswer = true
	f.Answer, refusal = choose(h, messageAccept)
	return refusal
}

// SetHeaders sets the headers of an answer that is a stream of records. Without them
// [Stream.Serve] answers under the plain type, which is what a client gets that did
// not ask for application/recordio.
func (f Form) SetHeaders(h http.Header) {
	if f.StreamingAnswer {
		h.Set("Content-Type", TypeRecordIO)
		h.Set(messageType, f.Answer.ContentType())
	}
}

// Calls reads a request whose body is a stream of records, each a call.
type Calls struct {
	media Media
	r     *recordio.Reader
}

// ReadCalls returns a reader of the calls in a request. The request may take as long
// as it lasts.
func ReadCalls(w http.ResponseWriter, r *http.Request, media Media) *Calls {
	Unhurried(w)
	return &Calls{media: media, r: recordio.NewReader(r.Body, 0)}
}

// Next reads the next call into m. At the end of the stream it returns io.EOF; other
// errors are refusals.
func (c *Calls) Next(m proto.Message) error {
	record, err := c.r.Next()
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return Refuse(http.StatusBadRequest, "Failed to decode a record: %v", err)
	}
	if refusal := c.media.Unmarshal(record, m); refusal != nil {
		return refusal
	}
	return nil
}

// Unhurried lifts the limits of time from a request and its answer, for those that
// wait or go on.
func Unhurried(w http.ResponseWriter) {
	patience := http.NewResponseController(w)
	_ = patience.SetReadDeadline(time.Time{}) // a connection without deadlines has none to lift
	_ = patience.SetWriteDeadline(time.Time{})
}
