package bridge

/*
#include "bridge.h"
*/
import "C"

import (
	"context"
	"sync/atomic"
	"time"
	"unsafe"
)

// watched is a context as C sees it. It is ordinary Go memory: C may read it
// while the call lasts, which is all it may do, and it goes when neither call nor
// context hold on to it any more. So there is nothing to give back, whichever of
// the two ends first.
type watched struct {
	context C.mesos_context
	stop    func() bool
}

// watch shows ctx to C. A context that cannot end (one without a Done channel) need
// not be watched: C is then handed a null pointer.
func watch(ctx context.Context) *watched {
	w := &watched{}
	w.context.size = C.uint32_t(unsafe.Sizeof(w.context))
	if deadline, ok := ctx.Deadline(); ok {
		w.context.deadline_ns = C.int64_t(Nanoseconds(deadline))
	}
	if ctx.Err() != nil {
		w.cancel()
		return w
	}
	w.stop = context.AfterFunc(ctx, w.cancel)
	return w
}

func (w *watched) cancel() { atomic.StoreInt32((*int32)(&w.context.cancelled), 1) }

// raw is what the call is handed.
func (w *watched) raw() *C.mesos_context {
	if w == nil {
		return nil
	}
	return &w.context
}

// end is called when the call has returned.
func (w *watched) end() {
	if w != nil && w.stop != nil {
		w.stop()
	}
}

// Nanoseconds is a deadline as C has it: the time since the epoch, at least 1, since
// 0 means no deadline, and at most what 64 bits take.
func Nanoseconds(t time.Time) int64 {
	if t.Before(time.Unix(0, 1)) {
		return 1
	}
	if latest := time.Unix(0, 1<<63-1); t.After(latest) {
		return 1<<63 - 1
	}
	return t.UnixNano()
}
