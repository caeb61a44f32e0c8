package wire

import (
	"context"
	"net"
	"os"
	"sync"
	"sync/atomic"

	"github.com/mesos-modules/mms/manager/vehicle/process/link"
)

// Servant answers the calls of the other side on one object.
type Servant interface {
	// Serve answers a call: it reads the parameters from in, looks at in.Err, and
	// writes the results to out, which are dropped if it returns an error. It returns
	// UnknownMethod for what it does not know. ctx ends when the caller's does and
	// when the call has returned; c.Lasting gives one that goes on. in and out may be
	// kept, but out is not to be written to after the return. Called from many
	// goroutines.
	//
	// A panic crosses as a *PanicError, and so does runtime.Goexit.
	Serve(ctx context.Context, c *Conn, method string, in *Decoder, out *Encoder) error
}

// ServantFunc is a Servant that is a function.
type ServantFunc func(ctx context.Context, c *Conn, method string, in *Decoder, out *Encoder) error

// Serve calls f.
func (f ServantFunc) Serve(ctx context.Context, c *Conn, method string, in *Decoder, out *Encoder) error {
	return f(ctx, c, method, in, out)
}

// Config is what a side of a connection is made of.
type Config struct {
	// Root answers the calls on object 0, but for the methods "hello", "end" and
	// "release", which are the connection's own. Nil knows no method.
	Root Servant

	// Hello is what the other side is told of this one.
	Hello Hello

	// Gone says why calls fail once the connection has ended, as a *vehicle.GoneError
	// mostly; it may wait for the reason. Nil: they get the link's error alone.
	Gone func() error

	// Identities are errors that keep their identity beside those that every side
	// knows (see Identities).
	Identities []Identity
}

// Conn is one link and the objects that its two sides lend each other. Its methods
// are safe for concurrent use.
type Conn struct {
	config  Config
	names   identities
	ready   chan struct{} // closed when carrier is set
	carrier carrier
	ctx     context.Context // ends with the connection, and says why
	end     context.CancelCauseFunc
	watched sync.WaitGroup

	// order is touched where a call begins and ends, in both directions: what a goroutine
	// has done before it answers or calls is then seen by whoever is called or answered
	// because of that, though the reason came by way of another process.
	order atomic.Uint64

	maxObjects int // MaxObjects, but in tests

	theirs atomic.Pointer[Hello]

	mu        sync.Mutex
	last      uint64 // the id given last
	lent      map[uint64]Servant
	lifetimes map[<-chan struct{}]*lifetime // of contexts here, by their Done
	scopes    map[uint64]*scope             // of contexts of the other side's, by its ids
	borrowed  int                           // sinks of the other side's that are held here
	released  []uint64                      // and those that are not any more
	telling   bool                          // somebody tells the other side about them
}

// carrier is the link, as far as a connection needs it.
type carrier interface {
	Call(ctx context.Context, object uint64, method string, args []byte) (answer []byte, err error)
	Close() error
	Done() <-chan struct{}
	Err() error
}

// NewConn makes one side of a connection, which is not started.
func NewConn(config Config) *Conn {
	config.Hello = config.Hello.completed()
	c := &Conn{config: config, names: identitiesWith(config.Identities), ready: make(chan struct{}), maxObjects: MaxObjects,
		lent: map[uint64]Servant{}, lifetimes: map[<-chan struct{}]*lifetime{}, scopes: map[uint64]*scope{}}
	c.ctx, c.end = context.WithCancelCause(context.Background())
	return c
}

// Start begins to answer and to call over a control socket of link.Pair, which it
// takes over. It is called once.
func (c *Conn) Start(control *os.File, o link.Options) error {
	l, err := link.New(control, c, o)
	if err != nil {
		c.finish(err)
		return err
	}
	c.carryOn(l)
	return nil
}

func (c *Conn) carryOn(l carrier) {
	c.mu.Lock()
	c.carrier = l
	close(c.ready)
	closed := c.lent == nil
	c.watched.Go(func() {
		<-l.Done()
		c.finish(l.Err())
	})
	c.mu.Unlock()
	if closed {
		_ = l.Close()
	}
}

// Close ends the connection: calls under way fail, contexts of servants end, sinks do
// nothing any more. It waits for the connection's goroutines, not for servants. It may
// be called again.
func (c *Conn) Close() error { return c.fail(nil) }

// fail ends the connection because of err, and says so in Err.
func (c *Conn) fail(err error) error {
	if err != nil {
		c.end(err)
	}
	c.mu.Lock()
	l := c.carrier
	c.mu.Unlock()
	if l == nil { // it was not started
		c.finish(net.ErrClosed)
		return nil
	}
	err = l.Close()
	c.watched.Wait()
	return err
}

// Done is closed when the connection has ended, by whatever.
func (c *Conn) Done() <-chan struct{} { return c.ctx.Done() }

// Err is why it ended; nil before. It is the link's error, unless this side found that
// it cannot go on.
func (c *Conn) Err() error { return context.Cause(c.ctx) }
