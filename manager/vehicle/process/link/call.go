package link

import (
	"context"
	"encoding/binary"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"
)

// Call has the other side's handler answer. It takes args over: nobody may look at them
// any more, for their memory is used again (Buffer). The answer is the caller's.
//
// If ctx ends, the other side is told so, which ends the handler's context, and the
// call waits for the answer for Grace; then it returns the cause of ctx. A deadline of
// ctx crosses as the time that is left. The error wraps ErrEnded if the link has ended
// or ends meanwhile, and is a *TooLargeError or *FaultError otherwise.
//
// A call that starts after another has returned is seen by the other side after it.
// There is no order between calls at the same time.
func (l *Link) Call(ctx context.Context, object uint64, method string, args []byte) (answer []byte, err error) {
	if len(method) > maxMethod {
		return nil, &TooLargeError{What: "name of the method", Size: int64(len(method)), Limit: maxMethod}
	}
	c, err := l.admit(ctx, args)
	if err != nil {
		return nil, err
	}
	c.request.object, c.request.method = object, method
	if ctx.Done() == nil {
		defer c.leave()
		return c.exchange()
	}
	c.request.flags |= cancellable
	if deadline, ok := ctx.Deadline(); ok {
		c.request.flags |= hasDeadline
		c.request.timeout = time.Until(deadline)
	}
	c.over = make(chan struct{})
	if !l.start(func() {
		defer c.leave()
		defer close(c.over)
		c.answer, c.err = c.exchange()
	}) {
		c.leave()
		return nil, l.ended()
	}
	select {
	case <-c.over:
		return c.answer, c.err
	case <-ctx.Done():
		return c.recall(ctx)
	}
}

// call is one call to the other side.
type call struct {
	link    *Link
	request request
	args    []byte
	users   atomic.Int32 // goroutines that work on it

	over   chan struct{} // closed when the following are there
	answer []byte
	err    error
}

// admit waits until the other side takes another call with these arguments.
func (l *Link) admit(ctx context.Context, args []byte) (*call, error) {
	o := &l.out
	select {
	case <-o.met:
	default:
		select {
		case <-o.met:
		case <-l.done:
		case <-ctx.Done():
		}
	}
	switch {
	case l.Err() != nil:
		return nil, l.ended()
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case uint64(len(args)) > o.limits.message:
		return nil, &TooLargeError{What: "arguments", Size: int64(len(args)), Limit: int64(o.limits.message)}
	}
	c := &call{link: l, args: args}
	if err := l.wait(ctx, o.slots, 1); err != nil {
		return nil, err
	}
	if len(args) > maxInline {
		if err := l.wait(ctx, o.room, int64(len(args))); err != nil {
			o.slots.Release(1)
			return nil, err
		}
		c.request.flags |= onLane
		c.request.size = uint64(len(args))
	}
	c.request.id = l.lastCall.Add(1)
	c.users.Store(1)
	return c, nil
}

// leave gives back what admit took when the last goroutine has done with the call.
func (c *call) leave() {
	if c.users.Add(-1) > 0 {
		return
	}
	if c.request.flags&onLane != 0 {
		c.link.out.room.Release(int64(c.request.size))
	}
	c.link.out.slots.Release(1)
}

// join adds a goroutine to those that work on the call, unless it is over: what it took
// has been given back then.
func (c *call) join() bool {
	for {
		users := c.users.Load()
		if users == 0 {
			return false
		}
		if c.users.CompareAndSwap(users, users+1) {
			return true
		}
	}
}

// exchange sends the call and waits for its answer, or for the end of the link.
func (c *call) exchange() ([]byte, error) {
	o := &c.link.out
	in := payload{head: c.request.encode(), body: c.args}
	if c.request.flags&onLane != 0 {
		o.lane.send(parcel{id: c.request.id, body: c.args})
		in.body = nil
	}
	out, err := o.rpc(methodCall, in)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 {
		return nil, c.link.disordered("an empty answer")
	}
	kind, rest := out[0], out[1:]
	switch kind {
	case answerInline:
		return rest, nil
	case answerFault:
		return nil, &FaultError{Text: string(rest)}
	case answerOnLane, answerTooLarge:
		numbers := numbers{rest: rest}
		size, err := numbers.last()
		if err != nil {
			return nil, c.link.disordered("an answer without a size")
		}
		if kind == answerTooLarge {
			return nil, &TooLargeError{What: "answer", Size: int64(size), Limit: int64(min(uint64(c.link.options.MaxMessage), o.limits.message))}
		}
		return c.fetch(size)
	default:
		return nil, c.link.disordered("an answer of kind %d", kind)
	}
}

// fetch waits for an answer on the lane.
func (c *call) fetch(size uint64) ([]byte, error) {
	body, err := c.link.out.answers.claim(c.request.id, size)
	if err != nil {
		c.link.end(err)
		return nil, c.link.ended()
	}
	select {
	case answer := <-body:
		return answer, nil
	case <-c.link.done:
		return nil, c.link.ended()
	}
}

// recall tells the other side that the caller has given up, and waits a little for what
// it says to that. A deadline it knows of, and tells from a cancel.
func (c *call) recall(ctx context.Context) ([]byte, error) {
	grace := time.NewTimer(c.link.grace)
	defer grace.Stop()
	if !errors.Is(ctx.Err(), context.DeadlineExceeded) && c.join() {
		if !c.link.start(func() {
			defer c.leave()
			c.cancel()
		}) {
			c.leave()
		}
	}
	select {
	case <-c.over:
		return c.answer, c.err
	case <-grace.C:
		return nil, context.Cause(ctx)
	}
}

// How long to wait until the other side is told again.
const (
	firstPause = time.Millisecond
	lastPause  = 100 * time.Millisecond
)

// cancel tells the other side until it has found the call: the word may overtake it.
func (c *call) cancel() {
	id := binary.AppendUvarint(nil, c.request.id)
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		if found, err := c.link.out.rpc(methodCancel, payload{body: id}); err != nil || len(found) > 0 {
			return
		}
		again := time.NewTimer(pause)
		select {
		case <-again.C:
		case <-c.over:
			again.Stop()
			return
		}
	}
}

// wait takes n of what there is a bounded number of.
func (l *Link) wait(ctx context.Context, of *semaphore.Weighted, n int64) error {
	if err := of.Acquire(ctx, n); err != nil {
		return context.Cause(ctx)
	}
	return nil
}
