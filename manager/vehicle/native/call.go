package native

// #include "abi.h"
import "C"

import (
	"context"
	"sync"
	"unsafe"

	"github.com/mesos-modules/mms/manager/vehicle/native/bridge"
)

// cContext is a context as C sees it: a flag that is set when the Go context
// ends, and its deadline.
type cContext struct {
	c    *C.mesos_context
	stop func() bool

	mu sync.Mutex // guards c against being freed while the flag is set
}

// newContext follows ctx until free is called.
func newContext(ctx context.Context) *cContext {
	x := &cContext{c: (*C.mesos_context)(C.calloc(1, C.sizeof_mesos_context))}
	x.c.size = C.sizeof_mesos_context
	if deadline, ok := ctx.Deadline(); ok {
		x.c.deadline_ns = C.int64_t(bridge.Nanoseconds(deadline))
	}
	if ctx.Err() != nil {
		C.abi_cancel(x.c)
	}
	x.stop = context.AfterFunc(ctx, func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.c != nil {
			C.abi_cancel(x.c)
		}
	})
	return x
}

func (x *cContext) free() {
	x.stop()
	x.mu.Lock()
	defer x.mu.Unlock()
	C.free(unsafe.Pointer(x.c))
	x.c = nil
}

// cError is where a call says why it failed.
func newError(a *arena) *C.mesos_error {
	e := zeroed[C.mesos_error](a, 1)
	e.size = C.sizeof_mesos_error
	return e
}

// reason is the text of an error, whether or not the library terminated it.
func reason(e *C.mesos_error) string {
	text := unsafe.Slice((*byte)(unsafe.Pointer(&e.text[0])), len(e.text))
	n := 0
	for n < len(text) && text[n] != 0 {
		n++
	}
	return printable(string(text[:n]))
}

// because is how a reason ends a sentence.
func because(e *C.mesos_error) string {
	if text := reason(e); text != "" {
		return ": " + text
	}
	return " and gave no reason"
}
