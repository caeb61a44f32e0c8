package apihttp

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// MaxCall is the length in bytes of the greatest call that is read: a reconciliation
// of a hundred thousand tasks fits.
const MaxCall = 32 << 20

// ReadCall reads the call in a request into m, in the form that Content-Type names,
// which it returns. It checks no method and validates nothing beyond required
// fields.
func ReadCall(w http.ResponseWriter, r *http.Request, m proto.Message) (Media, *Refusal) {
	media, refusal := CallMedia(r)
	if refusal != nil {
		return 0, refusal
	}
	body, refusal := ReadBody(w, r)
	if refusal != nil {
		return 0, refusal
	}
	return media, media.Unmarshal(body, m)
}

// CallMedia is the form that Content-Type names.
func CallMedia(r *http.Request) (Media, *Refusal) {
	if r.Header.Get("Content-Type") == "" {
		return 0, Refuse(http.StatusBadRequest, "Expecting 'Content-Type' to be present")
	}
	media, ok := MediaOf(r.Header.Get("Content-Type"))
	if !ok {
		return 0, Refuse(http.StatusUnsupportedMediaType, "Expecting 'Content-Type' of %s or %s", TypeJSON, TypeProtobuf)
	}
	return media, nil
}

// ReadBody reads the body of a request, up to MaxCall bytes.
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, *Refusal) {
	tooLarge := Refuse(http.StatusRequestEntityTooLarge, "The body is longer than %d bytes", MaxCall)
	if r.ContentLength > MaxCall {
		return nil, tooLarge
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxCall))
	if limit := (*http.MaxBytesError)(nil); errors.As(err, &limit) {
		return nil, tooLarge
	} else if err != nil {
		return nil, Refuse(http.StatusBadRequest, "Failed to read the body: %v", err)
	}
	return body, nil
}

// Unmarshal reads a message in the form.
func (m Media) Unmarshal(body []byte, message proto.Message) *Refusal {
	if m == Protobuf {
		if err := proto.Unmarshal(body, message); err != nil {
			return Refuse(http.StatusBadRequest, "Failed to parse body into %s protobuf", message.ProtoReflect().Descriptor().Name())
		}
		return nil
	}
	err := mesosjson.Limits{Bytes: MaxCall}.Unmarshal(body, message)
	if syntax := (*mesosjson.SyntaxError)(nil); errors.As(err, &syntax) {
		return Refuse(http.StatusBadRequest, "Failed to parse body into JSON: %v", err)
	} else if err != nil {
		return Refuse(http.StatusBadRequest, "Failed to convert JSON into %s protobuf: %v", message.ProtoReflect().Descriptor().Name(), err)
	}
	return nil
}

// Invalid refuses a call whose form is right and whose content is not. kind is how
// Mesos calls it: scheduler::Call.
func Invalid(kind string, err error) *Refusal {
	return Refuse(http.StatusBadRequest, "Failed to validate %s: %v", kind, err)
}

// Internal is an answer to what should not have happened.
func Internal(err error) *Refusal {
	return &Refusal{Status: http.StatusInternalServerError, Text: fmt.Sprint(err)}
}
