package native

// #cgo CFLAGS: -O2 -D_GNU_SOURCE -I${SRCDIR} -I${SRCDIR}/../../../facade/include
// #cgo LDFLAGS: -ldl
// #include <stdlib.h>
// #include "dl.h"
import "C"

import (
	"errors"
	"sync"
	"unsafe"

	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
)

// cxxRuntime is the C++ library. It is opened for all before the first module
// library: one linked by gcc instead of g++ does not ask for it and would not
// open, and symbols that C++17 makes unique in the process would keep the first
// library that defines them from ever being closed.
const cxxRuntime = "libstdc++.so.6"

// runtimes opens what module libraries may count on.
type runtimes struct {
	once sync.Once
	err  error
}

// open reports why there is no C++ library; libraries in plain C do without.
func (r *runtimes) open() error {
	r.once.Do(func() {
		_, r.err = load(cxxRuntime, C.RTLD_NOW|C.RTLD_GLOBAL, entered.Note{})
	})
	return r.err
}

// handle is an open library, as the loader knows it.
type handle uintptr

func openLocal(path string, note entered.Note) (handle, error) {
	return load(path, C.RTLD_NOW|C.RTLD_LOCAL, note)
}

func load(path string, flags C.int, note entered.Note) (handle, error) {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	var h C.uintptr_t
	if why := C.dl_open(name, flags, C.uintptr_t(note.Key()), &h); why != nil {
		return 0, taken(why)
	}
	return handle(h), nil
}

func (h handle) close(note entered.Note) error {
	if why := C.dl_close(C.uintptr_t(h), C.uintptr_t(note.Key())); why != nil {
		return taken(why)
	}
	return nil
}

// base is what has to be added to addresses of the file.
func (h handle) base() uint64 { return uint64(C.dl_base(C.uintptr_t(h))) }

// isLoaded reports whether a library of this path is in the process.
func isLoaded(path string) bool {
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return C.dl_loaded(name) != 0
}

// isGlobal reports whether the process has a symbol that every library may use.
func isGlobal(symbol string) bool {
	name := C.CString(symbol)
	defer C.free(unsafe.Pointer(name))
	return C.dl_symbol(0, name) != 0
}

func taken(why *C.char) error {
	defer C.free(unsafe.Pointer(why))
	return errors.New(printable(C.GoString(why)))
}
