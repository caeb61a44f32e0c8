package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime/debug"
	"sync"

	"github.com/containerd/log"
	"github.com/containerd/ttrpc"
	"github.com/sirupsen/logrus"
	"golang.org/x/sync/semaphore"
)

// incoming answers the other side's calls.
type incoming struct {
	link    *Link
	handler Handler
	server  *ttrpc.Server

	lane *inlet // arguments; set with the first connection, like the next
	out  *outlet
	room *semaphore.Weighted // bytes of large answers that wait to be written

	mu      sync.Mutex
	live    int // connections
	calls   int
	pending uint64 // bytes of large arguments of calls under way
	under   map[uint64]context.CancelCauseFunc
}

// maxLive is how many connections for its calls the other side may have at once. It needs
// maxOld, the one before, and the next.
const maxLive = maxOld + 4

var errRecalled = fmt.Errorf("the caller has given up: %w", context.Canceled)

func newIncoming(l *Link, h Handler) (*incoming, error) {
	server, err := ttrpc.NewServer()
	if err != nil {
		return nil, err
	}
	in := &incoming{link: l, handler: h, server: server, under: map[uint64]context.CancelCauseFunc{},
		room: semaphore.NewWeighted(int64(l.options.MaxPending))}
	server.RegisterService(service, &ttrpc.ServiceDesc{Methods: map[string]ttrpc.Method{
		methodCall:   in.call,
		methodCancel: in.cancel,
		methodProbe:  func(context.Context, func(any) error) (any, error) { return &payload{}, nil },
	}})
	return in, nil
}

// silent is a context in which ttrpc writes nothing to the standard error.
func silent(ctx context.Context) context.Context {
	logger := logrus.New()
	logger.SetOutput(io.Discard)
	logger.SetLevel(logrus.PanicLevel)
	return log.WithLogger(ctx, logrus.NewEntry(logger))
}

// serve takes a connection over and answers what comes over it.
func (in *incoming) serve(end int) error {
	in.mu.Lock()
	in.live++
	many := in.live > maxLive
	in.mu.Unlock()
	if many {
		closeAll([]int{end})
		return disorder("more than %d connections for calls", maxLive)
	}
	c, err := newConn(end, "answers", in.link.options.Spin)
	if err != nil {
		return err
	}
	// A call may be followed by its cancel, and a connection by its probe.
	g := guardAnswers(c, 2*in.link.options.MaxCalls+1, func(err error) {
		if err != nil {
			in.link.end(err)
		}
	})
	if !in.link.keep(g) {
		return errors.Join(in.link.ended(), g.Close())
	}
	in.link.start(func() {
		<-g.closed
		in.link.forget(g)
		in.mu.Lock()
		defer in.mu.Unlock()
		in.live--
	})
	if err := in.server.Serve(in.link.silent, &listener{conn: g}); !errors.Is(err, errServed) {
		return errors.Join(err, g.Close())
	}
	return nil
}

// listener is what ttrpc needs to take one connection.
type listener struct{ conn net.Conn }

var errServed = errors.New("there are no more connections")

func (l *listener) Accept() (net.Conn, error) {
	c := l.conn
	l.conn = nil
	if c == nil {
		return nil, errServed
	}
	return c, nil
}

func (l *listener) Close() error   { return nil }
func (l *listener) Addr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// call answers one call. What it returns as an error ttrpc would tell the other side;
// there is none unless the link has ended.
func (in *incoming) call(ctx context.Context, unmarshal func(any) error) (any, error) {
	var p payload
	if err := unmarshal(&p); err != nil {
		return nil, in.link.disordered("a call without contents: %v", err)
	}
	r, args, err := decodeRequest(p.body)
	if err != nil {
		return nil, in.link.disordered("a call that cannot be read")
	}
	if err := in.enter(r); err != nil {
		in.link.end(err)
		return nil, in.link.ended()
	}
	ctx, done, err := in.contextOf(ctx, r)
	if err != nil {
		in.link.end(err)
		return nil, in.link.ended()
	}
	if r.flags&onLane != 0 {
		if args, err = in.fetch(r); err != nil {
			done()
			in.leave(r)
			return nil, err
		}
	}
	answer := make(chan *payload, 1)
	go func() {
		defer in.leave(r)
		defer done()
		in.handle(ctx, r, args, answer)
	}()
	select {
	case a := <-answer:
		return a, nil
	case <-in.link.done:
		return nil, in.link.ended()
	}
}

// enter counts a call in, and says if it is one too many.
func (in *incoming) enter(r request) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.calls++; in.calls > in.link.options.MaxCalls {
		return disorder("more than %d calls at once", in.link.options.MaxCalls)
	}
	if r.flags&onLane == 0 {
		return nil
	}
	limit := uint64(in.link.options.MaxPending)
	if r.size > limit || in.pending > limit-r.size {
		return disorder("more than %d bytes of calls under way", limit)
	}
	in.pending += r.size
	return nil
}

func (in *incoming) leave(r request) {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.calls--
	if r.flags&onLane != 0 {
		in.pending -= r.size
	}
}

// contextOf makes the context of a call; done has to be called.
func (in *incoming) contextOf(ctx context.Context, r request) (of context.Context, done func(), err error) {
	stop := func() {}
	if r.flags&hasDeadline != 0 {
		ctx, stop = context.WithTimeout(ctx, r.timeout)
	}
	if r.flags&cancellable == 0 {
		return ctx, stop, nil
	}
	ctx, cancel := context.WithCancelCause(ctx)
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.under[r.id] != nil {
		cancel(nil)
		stop()
		return nil, nil, disorder("call %d is under way and comes again", r.id)
	}
	in.under[r.id] = cancel
	return ctx, func() {
		cancel(nil)
		stop()
		in.mu.Lock()
		defer in.mu.Unlock()
		delete(in.under, r.id)
	}, nil
}

// cancel ends the context of a call. The answer is empty if there is no such call: it
// has been answered, or is still to come.
func (in *incoming) cancel(_ context.Context, unmarshal func(any) error) (any, error) {
	var p payload
	if err := unmarshal(&p); err != nil {
		return nil, in.link.disordered("a cancel without contents: %v", err)
	}
	numbers := numbers{rest: p.body}
	id, err := numbers.last()
	if err != nil {
		return nil, in.link.disordered("a cancel that cannot be read")
	}
	in.mu.Lock()
	cancel := in.under[id]
	in.mu.Unlock()
	if cancel == nil {
		return &payload{}, nil
	}
	cancel(errRecalled)
	return &payload{body: []byte{1}}, nil
}

// fetch waits for arguments on the lane.
func (in *incoming) fetch(r request) ([]byte, error) {
	body, err := in.lane.claim(r.id, r.size)
	if err != nil {
		in.link.end(err)
		return nil, in.link.ended()
	}
	select {
	case args := <-body:
		return args, nil
	case <-in.link.done:
		return nil, in.link.ended()
	}
}

// maxFault bounds what is told of a handler that panicked.
const maxFault = 16 << 10

// handle has the handler answer and gives its answer, or what became of it.
func (in *incoming) handle(ctx context.Context, r request, args []byte, answer chan<- *payload) {
	returned := false
	defer func() {
		if returned {
			return
		}
		text := "it ended its goroutine"
		if value := recover(); value != nil {
			text = fmt.Sprintf("panic: %v\n\n%s", value, debug.Stack())
		}
		answer <- &payload{head: []byte{answerFault}, body: []byte(text[:min(len(text), maxFault)])}
	}()
	out := in.handler.Handle(ctx, r.object, r.method, args)
	returned = true
	answer <- in.pack(r, out)
}

// pack puts an answer on its way.
func (in *incoming) pack(r request, answer []byte) *payload {
	limit := min(uint64(in.link.options.MaxMessage), in.link.out.limits.message)
	size := uint64(len(answer))
	switch {
	case size > limit:
		return &payload{head: encodeNumber(answerTooLarge, size)}
	case size <= maxInline:
		return &payload{head: []byte{answerInline}, body: answer}
	}
	if err := in.room.Acquire(in.link.ctx, int64(size)); err != nil {
		return &payload{} // goes nowhere: the link has ended
	}
	in.out.send(parcel{id: r.id, body: answer, written: func() { in.room.Release(int64(size)) }})
	return &payload{head: encodeNumber(answerOnLane, size)}
}
