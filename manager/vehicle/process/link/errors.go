package link

import (
	"errors"
	"fmt"
	"io"
	"net"
)

// ErrEnded is what a call gets whose link ended before the answer came. The error that
// wraps it wraps Link.Err as well. The call may have had its effect.
var ErrEnded = errors.New("the connection to the other process has ended")

// What Link.Err says where nobody broke the rules.
var (
	errClosed = fmt.Errorf("this side closed the connection: %w", net.ErrClosed)
	errLeft   = fmt.Errorf("the other side closed the connection: %w", io.EOF)
)

// DisorderError ends a link whose other side broke its rules.
type DisorderError struct {
	What string // "a frame of 4294967295 bytes"; for people

	// Half says that a message stopped in the middle. That is also what a process
	// leaves that was killed while it wrote one: look at the process first.
	Half bool
}

func (e *DisorderError) Error() string {
	return "the other side broke the rules of the connection: " + e.What
}

func disorder(format string, args ...any) *DisorderError {
	return &DisorderError{What: fmt.Sprintf(format, args...)}
}

// TooLargeError is what a call gets whose arguments or answer are larger than one of
// the two sides takes. If it is the answer that is too large the call had its effect.
type TooLargeError struct {
	What  string // "arguments", "answer" or "name of the method"
	Size  int64
	Limit int64
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("the %s of the call has %d bytes, and at most %d can be carried", e.What, e.Size, e.Limit)
}

// FaultError is what a call gets whose handler panicked, or ended its goroutine, on the
// other side. The handlers that stand behind a link are expected to see to it themselves;
// this is what is left when they do not.
type FaultError struct{ Text string }

func (e *FaultError) Error() string { return "the handler of the call failed: " + e.Text }

// endedError is ErrEnded with its cause.
type endedError struct{ cause error }

func (e *endedError) Error() string   { return ErrEnded.Error() + ": " + e.cause.Error() }
func (e *endedError) Unwrap() []error { return []error{ErrEnded, e.cause} }
