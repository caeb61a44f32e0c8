package mesosjson

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
)

// Limits bound what is read. The depth is bounded always, to [MaxDepth].
//
// Besides, a text must be worth the memory it costs: the three bytes of an empty object in a list become a message of two
// hundred. A text is refused when its messages take more than 1 MiB and sixteen times its length; what clients send takes
// up to eight times.
type Limits struct {
	Bytes  int // length of a text; 0 is DefaultBytes, and no more than 4 GiB - 1 are possible
	Values int // how many keys and values it may have; 0 is DefaultValues
}

// What is read where no other limits are given: a reconciliation of a hundred thousand tasks, for one.
const (
	DefaultBytes  = 64 << 20
	DefaultValues = 2 << 20
)

// Unmarshal reads a JSON object into m, which is emptied first, within the default limits. The text is not kept. With an
// error, which is a [*SyntaxError], a [*FieldError] or a [*MissingError], m may be filled in part.
func Unmarshal(text []byte, m proto.Message) error { return Limits{}.Unmarshal(text, m) }

// UnmarshalArray reads a JSON array of objects, each into a message of its own, as flags and forms have them. It is
// bounded and fails as [Unmarshal]; the paths of errors begin with the index.
func UnmarshalArray[M any, P interface {
	*M
	proto.Message
}](text []byte) ([]P, error) {
	var messages []P
	err := Limits{}.array(text, func() proto.Message {
		messages = append(messages, new(M))
		return messages[len(messages)-1]
	})
	if err != nil {
		return nil, err
	}
	return messages, nil
}

// Unmarshal is like the function [Unmarshal], within these limits.
func (l Limits) Unmarshal(text []byte, m proto.Message) error {
	tokens, err := l.scan(text)
	if err != nil {
		return err
	}
	proto.Reset(m)
	d := newDecoder(text, tokens)
	return d.root(m.ProtoReflect(), 0)
}

func (l Limits) array(text []byte, next func() proto.Message) error {
	tokens, err := l.scan(text)
	if err != nil {
		return err
	}
	if tokens[0].kind != tokenArray {
		return &FieldError{Problem: "an array of objects is expected, not " + tokens[0].kind.String()}
	}
	d := newDecoder(text, tokens)
	for i, index := uint32(1), 0; i < tokens[0].next; i, index = tokens[i].next, index+1 {
		d.path = append(d.path[:0], step{kind: stepIndex, index: index})
		if err := d.root(next().ProtoReflect(), i); err != nil {
			return err
		}
	}
	return nil
}

func (l Limits) scan(text []byte) ([]token, error) {
	limit, values := l.Bytes, l.Values
	if limit == 0 {
		limit = DefaultBytes
	}
	if values == 0 {
		values = DefaultValues
	}
	if limit = min(limit, math.MaxUint32); len(text) > limit {
		return nil, &SyntaxError{Offset: limit, Problem: fmt.Sprintf("more than %d bytes of text", limit), Err: ErrLimit}
	}
	s := scanner{text: text, values: values, tokens: make([]token, 0, min(len(text)/6+1, values))}
	if err := s.scan(); err != nil {
		return nil, err
	}
	return s.tokens, nil
}

// decoder fills messages from tokens.
type decoder struct {
	text    []byte
	tokens  []token
	path    path
	found   []uint32 // for each object that is being read, one place for each of the message's fields
	missing bool     // some required field is not set
	room    int      // bytes of memory that messages may still take
}

// A text may cost so much memory, and so many times its length.
const (
	free  = 1 << 20
	worth = 16
)

func newDecoder(text []byte, tokens []token) *decoder {
	return &decoder{text: text, tokens: tokens, room: free + worth*len(text)}
}

func (d *decoder) root(m protoreflect.Message, i uint32) error {
	l := layoutOf(m.Descriptor())
	if kind := d.tokens[i].kind; kind != tokenObject {
		return d.wrong("an object is expected, not %v", kind)
	}
	if err := d.object(m, l, i); err != nil {
		return err
	}
	if d.missing {
		return missing(m, l, d.path)
	}
	return nil
}

// object reads an object in the order that Mesos has made of it when it comes to the message: of equal keys the last one
// is left, and they are sorted. The order decides which member of a oneof stays.
func (d *decoder) object(m protoreflect.Message, l *layout, i uint32) error {
	if d.room -= l.size; d.room < 0 {
		return &SyntaxError{
			Offset:  int(d.tokens[i].start),
			Problem: fmt.Sprintf("more objects than %d bytes of text are worth", len(d.text)),
			Err:     ErrLimit,
		}
	}
	base := len(d.found)
	d.found = append(d.found, make([]uint32, len(l.fields))...) // which takes no memory of its own
	for k := i + 1; k < d.tokens[i].next; k = d.tokens[k+1].next {
		if f, ok := l.byName[string(d.string(k))]; ok {
			d.found[base+f] = k + 1
		}
	}
	for _, index := range l.sorted {
		value := d.found[base+index]
		if value == 0 { // the first token is the document, no field's
			continue
		}
		f := &l.fields[index]
		d.path = append(d.path, step{name: f.name})
		if err := d.field(m, f, value); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	d.found = d.found[:base]
	for _, index := range l.required {
		if !m.Has(l.fields[index].fd) {
			d.missing = true
		}
	}
	return nil
}

func (d *decoder) field(m protoreflect.Message, f *field, i uint32) error {
	kind := d.tokens[i].kind
	switch {
	case kind == tokenNull:
		return nil
	case f.list:
		return d.list(m.Mutable(f.fd).List(), f, i)
	case f.mapped:
		return d.entries(m.Mutable(f.fd).Map(), f, i)
	case kind == tokenArray:
		return d.wrong("an array where one %s is expected", f.expects())
	case f.message != nil && kind == tokenObject:
		return d.object(m.Mutable(f.fd).Message(), f.message, i)
	}
	v, ok, err := d.scalar(f, i)
	if ok && err == nil {
		m.Set(f.fd, v)
	}
	return err
}

// list reads an array, or one value in place of an array, or arrays in an array.
func (d *decoder) list(list protoreflect.List, f *field, i uint32) error {
	switch kind := d.tokens[i].kind; {
	case kind == tokenNull:
		return nil
	case kind == tokenArray:
		return d.each(i, func(i uint32) error { return d.list(list, f, i) })
	case f.message != nil && kind == tokenObject:
		v := list.NewElement()
		list.Append(v)
		return d.object(v.Message(), f.message, i)
	}
	v, ok, err := d.scalar(f, i)
	if ok && err == nil {
		list.Append(v)
	}
	return err
}

func (d *decoder) each(i uint32, read func(uint32) error) error {
	for k, index := i+1, 0; k < d.tokens[i].next; k, index = d.tokens[k].next, index+1 {
		d.path = append(d.path, step{kind: stepIndex, index: index})
		if err := read(k); err != nil {
			return err
		}
		d.path = d.path[:len(d.path)-1]
	}
	return nil
}

// entries reads a map: an object, or an array of objects that together are one. An entry whose value says nothing, which
// is null, or an enum's name that is unknown, is there with the value of a field that is not set.
func (d *decoder) entries(entries protoreflect.Map, f *field, i uint32) error {
	switch kind := d.tokens[i].kind; kind {
	case tokenNull:
		return nil
	case tokenArray:
		return d.each(i, func(i uint32) error { return d.entries(entries, f, i) })
	case tokenObject:
	default:
		return d.wrong("%v where an object is expected", kind)
	}
	last := map[string]uint32{}
	for k := i + 1; k < d.tokens[i].next; k = d.tokens[k+1].next {
		last[string(d.string(k))] = k + 1
	}
	for _, name := range slices.Sorted(maps.Keys(last)) {
		d.path = append(d.path, step{kind: stepKey, key: name})
		key, err := d.key(f.fd.MapKey(), name)
		if err != nil {
			return err
		}
		value, err := d.entry(entries.NewValue(), f.value, last[name])
		if err != nil {
			return err
		}
		entries.Set(key, value)
		d.path = d.path[:len(d.path)-1]
	}
	return nil
}

// entry reads the value of an entry over the one that it has when nothing is said.
func (d *decoder) entry(unset protoreflect.Value, f *field, i uint32) (protoreflect.Value, error) {
	switch kind := d.tokens[i].kind; {
	case kind == tokenArray:
		return unset, d.wrong("an array where one %s is expected", f.expects())
	case f.message != nil && kind == tokenObject:
		return unset, d.object(unset.Message(), f.message, i)
	case kind == tokenNull:
		if f.message != nil && len(f.message.required) > 0 {
			d.missing = true
		}
		return unset, nil
	}
	said, ok, err := d.scalar(f, i)
	if !ok || err != nil {
		return unset, err
	}
	return said, nil
}

func (d *decoder) string(i uint32) []byte {
	t := d.tokens[i]
	text := d.text[t.start:t.end]
	if t.escaped {
		text = unescape(text)
	}
	return text
}

func (d *decoder) wrong(format string, args ...any) error {
	return &FieldError{Path: d.path.String(), Problem: fmt.Sprintf(format, args...)}
}
