// Package legacy writes what the older JSON documents of master and agent have in
// common: fields, resources, tasks, commands. They are written while they are made:
// nothing is held but a buffer.
package legacy

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/mesos-modules/mms/internal/mesosjson"
)

// ErrCallback is in the error for a callback that is no name. Nothing is written then.
var ErrCallback = errors.New("bad jsonp callback")

// Document is an Encoder that knows fields. It writes one document and is for one
// goroutine.
type Document struct {
	*mesosjson.Encoder
	scratch amounts // for resources, which are many
}

// New returns a Document that writes with an encoder.
func New(e *mesosjson.Encoder) *Document { return &Document{Encoder: e} }

// Write writes one document: what body writes, as one value. With a callback it is the
// argument of a call.
func Write(w io.Writer, callback string, body func(d *Document)) error {
	encoder := mesosjson.NewEncoder(w)
	if callback != "" {
		var err error
		if encoder, err = mesosjson.NewCallbackEncoder(w, callback); err != nil {
			return fmt.Errorf("%w: %w", ErrCallback, err)
		}
	}
	d := New(encoder)
	body(d)
	return d.Close()
}

// Text writes a text.
func (d *Document) Text(key, value string) {
	d.Key(key)
	d.String(value)
}

// SomeText writes a text that is there only if it says something.
func (d *Document) SomeText(key, value string) {
	if value != "" {
		d.Text(key, value)
	}
}

// OptionalText writes a text that is there only if it is set.
func (d *Document) OptionalText(key string, value *string) {
	if value != nil {
		d.Text(key, *value)
	}
}

// Number writes a number that has a fraction, even if that is .0.
func (d *Document) Number(key string, value float64) {
	d.Key(key)
	d.Double(value)
}

// Truth writes true or false.
func (d *Document) Truth(key string, value bool) {
	d.Key(key)
	d.Bool(value)
}

// Whole writes a whole number.
func (d *Document) Whole(key string, value int64) {
	d.Key(key)
	d.Int(value)
}

// Time writes seconds since 1970; of what has not happened, 0.0.
func (d *Document) Time(key string, at time.Time) { d.Number(key, Seconds(at)) }

// SomeTime writes a time that is there only if it has come.
func (d *Document) SomeTime(key string, at time.Time) {
	if !at.IsZero() {
		d.Time(key, at)
	}
}

// Seconds is a time as documents have it: seconds since 1970.
func Seconds(at time.Time) float64 {
	if at.IsZero() {
		return 0
	}
	return float64(at.Unix()) + float64(at.Nanosecond())/1e9
}

// List writes an array of what body writes.
func (d *Document) List(key string, body func()) {
	d.Key(key)
	d.BeginArray()
	body()
	d.EndArray()
}

// Object writes an object of the fields that body writes.
func (d *Document) Object(key string, body func()) {
	d.Key(key)
	d.BeginObject()
	body()
	d.EndObject()
}

// Element is an object within a list.
func (d *Document) Element(body func()) {
	d.BeginObject()
	body()
	d.EndObject()
}
