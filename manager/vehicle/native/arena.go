package native

// #include "abi.h"
import "C"

import "unsafe"

// arena is C memory that is given back as one. Nothing in it points to memory of
// Go. It is not safe for concurrent use.
type arena struct{ blocks []unsafe.Pointer }

// zeroed returns room for n values of T. T has no pointers to memory of Go.
func zeroed[T any](a *arena, n int) *T {
	var one T
	p := C.calloc(C.size_t(max(n, 1)), C.size_t(max(unsafe.Sizeof(one), 1)))
	a.blocks = append(a.blocks, p)
	return (*T)(p)
}

// text copies s. What C cannot carry, all from a NUL on, is lost.
func (a *arena) text(s string) *C.char {
	p := C.CString(s)
	a.blocks = append(a.blocks, unsafe.Pointer(p))
	return p
}

// texts makes an array of texts.
func (a *arena) texts(all []string) **C.char {
	first := zeroed[*C.char](a, len(all))
	slots := unsafe.Slice(first, len(all))
	for i, s := range all {
		slots[i] = a.text(s)
	}
	return first
}

func (a *arena) free() {
	for _, p := range a.blocks {
		C.free(p)
	}
	a.blocks = nil
}
