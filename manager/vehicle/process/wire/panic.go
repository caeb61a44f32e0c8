package wire

import (
	"fmt"
	"runtime/debug"
)

// maxPanicStack bounds the stack that a panic carries across.
const maxPanicStack = 32 << 10

// PanicError is what a call gets whose servant panicked in the other process, or ended
// its goroutine. Stubs panic with it in turn.
type PanicError struct {
	Method string
	Value  string // what it panicked with, as text
	Stack  string // of the other process; empty if it is not known

	cause  error // Value, if it was an error
	raised bool  // the call itself panicked, rather than returned this
}

// Error is the text of the value: whoever recovers the error says that it was a panic.
func (e *PanicError) Error() string { return e.Value }

// Unwrap returns what the servant panicked with if it was an error.
func (e *PanicError) Unwrap() error { return e.cause }

// RemoteStack is Stack, for who reports panics and does not know processes.
func (e *PanicError) RemoteStack() string { return e.Stack }

// Returned is what a stub returns for err: it panics with it if the servant panicked.
func Returned(err error) error {
	if p, ok := err.(*PanicError); ok && p.raised {
		panic(p)
	}
	return err
}

// panicked answers a call that panicked with value. It is called while the stack is
// still there.
func (c *Conn) panicked(s Servant, value any) []byte {
	e := &PanicError{Value: bounded(printed(value), maxField), Stack: bounded(string(debug.Stack()), maxPanicStack)}
	e.cause, _ = value.(error)
	if _, ok := s.(*lentSink); ok {
		_ = c.fail(fmt.Errorf("a receiver panicked: %w", e)) // a stream with a hole is worse than none
	}
	out := newAnswer()
	out.b[0] = answerPanic
	c.names.put(out, e)
	return out.b
}

// printed is value as text, whatever its methods do: fmt catches their panics.
func printed(value any) string { return fmt.Sprint(value) }
