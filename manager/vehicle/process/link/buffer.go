package link

import (
	"math/bits"
	"sync"
)

// Large is the size from which on a message is carried beside the calls, and its memory
// is used again.
const Large = maxInline

// maxKept is the largest memory that is kept.
const maxKept = 8 << 20

// buffers keeps the memory of large messages: without it a process that does little else
// would collect garbage for every other message of a megabyte.
var buffers sync.Pool // of *[]byte

// Buffer returns an empty slice with room for n bytes: for arguments of a call, or an
// answer. What is handed to Call, or returned by a handler, is used again if it is
// large, wherever it is from.
func Buffer(n int) []byte {
	if kept, ok := buffers.Get().(*[]byte); ok {
		if cap(*kept) >= n {
			return (*kept)[:0]
		}
	}
	step := 1 << max(bits.Len(uint(n))-4, 0) // so that one fits the next of nearly the same size
	return make([]byte, 0, (n+step-1)/step*step)
}

// Recycle gives back the arguments that a handler got, or the answer of a call, if they
// are large: nobody may look at them any more. It need not be called.
func Recycle(b []byte) {
	if cap(b) > Large && cap(b) <= maxKept {
		b = b[:0]
		buffers.Put(&b)
	}
}
