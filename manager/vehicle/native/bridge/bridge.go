// Package bridge makes Go values of native objects: it reads what an object says
// it is, and returns an implementation of the role whose methods call into C.
//
// One bridge per role with native modules is generated from the role's interface,
// in the files that begin with zz_; what they share is here.
//
// A native call occupies a thread for as long as it lasts: the Go scheduler
// starts another for the rest of the program. Some hundred calls that wait at the
// same time are fine, ten thousand are the end of the daemon, so roles whose calls
// wait take a receiver for their results instead. An Anonymous module that stays in
// Run costs one thread. Cancelling a context is visible to the module, which reads
// a flag; nothing interrupts it if it does not look.
//
// The calls are declared noescape, so that what they are handed may lie on the
// goroutine's stack: C has no way back into Go by which that stack could grow and
// move. That is not declared as well (nocallback), because the runtime's check of it
// costs a tenth of a call.
//
// A signal inside native code, SIGSEGV for one, ends the daemon: recover does not
// see it.
package bridge

/*
#cgo CFLAGS: -I${SRCDIR}/../../../../facade/include
#include "bridge.h"
#cgo noescape mms_head_read
#cgo nocallback mms_head_read
*/
import "C"

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unsafe"
)

// Wrap returns the object as a Go value that implements the role's interface. The
// object stays its owner's, who destroys it after the last call has returned.
//
// It fails if the role has no bridge, and if the object's head does not say that
// it is of this role: null, no table, wrong magic, a size that cannot be, a role's
// name without an end, another role, or a function missing that the role has
// always had. A pointer to something else altogether cannot be told from an object
// and may end the daemon.
func Wrap(role string, object uintptr) (any, error) {
	wrap := wrapper(role)
	if wrap == nil {
		return nil, fmt.Errorf("role %s is not for native modules", role)
	}
	if err := checkHead(role, C.mms_head_read(C.uintptr_t(object))); err != nil {
		return nil, err
	}
	return wrap(object)
}

func checkHead(role string, head C.mms_head) error {
	switch head.problem {
	case C.MMS_HEAD_OK:
	case C.MMS_HEAD_NO_OBJECT:
		return errors.New("there is no object: the pointer is null")
	case C.MMS_HEAD_NO_TABLE:
		return fmt.Errorf("the object has no role table: it must begin with a pointer to its %s table", role)
	case C.MMS_HEAD_MAGIC:
		return fmt.Errorf("the object does not begin with a role table: no magic; create has to return an object that begins with a pointer to its %s table", role)
	case C.MMS_HEAD_SIZE:
		return fmt.Errorf("the object's role table says it has %d bytes, which cannot be", head.size)
	case C.MMS_HEAD_NO_ROLE:
		return errors.New("the object's role table names no role")
	case C.MMS_HEAD_ROLE_LENGTH:
		return fmt.Errorf("the object's role table names a role that is empty or longer than %d bytes", C.MMS_MAX_ROLE-1)
	default:
		return fmt.Errorf("the object's head has the unknown problem %d", head.problem)
	}
	if found := C.GoStringN(&head.role[0], C.int(head.role_size)); found != role {
		return fmt.Errorf("the object is of the role %q, and the module declares the role %q", strings.ToValidUTF8(found, "\ufffd"), role)
	}
	return nil
}

func missing(role, function string) error {
	return fmt.Errorf("the object's %s table has no function %s, which the role always had", role, function)
}

// CallError is what a native module said when a call failed.
type CallError struct {
	Role, Method string

	// Text is the module's reason: valid UTF-8, at most 1015 bytes, empty if
	// it gave none.
	Text string

	// Code is what the function returned.
	Code int32

	// Cause is why the call's context had ended when it failed, if it had.
	Cause error
}

func (e *CallError) Error() string {
	if e.Text == "" {
		return fmt.Sprintf("%s.%s failed with code %d and gave no reason", e.Role, e.Method, e.Code)
	}
	return e.Text
}

// Unwrap returns the context's cause, so that callers tell a call that gave up
// because it was told to from one that failed.
func (e *CallError) Unwrap() error { return e.Cause }

// failure takes over an mms_failure.
func failure(ctx context.Context, role, method string, address uintptr) error {
	f := (*C.mms_failure)(pointer(address))
	e := &CallError{Role: role, Method: method, Code: int32(f.code), Text: strings.ToValidUTF8(C.GoString(&f.text[0]), "\ufffd")}
	free(address)
	if ctx.Err() != nil {
		e.Cause = context.Cause(ctx)
	}
	return e
}

// pointer turns an address that C has allocated into what cgo wants.
func pointer(address uintptr) unsafe.Pointer { return *(*unsafe.Pointer)(unsafe.Pointer(&address)) }

func free(address uintptr) { C.free(pointer(address)) }
