package apihttp

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Content types, bare as Mesos writes and wants them.
const (
	TypeJSON       = "application/json"
	TypeProtobuf   = "application/x-protobuf"
	TypeRecordIO   = "application/recordio"
	TypeText       = "text/plain; charset=utf-8"
	TypeJavaScript = "text/javascript"
)

// Media is a form of messages.
type Media uint8

const (
	JSON Media = iota
	Protobuf
)

// MediaOf returns the form of a content type.
func MediaOf(contentType string) (Media, bool) {
	switch contentType {
	case TypeJSON:
		return JSON, true
	case TypeProtobuf:
		return Protobuf, true
	default:
		return 0, false
	}
}

// ContentType is the form's content type.
func (m Media) ContentType() string {
	if m == Protobuf {
		return TypeProtobuf
	}
	return TypeJSON
}

// Append appends a message in the form to dst.
func (m Media) Append(dst []byte, message proto.Message) ([]byte, error) {
	if m == Protobuf {
		b, err := proto.MarshalOptions{AllowPartial: true}.MarshalAppend(dst, message)
		if err != nil {
			return dst, fmt.Errorf("write a message: %w", err)
		}
		return b, nil
	}
	return mesosjson.Append(dst, message)
}

// Accepts reports whether the header of a request, usually Accept, allows a content
// type. It may come several times, and none allows all. Of ranges that fit, the one
// that says most counts; q=0 excludes.
func Accepts(h http.Header, header, contentType string) bool {
	ranges := strings.TrimSpace(strings.Join(h.Values(header), ","))
	if ranges == "" {
		return true
	}
	kind, _, _ := strings.Cut(contentType, "/")
	best, allowed := -1, false
	for part := range strings.SplitSeq(ranges, ",") {
		name, params, _ := strings.Cut(part, ";")
		specific := -1
		switch strings.ToLower(strings.TrimSpace(name)) {
		case contentType:
			specific = 2
		case kind + "/*":
			specific = 1
		case "*/*", "*":
			specific = 0
		}
		if specific > best {
			best, allowed = specific, positive(params)
		}
	}
	return allowed
}

// positive reports whether parameters leave the quality above 0.
func positive(params string) bool {
	for p := range strings.SplitSeq(params, ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		if strings.EqualFold(strings.TrimSpace(key), "q") {
			q, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
			return err != nil || q > 0
		}
	}
	return true
}

// Choose is the form in which a client wants its answer: JSON if it takes both.
func Choose(h http.Header) (Media, *Refusal) { return choose(h, "Accept") }

func choose(h http.Header, header string) (Media, *Refusal) {
	for _, m := range []Media{JSON, Protobuf} {
		if Accepts(h, header, m.ContentType()) {
			return m, nil
		}
	}
	return 0, Refuse(http.StatusNotAcceptable, "Expecting '%s' to allow '%s' or '%s'", header, TypeJSON, TypeProtobuf)
}

// AcceptsGzip reports whether a client takes compressed answers.
func AcceptsGzip(h http.Header) bool {
	for part := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, params, _ := strings.Cut(part, ";")
		if name = strings.ToLower(strings.TrimSpace(name)); name == "gzip" || name == "*" {
			return positive(params)
		}
	}
	return false
}
