package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Handler answers the calls of the other side.
type Handler interface {
	// Handle is called in a goroutine of its own for each call. ctx ends when the
	// caller's does, at the caller's deadline, and when the link ends. object and
	// method are what the other side wrote: nothing about them has been checked. Handle
	// owns args, may return them as its answer, and gives the answer away: nobody may
	// look at it any more, for its memory is used again (Buffer). It is not to panic; if it does the call fails
	// with a *FaultError.
	Handle(ctx context.Context, object uint64, method string, args []byte) (answer []byte)
}

// Options are limits of one side. The other side is told them, and waits or fails by
// itself where a call would break one; if it breaks one the link ends.
type Options struct {
	MaxMessage int           // bytes of the arguments or of the answer of a call; 0: 64 MiB
	MaxPending int           // bytes of large arguments of calls that are not answered yet; 0: 256 MiB; at least MaxMessage
	MaxCalls   int           // of the other side at once; 0: 10 000
	Spin       time.Duration // how long to ask again before a goroutine is parked; 0: 50 µs, negative: not at all
}

func (o Options) filled() Options {
	if o.MaxMessage <= 0 {
		o.MaxMessage = 64 << 20
	}
	o.MaxMessage = max(o.MaxMessage, maxInline)
	if o.MaxPending <= 0 {
		o.MaxPending = 256 << 20
	}
	o.MaxPending = max(o.MaxPending, o.MaxMessage)
	if o.MaxCalls <= 0 {
		o.MaxCalls = 10_000
	}
	if o.Spin == 0 {
		o.Spin = 50 * time.Microsecond
	}
	return o
}

// Grace is how long a call whose context has ended waits for its answer: by then the
// other side has been told, and what it still says is better than nothing.
const Grace = time.Second

// Link is one side of the connection between two processes. Its methods are safe for
// concurrent use.
type Link struct {
	options  Options
	grace    time.Duration
	control  *control
	in       *incoming
	out      outgoing
	lastCall atomic.Uint64

	ctx    context.Context // ends with the link
	cancel context.CancelFunc
	silent context.Context // the same, for ttrpc
	done   chan struct{}
	own    sync.WaitGroup // goroutines that are the link's

	mu   sync.Mutex
	err  error
	open map[io.Closer]struct{} // what ends with the link
}

// New makes a link of one end of a control socket, whichever, and takes it over, also
// where it fails. h is called from now on; calls may be made at once, and wait until
// the other side has come.
func New(control *os.File, h Handler, o Options) (*Link, error) {
	return newLink(control, h, o, renewAfter, Grace)
}

func newLink(file *os.File, h Handler, o Options, renewAfter int, grace time.Duration) (*Link, error) {
	control, err := takeControl(file)
	if err != nil {
		return nil, err
	}
	l := &Link{options: o.filled(), grace: grace, control: control, done: make(chan struct{}), open: map[io.Closer]struct{}{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	l.silent = silent(l.ctx)
	l.out = outgoing{link: l, renewAfter: renewAfter, met: make(chan struct{})}
	l.keep(control)
	if err := l.begin(h); err != nil {
		l.end(err)
		return nil, fmt.Errorf("begin a connection: %w", errors.Join(err, l.Close()))
	}
	l.start(l.listen)
	return l, nil
}

// begin makes this side's own connections and hands them over, the lane first.
func (l *Link) begin(h Handler) (err error) {
	if l.in, err = newIncoming(l, h); err != nil {
		return err
	}
	ours, theirs, err := streamPair()
	if err != nil {
		return err
	}
	lane, err := newLane(ours)
	if err != nil {
		return errors.Join(err, unix.Close(theirs))
	}
	l.keep(lane)
	if err := l.control.hand([]byte{handLane}, theirs); err != nil {
		return err
	}
	l.out.lane, l.out.answers = newOutlet(lane), newInlet(lane, l.options.MaxMessage)
	l.run(l.out.lane.run)
	l.run(l.out.answers.run)
	l.out.mu.Lock()
	defer l.out.mu.Unlock()
	l.out.current, err = l.out.dial()
	return err
}

func (l *Link) greeting() greeting {
	return greeting{message: uint64(l.options.MaxMessage), pending: uint64(l.options.MaxPending), calls: uint32(min(l.options.MaxCalls, 1<<31))}
}

// listen takes what the other side hands over, until the end of the link.
func (l *Link) listen() {
	for {
		packet, end, err := l.control.take()
		if errors.Is(err, errNoDescriptor) && l.in.out != nil && len(packet) > 0 && packet[0] == handCalls {
			continue // it goes on with the connection that it has
		}
		if err == nil {
			err = l.accept(packet, end)
		}
		if err != nil {
			l.end(err)
			return
		}
	}
}

// accept owns end.
func (l *Link) accept(packet []byte, end int) error {
	kind := byte(0)
	if len(packet) > 0 {
		kind = packet[0]
	}
	switch {
	case kind == handLane && l.in.lane == nil:
		lane, err := newLane(end)
		if err != nil {
			return err
		}
		if !l.keep(lane) {
			return lane.Close()
		}
		l.in.lane, l.in.out = newInlet(lane, l.options.MaxMessage), newOutlet(lane)
		l.run(l.in.lane.run)
		l.run(l.in.out.run)
		return nil
	case kind == handCalls && l.in.lane != nil:
		g, err := decodeGreeting(packet)
		if err != nil {
			closeAll([]int{end})
			return err
		}
		select {
		case <-l.out.met:
		default:
			l.out.meet(g)
		}
		return l.in.serve(end)
	default:
		closeAll([]int{end})
		return disorder("a packet of kind %d on the control socket", kind)
	}
}

// start runs work in a goroutine that Close waits for; not after the end.
func (l *Link) start(work func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false
	}
	l.own.Go(work)
	return true
}

// run starts one direction of a lane, whose end is that of the link.
func (l *Link) run(work func(context.Context) error) {
	l.start(func() {
		if err := work(l.ctx); err != nil {
			if left(err) {
				err = errLeft
			}
			l.end(err)
		}
	})
}

// keep has c closed when the link ends. If it has ended, c is the caller's.
func (l *Link) keep(c io.Closer) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return false
	}
	l.open[c] = struct{}{}
	return true
}

func (l *Link) forget(c io.Closer) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, c)
}

// end ends the link; the first reason stays.
func (l *Link) end(reason error) {
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return
	}
	l.err = reason
	open := l.open
	l.open = nil
	l.mu.Unlock()
	close(l.done)
	l.cancel()
	for c := range open {
		_ = c.Close() // nothing more is to be had of them
	}
}

// ended is the error of a call after the end.
func (l *Link) ended() error { return &endedError{cause: l.Err()} }

// disordered ends the link because of the other side and returns the error of the call
// that found it, or that of an earlier end.
func (l *Link) disordered(format string, args ...any) error {
	l.end(disorder(format, args...))
	return l.ended()
}

// Close ends the link. Calls under way fail at once, contexts of handlers end, and
// what they answer goes nowhere. It waits for the link's own goroutines, not for
// handlers. It may be called again, and from within a handler.
func (l *Link) Close() error {
	l.end(errClosed)
	l.own.Wait()
	return nil
}

// Done is closed when the link has ended, by whatever.
func (l *Link) Done() <-chan struct{} { return l.done }

// Err is why the link ended; nil before. It is a *DisorderError if the other side broke
// the rules, wraps io.EOF if it closed the connection, and net.ErrClosed if this side
// did.
func (l *Link) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}
