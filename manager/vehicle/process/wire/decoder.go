package wire

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// MalformedError says that what the other side sent cannot be read.
type MalformedError struct {
	Method string
	Value  int // which parameter or result, from 1; 0 where it is none of them
	Cause  error
}

func (e *MalformedError) Error() string {
	text := "what the other process sent cannot be read"
	if e.Value != 0 {
		text = fmt.Sprintf("value %d that the other process sent cannot be read", e.Value)
	}
	return within(e.Method, fmt.Errorf("%s: %w", text, e.Cause)).Error()
}

func (e *MalformedError) Unwrap() error { return e.Cause }

// Decoder reads what an Encoder wrote: each method returns the next value. Fields
// that it is not asked for are skipped, and those that are not there are zero, so an
// older and a newer build understand each other. After something that cannot be read
// all values are zero: look at Err before using any. Not for concurrent use.
type Decoder struct {
	b      []byte
	whole  []byte // what b is a part of, while no value is
	field  protowire.Number
	most   int32 // elements of a list; 0: MaxElements
	err    error
	method string
	scope  *settling // the call, if its context lasts
}

// NewDecoder returns a Decoder of b, which it takes over: slices of bytes it returns
// are parts of it.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Err says that something could not be read: a *MalformedError.
func (d *Decoder) Err() error { return d.err }

func (d *Decoder) fail(err error) {
	if d.err == nil {
		d.err = &MalformedError{Method: d.method, Value: int(d.field), Cause: err}
	}
	d.b = nil
}

// next goes to the next value and reports whether it is there. d.b then begins with
// what follows its tag.
func (d *Decoder) next(want protowire.Type) bool {
	d.field++
	for len(d.b) > 0 {
		number, kind, n := protowire.ConsumeTag(d.b)
		switch {
		case n < 0:
			d.fail(protowire.ParseError(n))
			return false
		case number > d.field:
			return false
		case number == d.field && kind != want:
			d.fail(fmt.Errorf("it has wire type %d instead of %d", kind, want))
			return false
		case number == d.field:
			d.b = d.b[n:]
			return true
		}
		skipped := protowire.ConsumeFieldValue(number, kind, d.b[n:])
		if skipped < 0 {
			d.fail(protowire.ParseError(skipped))
			return false
		}
		d.b = d.b[n+skipped:]
	}
	return false
}

func (d *Decoder) varint(most uint64) uint64 {
	if !d.next(protowire.VarintType) {
		return 0
	}
	v, n := protowire.ConsumeVarint(d.b)
	if n < 0 {
		d.fail(protowire.ParseError(n))
		return 0
	}
	if v > most {
		d.fail(errRange)
		return 0
	}
	d.b = d.b[n:]
	return v
}

var errRange = errors.New("the number is too large")

// bytes returns the next value without a copy; ok is false if it is not there.
func (d *Decoder) bytes() (v []byte, ok bool) {
	if !d.next(protowire.BytesType) {
		return nil, false
	}
	v, n := protowire.ConsumeBytes(d.b)
	if n < 0 {
		d.fail(protowire.ParseError(n))
		return nil, false
	}
	d.b = d.b[n:]
	return v[:len(v):len(v)], true
}

// Bool returns the next value.
func (d *Decoder) Bool() bool { return d.varint(1) == 1 }

// Byte returns the next value.
func (d *Decoder) Byte() byte { return byte(d.varint(math.MaxUint8)) }

// Int32 returns the next value.
func (d *Decoder) Int32() int32 { return int32(protowire.DecodeZigZag(d.varint(math.MaxUint32))) }

// Int64 returns the next value.
func (d *Decoder) Int64() int64 { return protowire.DecodeZigZag(d.varint(math.MaxUint64)) }

// Uint32 returns the next value.
func (d *Decoder) Uint32() uint32 { return uint32(d.varint(math.MaxUint32)) }

// Uint64 returns the next value.
func (d *Decoder) Uint64() uint64 { return d.varint(math.MaxUint64) }

// Float32 returns the next value.
func (d *Decoder) Float32() float32 {
	if !d.next(protowire.Fixed32Type) {
		return 0
	}
	v, n := protowire.ConsumeFixed32(d.b)
	if n < 0 {
		d.fail(protowire.ParseError(n))
		return 0
	}
	d.b = d.b[n:]
	return math.Float32frombits(v)
}

// Float64 returns the next value.
func (d *Decoder) Float64() float64 {
	if !d.next(protowire.Fixed64Type) {
		return 0
	}
	v, n := protowire.ConsumeFixed64(d.b)
	if n < 0 {
		d.fail(protowire.ParseError(n))
		return 0
	}
	d.b = d.b[n:]
	return math.Float64frombits(v)
}

// String returns the next value.
func (d *Decoder) String() string {
	v, _ := d.bytes()
	return string(v)
}

// Text returns the next value for people and documents: at most limit bytes, in UTF-8.
func (d *Decoder) Text(limit int) string {
	v, _ := d.bytes()
	return text(string(v[:min(len(v), limit)]))
}

// text makes s UTF-8.
func text(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// Bytes returns the next value, which is part of what is decoded. Nil stays nil, and
// empty empty.
func (d *Decoder) Bytes() []byte {
	d.whole = nil
	v, _ := d.bytes()
	return v
}

// TakeMessage returns the next value. Nil stays nil.
func TakeMessage[M any, P pointer[M]](d *Decoder) P {
	v, ok := d.bytes()
	if !ok {
		return nil
	}
	m := messageOf[M, P](d, v)
	if m != nil && len(d.b) == 0 && d.whole != nil { // m is a copy, and was the last
		link.Recycle(d.whole)
		d.whole = nil
	}
	return m
}

func messageOf[M any, P pointer[M]](d *Decoder, v []byte) P {
	m := P(new(M))
	if err := reading.Unmarshal(v, m); err != nil {
		d.fail(err)
		return nil
	}
	return m
}
