package mesosjson

import (
	"cmp"
	"io"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Marshal returns the message as JSON. That required fields are set is not asked: one that is not is left out. The only
// error is a message nested deeper than [MaxDepth], which nobody could read. m must not change meanwhile.
func Marshal(m proto.Message) ([]byte, error) { return Append(nil, m) }

// Append appends the message as JSON to dst and returns the longer slice, and dst itself with an error.
func Append(dst []byte, m proto.Message) ([]byte, error) {
	e := Encoder{buf: dst}
	e.Message(m)
	if e.err != nil {
		return dst, e.err
	}
	return e.buf, nil
}

// Write writes the message as JSON without ever holding the text as a whole. With an error, part of it is written.
func Write(w io.Writer, m proto.Message) error {
	e := NewEncoder(w)
	e.Message(m)
	return e.Close()
}

func (e *Encoder) message(m protoreflect.Message, l *layout) {
	e.begin('{')
	if e.err != nil { // too deep, or nobody takes it any more
		e.end('}')
		return
	}
	for i := range l.fields {
		f := &l.fields[i]
		if !m.Has(f.fd) {
			if f.always {
				e.fieldKey(f)
				e.scalar(f, f.fd.Default())
			}
			continue
		}
		switch {
		case f.list:
			e.list(f, m.Get(f.fd).List())
		case f.mapped:
			e.entries(f, m.Get(f.fd).Map())
		default:
			e.single(f, m.Get(f.fd))
		}
	}
	if e.stored && l.agent {
		e.Key("checkpoint")
		e.Bool(true)
	}
	e.end('}')
}

func (e *Encoder) single(f *field, v protoreflect.Value) {
	if !writable(f, v) { // as in C++, where the field is not set then
		if !f.always {
			return
		}
		v = f.fd.Default()
	}
	e.fieldKey(f)
	e.element(f, v)
}

func (e *Encoder) list(f *field, list protoreflect.List) {
	begun := false
	for i := range list.Len() {
		v := list.Get(i)
		if !writable(f, v) {
			continue
		}
		if !begun {
			begun = true
			e.fieldKey(f)
			e.begin('[')
		}
		e.element(f, v)
	}
	if begun {
		e.end(']')
	}
}

func (e *Encoder) entries(f *field, entries protoreflect.Map) {
	type entry struct {
		key   string
		value protoreflect.Value
	}
	sorted := make([]entry, 0, entries.Len())
	entries.Range(func(key protoreflect.MapKey, value protoreflect.Value) bool {
		if writable(f.value, value) {
			sorted = append(sorted, entry{key.String(), value})
		}
		return true
	})
	if len(sorted) == 0 {
		return
	}
	slices.SortFunc(sorted, func(a, b entry) int { return cmp.Compare(a.key, b.key) })
	e.fieldKey(f)
	e.begin('{')
	for _, entry := range sorted {
		e.Key(entry.key)
		e.element(f.value, entry.value)
	}
	e.end('}')
}

// writable says whether there is a way to write the value: there is none for an enum's number without a name. C++ keeps
// such a number among the unknown fields, and what is unknown is not in the JSON.
func writable(f *field, v protoreflect.Value) bool {
	return f.kind != protoreflect.EnumKind || f.fd.Enum().Values().ByNumber(v.Enum()) != nil
}

func (e *Encoder) fieldKey(f *field) {
	e.value()
	e.buf = append(e.buf, f.key...)
	e.comma = false
}

func (e *Encoder) element(f *field, v protoreflect.Value) {
	if f.message != nil {
		e.message(v.Message(), f.message)
		return
	}
	e.scalar(f, v)
}

func (e *Encoder) scalar(f *field, v protoreflect.Value) {
	switch f.kind {
	case protoreflect.BoolKind:
		e.Bool(v.Bool())
	case protoreflect.StringKind:
		e.String(v.String())
	case protoreflect.BytesKind:
		e.Bytes(v.Bytes())
	case protoreflect.EnumKind:
		e.String(string(f.fd.Enum().Values().ByNumber(v.Enum()).Name()))
	case protoreflect.FloatKind, protoreflect.DoubleKind:
		e.Double(v.Float())
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind,
		protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		e.Int(v.Int())
	default: // the unsigned kinds; those of messages are not scalar
		e.Uint(v.Uint())
	}
}
