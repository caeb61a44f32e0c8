package mesosjson

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strconv"

	"google.golang.org/protobuf/proto"
)

// spill is how much an Encoder keeps before it writes.
const spill = 32 << 10

// Encoder writes one JSON document piece by piece, so that an answer larger than memory should hold is never in it as a
// whole: what stays is one buffer of about 32 KiB, and at most one string more. It makes the commas and colons; what it
// does not do is watch that a key comes before each value of an object, and only there.
//
// Errors, of the writer and of messages nested too deep, are kept: after the first one nothing is written, and Close
// returns it. It is not for use by several goroutines at a time.
type Encoder struct {
	w        io.Writer // nil: everything stays in buf
	buf      []byte
	comma    bool // a value stands before the next one
	stored   bool // see StoredMessage
	callback bool
	depth    int
	err      error
}

// NewEncoder returns an Encoder that writes to w.
func NewEncoder(w io.Writer) *Encoder {
	return &Encoder{w: w}
}

// NewCallbackEncoder returns an Encoder whose document is the argument of a call, as JSONP wants it: callback(document).
// The name is checked as [AppendCallback] says.
func NewCallbackEncoder(w io.Writer, callback string) (*Encoder, error) {
	if err := checkCallback(callback); err != nil {
		return nil, err
	}
	e := NewEncoder(w)
	e.callback = true
	e.buf = append(append(e.buf, callback...), '(')
	return e, nil
}

// BeginObject begins an object; keys and values follow in turn.
func (e *Encoder) BeginObject() { e.begin('{') }

// EndObject ends the object that was begun last.
func (e *Encoder) EndObject() { e.end('}') }

// BeginArray begins an array; values follow.
func (e *Encoder) BeginArray() { e.begin('[') }

// EndArray ends the array that was begun last.
func (e *Encoder) EndArray() { e.end(']') }

// Key writes the name of the value that follows.
func (e *Encoder) Key(name string) {
	e.value()
	e.buf = append(appendString(e.buf, name), ':')
	e.comma = false
}

// String writes a string.
func (e *Encoder) String(s string) {
	e.value()
	e.buf = appendString(e.buf, s)
}

// Bytes writes bytes, as base64.
func (e *Encoder) Bytes(b []byte) {
	e.value()
	e.buf = append(e.buf, '"')
	e.buf = base64.StdEncoding.AppendEncode(e.buf, b)
	e.buf = append(e.buf, '"')
}

// Int writes a whole number.
func (e *Encoder) Int(i int64) {
	e.value()
	e.buf = strconv.AppendInt(e.buf, i, 10)
}

// Uint writes a whole number that is not negative.
func (e *Encoder) Uint(u uint64) {
	e.value()
	e.buf = strconv.AppendUint(e.buf, u, 10)
}

// Double writes a number that has a fraction or an exponent, even if that is .0.
func (e *Encoder) Double(f float64) {
	e.value()
	e.buf = appendDouble(e.buf, f)
}

// Bool writes true or false.
func (e *Encoder) Bool(b bool) {
	e.value()
	e.buf = strconv.AppendBool(e.buf, b)
}

// Null writes null. Messages never need it.
func (e *Encoder) Null() {
	e.value()
	e.buf = append(e.buf, "null"...)
}

// Message writes a message as an object. m must not change meanwhile.
func (e *Encoder) Message(m proto.Message) {
	r := m.ProtoReflect()
	e.message(r, layoutOf(r.Descriptor()))
}

// StoredMessage writes a message as Mesos writes objects that it keeps, which are those of its older API: each AgentInfo in
// it ends with "checkpoint":true. The operator's answers that list agents, frameworks, executors and tasks are made so, and
// the state a subscriber gets first; the events after it are not.
func (e *Encoder) StoredMessage(m proto.Message) {
	e.stored = true
	e.Message(m)
	e.stored = false
}

// Close writes what is left and returns the first error. An object or array that has not been ended is one. It does not
// close the writer.
func (e *Encoder) Close() error {
	if e.depth != 0 {
		e.fail(fmt.Errorf("the document ends with %d objects and arrays begun more than ended", e.depth))
	}
	if e.callback {
		e.callback = false
		e.buf = append(e.buf, ')')
	}
	e.flush()
	return e.err
}

func (e *Encoder) begin(bracket byte) {
	e.value()
	e.buf = append(e.buf, bracket)
	e.comma = false
	e.depth++
	if e.depth > MaxDepth {
		e.fail(fmt.Errorf("%w: objects and arrays are nested more than %d deep", ErrLimit, MaxDepth))
	}
}

func (e *Encoder) end(bracket byte) {
	e.depth--
	e.buf = append(e.buf, bracket)
	e.comma = true
}

// value makes way for a value or a key.
func (e *Encoder) value() {
	if len(e.buf) >= spill {
		e.flush()
	}
	if e.comma {
		e.buf = append(e.buf, ',')
	}
	e.comma = true
}

func (e *Encoder) flush() {
	if e.w == nil {
		return
	}
	if e.err == nil && len(e.buf) > 0 {
		n, err := e.w.Write(e.buf)
		if err == nil && n < len(e.buf) {
			err = io.ErrShortWrite
		}
		e.fail(err)
	}
	if cap(e.buf) > 4*spill { // a very long string has passed
		e.buf = nil
	}
	e.buf = e.buf[:0]
}

func (e *Encoder) fail(err error) {
	if e.err == nil {
		e.err = err
	}
}

// maxCallback bounds the name of a callback.
const maxCallback = 256

var errCallback = errors.New("the name of the callback has other characters than letters, digits and _$.[] or is not 1 to 256 long")

// AppendCallback appends the call callback(document), which is the answer to a request with ?jsonp=callback and has the
// type text/javascript. The name comes from whoever asks, so it must be one: letters, digits and _$.[] only.
func AppendCallback(dst []byte, callback string, document []byte) ([]byte, error) {
	if err := checkCallback(callback); err != nil {
		return dst, err
	}
	dst = append(append(dst, callback...), '(')
	return append(append(dst, document...), ')'), nil
}

func checkCallback(name string) error {
	if name == "" || len(name) > maxCallback {
		return errCallback
	}
	for _, c := range []byte(name) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case c == '_', c == '$', c == '.', c == '[', c == ']':
		default:
			return errCallback
		}
	}
	return nil
}
