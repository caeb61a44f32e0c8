package link

import (
	"context"
	"errors"
	"os"
	"time"
)

// Handler answers the calls of the other side.
type Handler interface {
	// Handle is called in a goroutine of its own for each call. ctx ends when the
	// caller's does, at the caller's deadline, and when the link ends. object and
	// method are what the other side wrote: nothing about them has been checked. Handle
	// owns args and gives answer away. It is not to panic; if it does the call fails
	// with a *FaultError.
	Handle(ctx context.Context, object uint64, method string, args []byte) (answer []byte)
}

// Options are limits of one side. The other side is told them, and waits or fails by
// itself where a call would break one; if it breaks one the link ends.
type Options struct {
	MaxMessage int           // bytes of the arguments or of the answer of a call; 0: 64 MiB
	MaxPending int           // bytes of large arguments that handlers have been given and have not yet answered; 0: 256 MiB
	MaxCalls   int           // of the other side at once; 0: 10 000
	Spin       time.Duration // how long to ask again before a goroutine is parked; 0: 50 µs, negative: not at all
}

// Grace is how long a call whose context has ended waits for its answer: by then the
// other side has been told, and what it still says is better than nothing.
const Grace = time.Second

// Pair makes a control socket: one end for this process, one for the other. Both are
// closed on exec; the child's has to be handed on (os/exec's ExtraFiles does).
func Pair() (ours, theirs *os.File, err error) { return nil, nil, errors.New("no pair") }

// Link is one side of the connection between two processes. Its methods are safe for
// concurrent use.
type Link struct{}

// New makes a link of one end of a control socket, whichever, and takes it over, also
// where it fails. h is called from now on; calls may be made at once, and wait until
// the other side has come.
func New(control *os.File, h Handler, o Options) (*Link, error) { return nil, errors.New("no link") }

// Call has the other side's handler answer. It takes args over: they must not be
// changed any more. The answer is the caller's.
//
// If ctx ends, the other side is told so, which ends the handler's context, and the
// call waits for the answer for Grace; then it returns the cause of ctx. A deadline of
// ctx crosses as the time that is left. The error wraps ErrEnded if the link has ended
// or ends meanwhile, and is a *TooLargeError or *FaultError otherwise.
//
// A call that starts after another has returned is seen by the other side after it.
// There is no order between calls at the same time.
func (l *Link) Call(ctx context.Context, object uint64, method string, args []byte) (answer []byte, err error) {
	return nil, ErrEnded
}

// Close ends the link. Calls under way fail at once, contexts of handlers end, and
// what they answer goes nowhere. It waits for the link's own goroutines, not for
// handlers. It may be called again, and from within a handler.
func (l *Link) Close() error { return nil }

// Done is closed when the link has ended, by whatever.
func (l *Link) Done() <-chan struct{} { return nil }

// Err is why the link ended; nil before. It is a *DisorderError if the other side broke
// the rules, wraps io.EOF if it closed the connection, and net.ErrClosed if this side
// did.
func (l *Link) Err() error { return nil }
