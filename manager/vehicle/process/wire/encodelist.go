package wire

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// A list is one field: of numbers packed, of everything else a message with the
// elements as its fields 1, and an empty field 2 where an element is nil. So a nil
// list (no field) and an empty one stay apart, and so do such elements.
const (
	elementField protowire.Number = 1
	nilField     protowire.Number = 2
)

// list begins the field of a list whose content takes size bytes.
func (e *Encoder) list(size int) {
	e.room(size)
	e.b = protowire.AppendVarint(protowire.AppendTag(e.b, e.field, protowire.BytesType), uint64(size))
}

// begin goes to the next value, a list of n elements, and reports whether to write it.
func (e *Encoder) begin(n int, absent bool) bool {
	e.field++
	if n > MaxElements {
		e.fail(fmt.Errorf("a list has %d elements, and %d can cross", n, MaxElements))
		return false
	}
	return !absent
}

func (e *Encoder) element(size int) {
	e.b = protowire.AppendVarint(protowire.AppendTag(e.b, elementField, protowire.BytesType), uint64(size))
}

func (e *Encoder) absent() {
	e.b = append(protowire.AppendTag(e.b, nilField, protowire.BytesType), 0)
}

// sizeOf is what an element of n bytes takes with its tag and length.
func sizeOf(n int) int { return 1 + protowire.SizeBytes(n) }

func putVarints[T any](e *Encoder, all []T, varint func(T) uint64) {
	if !e.begin(len(all), all == nil) {
		return
	}
	size := 0
	for _, v := range all {
		size += protowire.SizeVarint(varint(v))
	}
	e.list(size)
	for _, v := range all {
		e.b = protowire.AppendVarint(e.b, varint(v))
	}
}

func zigzag[T int32 | int64](v T) uint64     { return protowire.EncodeZigZag(int64(v)) }
func unsigned[T uint32 | uint64](v T) uint64 { return uint64(v) }

// Bools writes the next value. As with every list, nil stays nil, and empty empty.
func (e *Encoder) Bools(all []bool) { putVarints(e, all, protowire.EncodeBool) }

// Int32s writes the next value.
func (e *Encoder) Int32s(all []int32) { putVarints(e, all, zigzag[int32]) }

// Int64s writes the next value.
func (e *Encoder) Int64s(all []int64) { putVarints(e, all, zigzag[int64]) }

// Uint32s writes the next value.
func (e *Encoder) Uint32s(all []uint32) { putVarints(e, all, unsigned[uint32]) }

// Uint64s writes the next value.
func (e *Encoder) Uint64s(all []uint64) { putVarints(e, all, unsigned[uint64]) }

// Float32s writes the next value.
func (e *Encoder) Float32s(all []float32) {
	if !e.begin(len(all), all == nil) {
		return
	}
	e.list(len(all) * protowire.SizeFixed32())
	for _, v := range all {
		e.b = protowire.AppendFixed32(e.b, math.Float32bits(v))
	}
}

// Float64s writes the next value.
func (e *Encoder) Float64s(all []float64) {
	if !e.begin(len(all), all == nil) {
		return
	}
	e.list(len(all) * protowire.SizeFixed64())
	for _, v := range all {
		e.b = protowire.AppendFixed64(e.b, math.Float64bits(v))
	}
}

// Strings writes the next value.
func (e *Encoder) Strings(all []string) {
	if !e.begin(len(all), all == nil) {
		return
	}
	size := 0
	for _, v := range all {
		size += sizeOf(len(v))
	}
	e.list(size)
	for _, v := range all {
		e.element(len(v))
		e.b = append(e.b, v...)
	}
}

// BytesList writes the next value.
func (e *Encoder) BytesList(all [][]byte) {
	if !e.begin(len(all), all == nil) {
		return
	}
	size := 0
	for _, v := range all {
		size += sizeOf(len(v))
	}
	e.list(size)
	for _, v := range all {
		if v == nil {
			e.absent()
			continue
		}
		e.element(len(v))
		e.b = append(e.b, v...)
	}
}

// PutMessages writes the next value.
func PutMessages[M any, P pointer[M]](e *Encoder, all []P) {
	if !e.begin(len(all), all == nil) {
		return
	}
	size := 0
	for _, m := range all {
		n := 0
		if m != nil {
			n = sizing.Size(m)
		}
		size += sizeOf(n)
	}
	e.list(size)
	end := len(e.b) + size
	for _, m := range all {
		if m == nil {
			e.absent()
			continue
		}
		e.b = protowire.AppendTag(e.b, elementField, protowire.BytesType)
		e.message(m, sizing.Size(m))
	}
	if e.err == nil && len(e.b) != end {
		e.fail(errChanged)
	}
}
