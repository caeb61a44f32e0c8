// Package objects has native objects of every kind, good and bad, for the tests
// and benchmarks of the bridge: test files themselves may not use cgo.
package objects

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../../../facade/include -Wall -Wextra
#cgo LDFLAGS: -ldl
#include "objects.h"
#include <dlfcn.h>
#include <stdlib.h>
#include <mesos/roles/calculator.h>

typedef int32_t (*compute)(void*, const mesos_context*, uint8_t, int64_t, int32_t*, mesos_error*);

static int32_t bare(uintptr_t function, uint8_t a, int64_t b) {
  int32_t result = 0;
  ((compute)function)(NULL, NULL, a, b, &result, NULL);
  return result;
}

static uintptr_t open_library(const char* path, int global) {
  return (uintptr_t)dlopen(path, RTLD_NOW | (global ? RTLD_GLOBAL : RTLD_LOCAL));
}

static int close_library(uintptr_t library) { return dlclose((void*)library); }

static uintptr_t create(uintptr_t library, const char* symbol, mesos_error* error) {
  const mesos_module* module = dlsym((void*)library, symbol);
  error->size = sizeof *error;
  error->text[0] = 0;
  if (module == NULL) {
    mesos_fail(error, "no symbol %s", symbol);
    return 0;
  }
  mesos_host host = {sizeof host, -1, module->name, "", NULL, NULL};
  mesos_parameters none = {sizeof none, 0, NULL, NULL};
  return (uintptr_t)module->create(module, NULL, &host, &none, error);
}

static int32_t destroy(uintptr_t library, const char* symbol, uintptr_t object) {
  const mesos_module* module = dlsym((void*)library, symbol);
  mesos_error error = {sizeof error, 0, ""};
  return module->destroy(module, NULL, (void*)object, &error);
}
*/
import "C"

import (
	"fmt"
	"unsafe"
)

// Object returns the address of an object that is there for good, 0 for an unknown
// name: adder, refuser and so on, as objects.c has them.
func Object(name string) uintptr {
	text := C.CString(name)
	defer C.free(unsafe.Pointer(text))
	return uintptr(C.mms_test_object(text))
}

// Function is the address of the function that adder's table has.
func Function() uintptr { return uintptr(C.mms_test_function()) }

// Bare is a plain cgo call of such a function, in its cheapest form: it has no pointers for which noescape would help, and
// the check behind nocallback has a price.
func Bare(function uintptr, a byte, b int64) int32 {
	return int32(C.bare(C.uintptr_t(function), C.uint8_t(a), C.int64_t(b)))
}

// Entered counts the calls that have begun to wait.
func Entered() int64 { return int64(C.mms_test_entered()) }

// Send hands data to the receiver that keeper was given last, from a thread that Go
// knows nothing of, and returns what the receiver answered.
func Send(data []byte) int32 {
	return int32(C.mms_test_send(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data))))
}

// Listens asks that receiver whether anybody still listens.
func Listens() bool { return C.mms_test_open() != 0 }

// Library is an open dynamic library.
type Library struct{ handle C.uintptr_t }

// Open opens a library, after the C++ runtime, as a daemon does it.
func Open(path string) (Library, error) {
	runtime, text := C.CString("libstdc++.so.6"), C.CString(path)
	defer C.free(unsafe.Pointer(runtime))
	defer C.free(unsafe.Pointer(text))
	C.open_library(runtime, 1)
	handle := C.open_library(text, 0)
	if handle == 0 {
		return Library{}, fmt.Errorf("open %s: %s", path, C.GoString(C.dlerror()))
	}
	return Library{handle}, nil
}

// Close closes the library.
func (l Library) Close() error {
	if C.close_library(l.handle) != 0 {
		return fmt.Errorf("%s", C.GoString(C.dlerror()))
	}
	return nil
}

// Create makes an instance of the module that a symbol describes.
func (l Library) Create(symbol string) (uintptr, error) {
	text := C.CString(symbol)
	defer C.free(unsafe.Pointer(text))
	failed := (*C.mesos_error)(C.malloc(C.sizeof_mesos_error))
	defer C.free(unsafe.Pointer(failed))
	object := C.create(l.handle, text, failed)
	if object == 0 {
		return 0, fmt.Errorf("%s", C.GoString(&failed.text[0]))
	}
	return uintptr(object), nil
}

// Destroy gives an instance back.
func (l Library) Destroy(symbol string, object uintptr) int {
	text := C.CString(symbol)
	defer C.free(unsafe.Pointer(text))
	return int(C.destroy(l.handle, text, C.uintptr_t(object)))
}
