package link

import (
	"context"
	"errors"
	"sync"

	"github.com/containerd/ttrpc"
	"golang.org/x/sync/semaphore"
	"golang.org/x/sys/unix"
)

const (
	service      = "m"
	methodCall   = "c"
	methodCancel = "x" // the caller of a call has given up
	methodProbe  = "p" // does somebody answer here?
)

// renewAfter is how many calls a connection carries. ttrpc numbers them with 32 bits in
// steps of two and refuses every one after the last, and keeps a little of some that
// are answered fast; both begin afresh with a connection.
const renewAfter = 1 << 22

// maxOld is how many connections may wait for their last answer.
const maxOld = 8

// outgoing is the way of this side's calls: one connection, and older ones on which some
// are still under way.
type outgoing struct {
	link       *Link
	renewAfter int

	mu       sync.Mutex
	current  *generation
	old      int
	renewing bool

	limits greeting // of the other side; set before met is closed
	met    chan struct{}
	slots  *semaphore.Weighted // calls that it takes at once
	room   *semaphore.Weighted // bytes that it lets wait

	lane    *outlet // arguments
	answers *inlet
}

// generation is one connection.
type generation struct {
	client *ttrpc.Client
	guard  *guard

	// Guarded by outgoing.mu.
	calls, under int
	due          int // number of calls at which to renew
	retired      bool
}

// dial makes a connection and hands the other side its end.
func (o *outgoing) dial() (*generation, error) {
	ours, theirs, err := streamPair()
	if err != nil {
		return nil, err
	}
	c, err := newConn(ours, "calls", o.link.options.Spin)
	if err != nil {
		return nil, errors.Join(err, unix.Close(theirs))
	}
	if err := o.link.control.hand(o.link.greeting().encode(), theirs); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	g := &generation{due: o.renewAfter}
	g.guard = guardCalls(c, func(err error) { o.broken(g, err) })
	if !o.link.keep(g.guard) {
		return nil, errors.Join(o.link.ended(), g.guard.Close())
	}
	g.client = ttrpc.NewClient(g.guard)
	return g, nil
}

// broken ends the link for what happened to a connection, unless it has done its work or
// never had any.
func (o *outgoing) broken(g *generation, err error) {
	o.mu.Lock()
	used := g == o.current || g.retired && g.under > 0
	o.mu.Unlock()
	if !used {
		return
	}
	if err == nil {
		err = errLeft
	}
	o.link.end(err)
}

// take gives the connection for one call; release gives it back.
func (o *outgoing) take() *generation {
	o.mu.Lock()
	defer o.mu.Unlock()
	g := o.current
	g.calls++
	g.under++
	if g.calls >= g.due && !o.renewing && o.old < maxOld {
		g.due += o.renewAfter // should it fail
		o.renewing = o.link.start(o.renew)
	}
	return g
}

func (o *outgoing) release(g *generation) {
	o.mu.Lock()
	g.under--
	done := g.retired && g.under == 0
	if done {
		o.old--
	}
	o.mu.Unlock()
	if done {
		o.discard(g)
	}
}

func (o *outgoing) discard(g *generation) {
	o.link.forget(g.guard)
	_ = g.client.Close() // all that it carried is answered
}

// renew puts another connection in the place of the current one. Nothing is lost if that
// fails, for want of descriptors for example: the old one goes on for a while, and the
// other side has proved that it took the new one before it is used.
func (o *outgoing) renew() {
	defer func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.renewing = false
	}()
	g, err := o.dial()
	if err != nil {
		return
	}
	var answer payload
	if err := g.client.Call(context.Background(), service, methodProbe, &payload{}, &answer); err != nil {
		o.discard(g)
		return
	}
	o.mu.Lock()
	before := o.current
	o.current = g
	before.retired = true
	idle := before.under == 0
	if !idle {
		o.old++
	}
	o.mu.Unlock()
	if idle {
		o.discard(before)
	}
}

// rpc makes one call of ttrpc. It returns ErrEnded and no other error: an answer that
// is none ends the link. ttrpc gets no context that ends before the link: it would take
// the answer that comes late for one to nothing.
func (o *outgoing) rpc(method string, in payload) ([]byte, error) {
	g := o.take()
	defer o.release(g)
	var out payload
	if err := g.client.Call(context.Background(), service, method, &in, &out); err != nil {
		return nil, o.link.disordered("an answer that is none: %v", err)
	}
	return out.body, nil
}

// met is called when the other side has said what it takes.
func (o *outgoing) meet(g greeting) {
	o.limits = g
	o.slots = semaphore.NewWeighted(int64(g.calls))
	o.room = semaphore.NewWeighted(int64(g.pending))
	close(o.met)
}
