package bridge

/*
#include "bridge.h"
*/
import "C"

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"unsafe"

	"google.golang.org/protobuf/proto"
)

// badResult says that what a call gave back cannot be used, though it said that it
// went well.
func badResult(role, method string, err error) error {
	return fmt.Errorf("%s.%s returned what cannot be used: %w", role, method, err)
}

// drop frees what a failed call had collected.
func drop(r *C.mms_result) {
	if r.data != 0 {
		free(uintptr(r.data))
	}
}

// elements cuts what was collected into its elements and gives each to take. The
// bytes are C's: take copies what it keeps. It frees r.
func elements(r *C.mms_result, take func(data []byte) error) error {
	defer drop(r)
	switch r.problem {
	case C.MMS_SINK_OK:
	case C.MMS_SINK_TOO_LARGE:
		return fmt.Errorf("it is larger than the limit of %d MB", C.MMS_MAX_RESULT>>20)
	case C.MMS_SINK_NO_MEMORY:
		return errors.New("there was no memory to take it")
	default:
		return fmt.Errorf("unknown problem %d of a sink", r.problem)
	}
	if r.count == 0 {
		return nil
	}
	rest := unsafe.Slice((*byte)(pointer(uintptr(r.data))), int(r.used))
	for len(rest) > 0 {
		size := binary.NativeEndian.Uint64(rest)
		if err := take(rest[8 : 8+size]); err != nil {
			return err
		}
		rest = rest[8+size:]
	}
	return nil
}

// one takes a result that is no list: none is the zero value.
func one[T any](r *C.mms_result, convert func([]byte) (T, error)) (T, error) {
	var value T
	n := 0
	err := elements(r, func(data []byte) (err error) {
		if n++; n > 1 {
			return errors.New("it wrote more than one element, and the result is no list")
		}
		value, err = convert(data)
		return err
	})
	return value, err
}

// every takes a list.
func every[T any](r *C.mms_result, convert func([]byte) (T, error)) ([]T, error) {
	var all []T
	err := elements(r, func(data []byte) error {
		value, err := convert(data)
		all = append(all, value)
		return err
	})
	if err != nil {
		return nil, err
	}
	return all, nil
}

func text(data []byte) (string, error) { return strings.ToValidUTF8(string(data), "\ufffd"), nil }

func copied(data []byte) ([]byte, error) { return append([]byte{}, data...), nil }

func message[T any, P interface {
	*T
	proto.Message
}](data []byte) (*T, error) {
	m := new(T)
	if err := proto.Unmarshal(data, P(m)); err != nil {
		return nil, fmt.Errorf("no %s: %w", P(m).ProtoReflect().Descriptor().FullName(), err)
	}
	return m, nil
}

// scalar reads a number as it lies in memory.
func scalar[T int32 | int64 | uint32 | uint64 | float32 | float64](data []byte) (T, error) {
	var value T
	if uintptr(len(data)) != unsafe.Sizeof(value) {
		return value, fmt.Errorf("an element has %d bytes, and a %T has %d", len(data), value, unsafe.Sizeof(value))
	}
	copy(unsafe.Slice((*byte)(unsafe.Pointer(&value)), len(data)), data)
	return value, nil
}

func truth(data []byte) (bool, error) {
	if len(data) != 1 {
		return false, fmt.Errorf("an element has %d bytes, and a bool has 1", len(data))
	}
	return data[0] != 0, nil
}

func boolean(value bool) C.uint8_t {
	if value {
		return 1
	}
	return 0
}

// packed is a list of byte strings in C's memory, since Go memory that points to Go
// memory may not cross.
type packed struct {
	block unsafe.Pointer
	n     int
}

func pack[T ~string | ~[]byte](all []T) packed {
	if len(all) == 0 {
		return packed{}
	}
	head := len(all) * C.sizeof_mesos_bytes
	total := head
	for _, x := range all {
		total += len(x)
	}
	p := packed{block: C.malloc(C.size_t(total)), n: len(all)}
	entries := unsafe.Slice((*C.mesos_bytes)(p.block), len(all))
	content := unsafe.Slice((*byte)(p.block), total)
	at := head
	for i, x := range all {
		entries[i].data = unsafe.Add(p.block, at)
		entries[i].size = C.size_t(len(x))
		at += copy(content[at:], x)
	}
	return p
}

func (p packed) first() *C.mesos_bytes { return (*C.mesos_bytes)(p.block) }
func (p packed) count() C.size_t       { return C.size_t(p.n) }
func (p packed) free()                 { C.free(p.block) }

// marshal returns nil for a message that is nil, and other than nil for any that is not.
func marshal(m proto.Message) ([]byte, error) {
	if !m.ProtoReflect().IsValid() {
		return nil, nil
	}
	return proto.Marshal(m)
}

func marshalAll[M proto.Message](all []M) ([][]byte, error) {
	out := make([][]byte, len(all))
	for i, m := range all {
		data, err := proto.Marshal(m)
		if err != nil {
			return nil, err
		}
		out[i] = data
	}
	return out, nil
}
