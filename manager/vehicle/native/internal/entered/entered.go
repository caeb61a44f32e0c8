// Package entered makes the daemon's last words name the module it died in. A
// signal inside native code ends the process: recover does not see it, and Go's
// own report shows goroutines but no module. A handler in front of Go's writes
// one line to standard error and lets Go's report follow.
//
// The steps of a module say so in the thread's mms_entered (entered.h). Calls of
// its objects do not: two stores are a twentieth of the call. There the library is
// named, by the code that runs or that called what runs.
package entered

// #cgo CFLAGS: -O2
// #include <stdlib.h>
// #include "entered.h"
import "C"

import "unsafe"

// Guard installs the handler, once. Signal handlers belong to the process, so it is
// the same one however often this is called.
func Guard() { C.mms_guard() }

// Alone has a signal inside native code end the process by that signal, after the line
// that names the module, instead of by Go's report and exit status 2: for a process that
// a library has to itself, whose parent wants to know. It cannot be undone.
func Alone() { C.mms_alone() }

// Note ties a label to what a thread is in.
type Note struct{ c unsafe.Pointer }

// Step makes a note for a step of a module, such as its constructor.
func Step(label string) Note { return note(0, 0, false, label) }

// Code makes a note for the addresses of a library. It is found by the code that
// runs, or by a return address on the stack, so that calls of objects, and threads
// that the library has started itself, cost nothing.
func Code(start, end uintptr, label string) Note { return note(start, end, true, label) }

func note(start, end uintptr, code bool, label string) Note {
	text := C.CString(label)
	defer C.free(unsafe.Pointer(text))
	var isCode C.int
	if code {
		isCode = 1
	}
	return Note{C.mms_note_new(C.uintptr_t(start), C.uintptr_t(end), isCode, text)}
}

// Key is what mms_entered is set to.
func (n Note) Key() uintptr { return uintptr(n.c) }

// Free forgets the note. The zero Note may be freed.
func (n Note) Free() { C.mms_note_free(n.c) }

// PlainSignals gives the signals of broken code their default effect, which is to
// end the process by them, and so to tell its parent by which. With Go's handlers
// a parent sees exit status 2. It returns a function that undoes it.
func PlainSignals() (restore func()) {
	saved := C.malloc(C.size_t(C.mms_saved_size()))
	C.mms_plain(saved)
	return func() {
		if saved != nil {
			C.mms_restore(saved)
			C.free(saved)
			saved = nil
		}
	}
}
