// Package loader opens dynamic libraries with nothing around it: what that costs is the floor under any module system.
package loader

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdint.h>
#include <stdlib.h>

static uintptr_t open_library(const char* path, const char* symbol) {
  void* handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
  return handle != NULL && dlsym(handle, symbol) != NULL ? (uintptr_t)handle : 0;
}

static void close_library(uintptr_t handle) { dlclose((void*)handle); }
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Library is an open library.
type Library struct{ handle C.uintptr_t }

// Open opens a library and looks a symbol up in it.
func Open(path, symbol string) (Library, error) {
	file, name := C.CString(path), C.CString(symbol)
	defer C.free(unsafe.Pointer(file))
	defer C.free(unsafe.Pointer(name))
	handle := C.open_library(file, name)
	if handle == 0 {
		return Library{}, fmt.Errorf("the dynamic loader does not open %s, or finds no %s in it", path, symbol)
	}
	return Library{handle}, nil
}

// Close closes the library.
func (l Library) Close() { C.close_library(l.handle) }
