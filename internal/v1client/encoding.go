package v1client

import (
	"fmt"
	"mime"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// Encoding is the form that messages travel in.
type Encoding uint8

const (
	Protobuf Encoding = iota
	JSON
)

const (
	mediaJSON     = "application/json"
	mediaProtobuf = "application/x-protobuf"
	mediaRecordIO = "application/recordio"
)

// ParseEncoding reads an encoding as flags name it: json, protobuf, or one of the media types.
func ParseEncoding(text string) (Encoding, error) {
	switch text {
	case "protobuf", mediaProtobuf:
		return Protobuf, nil
	case "json", mediaJSON:
		return JSON, nil
	default:
		return 0, fmt.Errorf("unknown content type %q: want json or protobuf", text)
	}
}

// MediaType is what Content-Type and Accept say.
func (e Encoding) MediaType() string {
	if e == JSON {
		return mediaJSON
	}
	return mediaProtobuf
}

func (e Encoding) marshal(m proto.Message) ([]byte, error) {
	if e == JSON {
		return mesosjson.Marshal(m)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

func (e Encoding) unmarshal(text []byte, m proto.Message) error {
	if e == JSON {
		return mesosjson.Unmarshal(text, m)
	}
	return proto.Unmarshal(text, m)
}

// decode reads a message in the form that the answer says it has, which need not be the one that was asked for.
func decode(contentType string, text []byte, m proto.Message) error {
	form, err := formOf(contentType)
	if err != nil {
		return err
	}
	return form.unmarshal(text, m)
}

func formOf(contentType string) (Encoding, error) {
	media, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return 0, fmt.Errorf("the answer's Content-Type %q cannot be read", contentType)
	}
	switch media {
	case mediaJSON:
		return JSON, nil
	case mediaProtobuf:
		return Protobuf, nil
	default:
		return 0, fmt.Errorf("the answer's Content-Type is %s, not %s or %s", media, mediaProtobuf, mediaJSON)
	}
}
