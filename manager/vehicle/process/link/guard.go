package link

import (
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
)

// guard looks at every frame before ttrpc does. ttrpc trusts the other side more than we
// can: it reads and throws away up to 4 GiB for a length that is too large, panics for
// data that belongs to a call without a stream, starts a goroutine for every request,
// and writes to the standard error for an answer that nobody waits for. None of these
// comes past here.
//
// The frames are ttrpc's: length of what follows, number of the stream, type, flags.
// What the guard finds ends the link before ttrpc hears of it.
type guard struct {
	*conn
	in, out frames
	fail    func(error)   // tells why the connection can no longer be used; nil error: it ended between two frames
	closed  chan struct{} // closed with the connection; ttrpc closes it last
	once    sync.Once
}

const (
	headerSize   = 10
	typeRequest  = 1
	typeResponse = 2
)

// maxFrame is what a frame may have: a message that is not too large to travel among the
// calls, what this package and what ttrpc write around it.
const maxFrame = maxInline + maxMethod + 1<<10

// frames follows the frames in one direction.
type frames struct {
	kind   byte
	seen   func(stream uint32) error
	header [headerSize]byte
	have   int // bytes of the header
	left   int // bytes of the rest
}

// walk goes over the next bytes.
func (f *frames) walk(b []byte) error {
	for len(b) > 0 {
		if f.left > 0 {
			n := min(f.left, len(b))
			f.left -= n
			b = b[n:]
			continue
		}
		n := copy(f.header[f.have:], b)
		f.have += n
		b = b[n:]
		if f.have < headerSize {
			return nil
		}
		f.have = 0
		if err := f.check(); err != nil {
			return err
		}
	}
	return nil
}

func (f *frames) check() error {
	length, stream := binary.BigEndian.Uint32(f.header[:]), binary.BigEndian.Uint32(f.header[4:])
	if length > maxFrame {
		return disorder("a frame of %d bytes", length)
	}
	if kind := f.header[8]; kind != f.kind {
		return disorder("a frame of type %d", kind)
	}
	f.left = int(length)
	return f.seen(stream)
}

// half says whether the bytes so far stop within a frame.
func (f *frames) half() bool { return f.have > 0 || f.left > 0 }

// guardCalls guards the connection of a client: every answer has to be to a call.
func guardCalls(c *conn, fail func(error)) *guard {
	var mu sync.Mutex
	open := map[uint32]bool{}
	g := &guard{conn: c, fail: fail, closed: make(chan struct{})}
	g.out = frames{kind: typeRequest, seen: func(stream uint32) error {
		mu.Lock()
		defer mu.Unlock()
		open[stream] = true
		return nil
	}}
	g.in = frames{kind: typeResponse, seen: func(stream uint32) error {
		mu.Lock()
		defer mu.Unlock()
		if !open[stream] {
			return disorder("an answer to call %d, which is not under way", stream)
		}
		delete(open, stream)
		return nil
	}}
	return g
}

// guardAnswers guards the connection of a server: requests in order, and not more than
// limit without an answer.
func guardAnswers(c *conn, limit int, fail func(error)) *guard {
	var mu sync.Mutex
	under := 0
	last := uint32(0)
	g := &guard{conn: c, fail: fail, closed: make(chan struct{})}
	g.in = frames{kind: typeRequest, seen: func(stream uint32) error {
		mu.Lock()
		defer mu.Unlock()
		if stream%2 != 1 || stream <= last {
			return disorder("call %d after call %d", stream, last)
		}
		last = stream
		if under++; under > limit {
			return disorder("more than %d calls at once", limit)
		}
		return nil
	}}
	g.out = frames{kind: typeResponse, seen: func(uint32) error {
		mu.Lock()
		defer mu.Unlock()
		under--
		return nil
	}}
	return g
}

// Read implements net.Conn. ttrpc is told of the end of the stream, whatever it was, for
// that is the only one that it takes for an end.
func (g *guard) Read(b []byte) (int, error) {
	n, err := g.conn.Read(b)
	if n > 0 {
		if bad := g.in.walk(b[:n]); bad != nil {
			g.fail(bad)
			return 0, io.EOF
		}
	}
	if err != nil {
		g.fail(g.verdict(err))
		return n, io.EOF
	}
	return n, nil
}

func (g *guard) verdict(err error) error {
	switch {
	case errors.Is(err, net.ErrClosed), !left(err):
		return err
	case g.in.half():
		return &DisorderError{What: "half a frame", Half: true}
	case errors.Is(err, io.EOF):
		return nil
	default:
		return errLeft
	}
}

// Write implements net.Conn.
func (g *guard) Write(b []byte) (int, error) {
	if err := g.out.walk(b); err != nil {
		return 0, err
	}
	n, err := g.conn.Write(b)
	if err != nil {
		if left(err) {
			err = errLeft
		}
		g.fail(err)
	}
	return n, err
}

// Close implements net.Conn.
func (g *guard) Close() error {
	g.once.Do(func() { close(g.closed) })
	return g.conn.Close()
}
