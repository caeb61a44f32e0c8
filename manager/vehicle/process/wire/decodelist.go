package wire

import (
	"cmp"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

func (d *Decoder) tooLong(n int) bool {
	most := cmp.Or(int(d.most), MaxElements)
	if n > most {
		d.fail(fmt.Errorf("a list has more than the %d elements that can cross", most))
	}
	return n > most
}

// takeVarints reads a packed list.
func takeVarints[T any](d *Decoder, most uint64, convert func(uint64) T) []T {
	b, ok := d.bytes()
	if !ok {
		return nil
	}
	count := 0
	for _, c := range b {
		if c < 0x80 { // the last byte of a number
			count++
		}
	}
	if d.tooLong(count) {
		return nil
	}
	all := make([]T, 0, count)
	for len(b) > 0 {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			d.fail(protowire.ParseError(n))
			return nil
		}
		if v > most {
			d.fail(errRange)
			return nil
		}
		all = append(all, convert(v))
		b = b[n:]
	}
	return all
}

// Bools returns the next value. As with every list, nil stays nil, and empty empty.
func (d *Decoder) Bools() []bool { return takeVarints(d, 1, protowire.DecodeBool) }

// Int32s returns the next value.
func (d *Decoder) Int32s() []int32 {
	return takeVarints(d, math.MaxUint32, func(v uint64) int32 { return int32(protowire.DecodeZigZag(v)) })
}

// Int64s returns the next value.
func (d *Decoder) Int64s() []int64 {
	return takeVarints(d, math.MaxUint64, protowire.DecodeZigZag)
}

// Uint32s returns the next value.
func (d *Decoder) Uint32s() []uint32 {
	return takeVarints(d, math.MaxUint32, func(v uint64) uint32 { return uint32(v) })
}

// Uint64s returns the next value.
func (d *Decoder) Uint64s() []uint64 {
	return takeVarints(d, math.MaxUint64, func(v uint64) uint64 { return v })
}

// takeFixed reads a list of numbers that take size bytes each.
func takeFixed[T any](d *Decoder, size int, consume func([]byte) T) []T {
	b, ok := d.bytes()
	if !ok || d.tooLong(len(b)/size) {
		return nil
	}
	if len(b)%size != 0 {
		d.fail(errors.New("a list ends within a number"))
		return nil
	}
	all := make([]T, 0, len(b)/size)
	for ; len(b) > 0; b = b[size:] {
		all = append(all, consume(b))
	}
	return all
}

// Float32s returns the next value.
func (d *Decoder) Float32s() []float32 {
	return takeFixed(d, protowire.SizeFixed32(), func(b []byte) float32 {
		v, _ := protowire.ConsumeFixed32(b)
		return math.Float32frombits(v)
	})
}

// Float64s returns the next value.
func (d *Decoder) Float64s() []float64 {
	return takeFixed(d, protowire.SizeFixed64(), func(b []byte) float64 {
		v, _ := protowire.ConsumeFixed64(b)
		return math.Float64frombits(v)
	})
}

// takeElements reads a list of what is not a number. Each gets the content of an
// element, and nil for one that is nil.
func takeElements[T any](d *Decoder, each func(v []byte) T) []T {
	d.whole = nil // elements may be parts of it
	b, ok := d.bytes()
	if !ok {
		return nil
	}
	count, ok := d.count(b)
	if !ok {
		return nil
	}
	all := make([]T, 0, count)
	for len(b) > 0 && d.err == nil {
		number, v, n := element(b)
		switch number {
		case elementField:
			all = append(all, each(v[:len(v):len(v)]))
		case nilField:
			all = append(all, each(nil))
		}
		b = b[n:]
	}
	return all
}

// count checks a list and returns how many elements it has.
func (d *Decoder) count(b []byte) (count int, ok bool) {
	for len(b) > 0 {
		number, _, n := element(b)
		if n < 0 {
			d.fail(protowire.ParseError(n))
			return 0, false
		}
		if number == elementField || number == nilField {
			count++
		}
		b = b[n:]
	}
	return count, !d.tooLong(count)
}

// element returns the first field of b: its number if it is one of ours, what it
// holds, and how much of b it takes, which is negative if it cannot be read.
func element(b []byte) (number protowire.Number, v []byte, n int) {
	number, kind, head := protowire.ConsumeTag(b)
	if head < 0 {
		return 0, nil, head
	}
	if kind != protowire.BytesType {
		if n = protowire.ConsumeFieldValue(number, kind, b[head:]); n < 0 {
			return 0, nil, n
		}
		return 0, nil, head + n
	}
	if v, n = protowire.ConsumeBytes(b[head:]); n < 0 {
		return 0, nil, n
	}
	return number, v, head + n
}

// Strings returns the next value.
func (d *Decoder) Strings() []string {
	return takeElements(d, func(v []byte) string { return string(v) })
}

// BytesList returns the next value, whose elements are parts of what is decoded.
func (d *Decoder) BytesList() [][]byte {
	return takeElements(d, func(v []byte) []byte { return v })
}

// TakeMessages returns the next value.
func TakeMessages[M any, P pointer[M]](d *Decoder) []P {
	return takeElements(d, func(v []byte) P {
		if v == nil {
			return nil
		}
		return messageOf[M, P](d, v)
	})
}
