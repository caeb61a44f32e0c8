package wire

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// MaxElements is how many elements a list that crosses may have. It bounds what the
// receiver allocates for a few bytes each.
const MaxElements = 1 << 20

// Encoder writes the parameters of a call, or the results of one: each method writes
// the next, as the protobuf field whose number is its position from 1. Zero values
// take no space. What cannot be written (a message that protobuf refuses, a list
// that is too long) fails the call that the Encoder is for. Not for concurrent use.
type Encoder struct {
	b     []byte
	field protowire.Number
	err   error
	own   [104]byte // of b, while little is written
}

// NewEncoder returns an Encoder for the parameters of a call, at the first one.
func NewEncoder() *Encoder {
	e := &Encoder{}
	e.b = e.own[:0]
	return e
}

// Encoded returns what was written, or why something could not be. Who hands the
// Encoder to a call does not need it.
func (e *Encoder) Encoded() ([]byte, error) {
	if e.err != nil {
		return nil, e.err
	}
	return e.b, nil
}

func (e *Encoder) fail(err error) {
	if e.err == nil {
		e.err = fmt.Errorf("value %d cannot cross: %w", e.field, err)
	}
}

func (e *Encoder) varint(v uint64) {
	e.field++
	if v != 0 {
		e.b = protowire.AppendVarint(protowire.AppendTag(e.b, e.field, protowire.VarintType), v)
	}
}

// Bool writes the next value.
func (e *Encoder) Bool(v bool) { e.varint(protowire.EncodeBool(v)) }

// Byte writes the next value.
func (e *Encoder) Byte(v byte) { e.varint(uint64(v)) }

// Int32 writes the next value.
func (e *Encoder) Int32(v int32) { e.varint(protowire.EncodeZigZag(int64(v))) }

// Int64 writes the next value.
func (e *Encoder) Int64(v int64) { e.varint(protowire.EncodeZigZag(v)) }

// Uint32 writes the next value.
func (e *Encoder) Uint32(v uint32) { e.varint(uint64(v)) }

// Uint64 writes the next value.
func (e *Encoder) Uint64(v uint64) { e.varint(v) }

// Float32 writes the next value.
func (e *Encoder) Float32(v float32) {
	e.field++
	if bits := math.Float32bits(v); bits != 0 { // so that -0 crosses
		e.b = protowire.AppendFixed32(protowire.AppendTag(e.b, e.field, protowire.Fixed32Type), bits)
	}
}

// Float64 writes the next value.
func (e *Encoder) Float64(v float64) {
	e.field++
	if bits := math.Float64bits(v); bits != 0 {
		e.b = protowire.AppendFixed64(protowire.AppendTag(e.b, e.field, protowire.Fixed64Type), bits)
	}
}

// String writes the next value.
func (e *Encoder) String(v string) {
	e.field++
	if v != "" {
		e.b = protowire.AppendString(protowire.AppendTag(e.b, e.field, protowire.BytesType), v)
	}
}

// Bytes writes the next value. Nil stays nil, and empty empty.
func (e *Encoder) Bytes(v []byte) {
	e.field++
	if v != nil {
		e.room(len(v))
		e.b = protowire.AppendBytes(protowire.AppendTag(e.b, e.field, protowire.BytesType), v)
	}
}

// PutMessage writes m as the next value. Nil stays nil.
func PutMessage[M any, P pointer[M]](e *Encoder, m P) {
	e.field++
	if m == nil {
		return
	}
	size := sizing.Size(m)
	e.room(size)
	e.b = protowire.AppendTag(e.b, e.field, protowire.BytesType)
	e.message(m, size)
}

// message appends a message whose size was just asked for, behind its length.
func (e *Encoder) message(m proto.Message, size int) {
	e.b = protowire.AppendVarint(e.b, uint64(size))
	b, err := marshalling.MarshalAppend(e.b, m)
	if err != nil {
		e.fail(err)
		return
	}
	if len(b)-len(e.b) != size {
		e.fail(errChanged)
	}
	e.b = b
}

// room makes space for n bytes and what goes with them.
func (e *Encoder) room(n int) {
	n += 2 * maxHead
	if all := len(e.b) + n; all > link.Large && all > cap(e.b) {
		larger := append(link.Buffer(all), e.b...)
		link.Recycle(e.b)
		e.b = larger
		return
	}
	e.b = slices.Grow(e.b, n)
}

var errChanged = errors.New("a message was changed while it was written")

// maxHead is the most that a tag or a length takes.
const maxHead = 10

// pointer is the pointer to a generated message.
type pointer[M any] interface {
	*M
	proto.Message
}

// A message of an older or newer build may lack what this one requires, so nothing is
// required here: that is for who makes it and who uses it.
var (
	sizing      = proto.MarshalOptions{AllowPartial: true}
	marshalling = proto.MarshalOptions{AllowPartial: true, UseCachedSize: true}
	reading     = proto.UnmarshalOptions{AllowPartial: true, RecursionLimit: 100}
)
