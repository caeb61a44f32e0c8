package mesosjson

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/reflect/protoreflect"
)

func (k tokenKind) String() string {
	switch k {
	case tokenNull:
		return "null"
	case tokenTrue, tokenFalse:
		return "a boolean"
	case tokenNumber:
		return "a number"
	case tokenString:
		return "a string"
	case tokenArray:
		return "an array"
	case tokenObject:
		return "an object"
	default:
		return fmt.Sprintf("token kind %d", byte(k))
	}
}

// expects names what a field takes.
func (f *field) expects() string {
	switch f.kind {
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return "object"
	case protoreflect.EnumKind:
		return "name of a " + string(f.fd.Enum().FullName())
	case protoreflect.BytesKind:
		return "base64 string"
	default:
		return f.kind.String()
	}
}

// scalar reads the value of a field that is no message, or says what is wrong with one that is. ok is false for a value
// that is dropped.
func (d *decoder) scalar(f *field, i uint32) (v protoreflect.Value, ok bool, err error) {
	var fits bool
	switch d.tokens[i].kind {
	case tokenString:
		return d.fromString(f, i)
	case tokenNumber:
		v, fits, err = d.fromNumber(f, d.string(i))
	case tokenTrue, tokenFalse:
		v, fits = protoreflect.ValueOfBool(d.tokens[i].kind == tokenTrue), f.kind == protoreflect.BoolKind
	default: // null and arrays are dealt with before
	}
	if !fits {
		return v, false, d.wrong("%v where one %s is expected", d.tokens[i].kind, f.expects())
	}
	return v, err == nil, err
}

func (d *decoder) fromString(f *field, i uint32) (v protoreflect.Value, ok bool, err error) {
	text := d.string(i)
	switch f.kind {
	case protoreflect.StringKind:
		return protoreflect.ValueOfString(string(text)), true, nil
	case protoreflect.BytesKind:
		decoded, at := decodeBase64(text)
		if at >= 0 {
			return v, false, d.wrong("%q is not a character of base64", text[at])
		}
		return protoreflect.ValueOfBytes(decoded), true, nil
	case protoreflect.EnumKind:
		value := f.fd.Enum().Values().ByName(protoreflect.Name(text))
		if value == nil && f.required {
			return v, false, d.wrong("%s is not the name of a %s", quote(string(text)), f.fd.Enum().FullName())
		}
		if value == nil {
			return v, false, nil
		}
		return protoreflect.ValueOfEnum(value.Number()), true, nil
	case protoreflect.MessageKind, protoreflect.GroupKind:
		return v, false, d.wrong("a string where an object is expected")
	case protoreflect.BoolKind:
		if kind, _, ok := alone(text); ok && (kind == tokenTrue || kind == tokenFalse) {
			return protoreflect.ValueOfBool(kind == tokenTrue), true, nil
		}
		return v, false, d.wrong("the string %s, which is neither true nor false", quote(string(text)))
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		switch string(text) {
		case "Infinity":
			return ofFloat(f.kind, math.Inf(1)), true, nil
		case "-Infinity":
			return ofFloat(f.kind, math.Inf(-1)), true, nil
		}
	}
	kind, number, ok := alone(text)
	if !ok || kind != tokenNumber {
		return v, false, d.wrong("the string %s, which is not a number", quote(string(text)))
	}
	v, _, err = d.fromNumber(f, number)
	return v, err == nil, err
}

// alone reads a text that is itself JSON, and one value only.
func alone(text []byte) (tokenKind, []byte, bool) {
	s := scanner{text: text, values: 1}
	if err := s.scan(); err != nil {
		return 0, nil, false
	}
	t := s.tokens[0]
	return t.kind, text[t.start:t.end], true
}

// fromNumber reads a number. fits is false if the field takes none.
func (d *decoder) fromNumber(f *field, text []byte) (v protoreflect.Value, fits bool, err error) {
	n := parseNumber(string(text))
	inRange := true
	switch f.kind {
	case protoreflect.DoubleKind, protoreflect.FloatKind:
		return ofFloat(f.kind, n.double), true, nil
	case protoreflect.Int32Kind, protoreflect.Sint32Kind, protoreflect.Sfixed32Kind:
		inRange = n.cut(math.MinInt32, math.MaxInt32+1)
		v = protoreflect.ValueOfInt32(int32(n.bits))
	case protoreflect.Uint32Kind, protoreflect.Fixed32Kind:
		inRange = n.cut(0, math.MaxUint32+1)
		v = protoreflect.ValueOfUint32(uint32(n.bits))
	case protoreflect.Int64Kind, protoreflect.Sint64Kind, protoreflect.Sfixed64Kind:
		inRange = n.cut(math.MinInt64, math.MaxInt64)
		v = protoreflect.ValueOfInt64(int64(n.bits))
	case protoreflect.Uint64Kind, protoreflect.Fixed64Kind:
		inRange = n.cut(0, math.MaxUint64)
		v = protoreflect.ValueOfUint64(n.bits)
	default:
		return v, false, nil
	}
	if !inRange {
		err = d.wrong("%s is out of range for %s", quote(string(text)), f.expects())
	}
	return v, true, err
}

// number is what a text that the scanner took for a number says: the bits of a whole one within 64 bits, of which a
// smaller field takes those it has room for, or else a double.
type number struct {
	bits   uint64
	double float64
	whole  bool
	above  bool // whole, and above the int64 range
}

func parseNumber(text string) number {
	if signed, err := strconv.ParseInt(text, 10, 64); err == nil {
		return number{bits: uint64(signed), double: float64(signed), whole: true}
	}
	double, _ := strconv.ParseFloat(text, 64) // the scanner has done it before
	unsigned, err := strconv.ParseUint(text, 10, 64)
	return number{bits: unsigned, double: double, whole: err == nil, above: err == nil}
}

// cut makes a double whole, and says whether it was at least low and less than high. What is whole already may be anything.
func (n *number) cut(low, high float64) bool {
	if n.above {
		return high == math.MaxUint64
	}
	if n.whole {
		return true
	}
	double := math.Trunc(n.double)
	if double < low || double >= high {
		return false
	}
	if double < 0 {
		n.bits = uint64(int64(double))
	} else {
		n.bits = uint64(double)
	}
	return true
}

func ofFloat(kind protoreflect.Kind, f float64) protoreflect.Value {
	if kind == protoreflect.FloatKind {
		return protoreflect.ValueOfFloat32(float32(f))
	}
	return protoreflect.ValueOfFloat64(f)
}

// decodeBase64 reads the standard alphabet as Mesos does: white space is nothing, a = ends it, and nothing needs to be
// padded. at is where another character stands, or -1.
func decodeBase64(text []byte) (decoded []byte, at int) {
	text, _, _ = bytes.Cut(text, []byte("="))
	digits := make([]byte, 0, len(text))
	for i, c := range text {
		switch {
		case c >= '\t' && c <= '\r' || c == ' ':
		case c >= 'A' && c <= 'Z', c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '+', c == '/':
			digits = append(digits, c)
		default:
			return nil, i
		}
	}
	decoded, _ = base64.RawStdEncoding.AppendDecode(nil, digits) // but for six bits at the end that make no byte
	return decoded, -1
}

// key reads the key of a map's entry.
func (d *decoder) key(fd protoreflect.FieldDescriptor, name string) (protoreflect.MapKey, error) {
	f := field{fd: fd, kind: fd.Kind()}
	if f.kind == protoreflect.StringKind {
		return protoreflect.ValueOfString(name).MapKey(), nil
	}
	keys := decoder{text: []byte(name), tokens: []token{{end: uint32(len(name)), kind: tokenString}}, path: d.path}
	v, _, err := keys.fromString(&f, 0)
	if err != nil {
		return protoreflect.MapKey{}, err
	}
	return v.MapKey(), nil
}
