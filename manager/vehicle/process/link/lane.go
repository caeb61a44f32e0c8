package link

import (
	"context"
	"encoding/binary"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// A lane carries what is too large to travel among the calls: arguments in one direction
// of its socket pair, answers in the other. Each body has the id of its call and its
// size before it. The body of a call is read when the call itself has come and says so:
// the other side cannot make this one keep bytes that nobody asked for.
const laneHeader = 16

// laneBuffer is how many bytes of a lane the system keeps for the reader. The more it
// takes at once the less often both sides have to be woken for one body.
const laneBuffer = 1 << 20

// newLane takes over a descriptor that does not block. Copying takes longer than being
// woken, so a lane does not ask again.
func newLane(fd int) (*conn, error) {
	if unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, laneBuffer) != nil {
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUF, laneBuffer) // as much as this user may have
	}
	return newConn(fd, "lane", -1)
}

// outlet writes bodies in the order in which they were given to it.
type outlet struct {
	conn *conn
	wake chan struct{}

	mu      sync.Mutex
	waiting []parcel
}

type parcel struct {
	id      uint64
	body    []byte
	written func() // may be nil
}

func newOutlet(c *conn) *outlet { return &outlet{conn: c, wake: make(chan struct{}, 1)} }

// send returns at once; the body belongs to the outlet.
func (o *outlet) send(p parcel) {
	o.mu.Lock()
	o.waiting = append(o.waiting, p)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *outlet) take() []parcel {
	o.mu.Lock()
	defer o.mu.Unlock()
	taken := o.waiting
	o.waiting = nil
	return taken
}

// run writes until ctx ends or the connection does; it returns what became of that.
func (o *outlet) run(ctx context.Context) error {
	var header [laneHeader]byte
	for {
		for _, p := range o.take() {
			binary.BigEndian.PutUint64(header[:], p.id)
			binary.BigEndian.PutUint64(header[8:], uint64(len(p.body)))
			if err := o.conn.writeParts([][]byte{header[:], p.body}); err != nil {
				return err
			}
			Recycle(p.body)
			if p.written != nil {
				p.written()
			}
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			return nil
		}
	}
}

// inlet reads bodies, each when somebody has claimed it.
type inlet struct {
	conn *conn
	max  uint64

	mu      sync.Mutex
	claims  map[uint64]*claim
	wanted  uint64 // id whose header has been read and that nobody has claimed yet
	arrived chan struct{}
}

type claim struct {
	size uint64
	body chan []byte // gets one
}

func newInlet(c *conn, max int) *inlet {
	return &inlet{conn: c, max: uint64(max), claims: map[uint64]*claim{}, arrived: make(chan struct{}, 1)}
}

// claim says that a body of this id and size is to be read, and returns where it comes
// out.
func (in *inlet) claim(id, size uint64) (<-chan []byte, error) {
	if size > in.max || size <= maxInline {
		return nil, disorder("a message of %d bytes on the lane, which takes more than %d and at most %d", size, maxInline, in.max)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.claims[id] != nil {
		return nil, disorder("two messages of call %d on the lane", id)
	}
	c := &claim{size: size, body: make(chan []byte, 1)}
	in.claims[id] = c
	if id == in.wanted {
		in.arrived <- struct{}{} // there is room: it is wanted once
	}
	return c.body, nil
}

func (in *inlet) find(id uint64) *claim {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.wanted = id
	if c := in.claims[id]; c != nil {
		in.wanted = 0
		return c
	}
	return nil
}

func (in *inlet) drop(id uint64) {
	in.mu.Lock()
	defer in.mu.Unlock()
	delete(in.claims, id)
}

// run reads until ctx ends or the connection does; it returns what became of that.
func (in *inlet) run(ctx context.Context) error {
	var header [laneHeader]byte
	for {
		if n, err := io.ReadFull(in.conn, header[:]); err != nil {
			return cut(err, n > 0)
		}
		id, size := binary.BigEndian.Uint64(header[:]), binary.BigEndian.Uint64(header[8:])
		if size > in.max || id == 0 {
			return disorder("a body of %d bytes for call %d on the lane", size, id)
		}
		c := in.find(id)
		if c == nil {
			select {
			case <-in.arrived:
			case <-ctx.Done():
				return nil
			}
			c = in.find(id)
		}
		if c.size != size {
			return disorder("a body of %d bytes for call %d, which has %d", size, id, c.size)
		}
		body := Buffer(int(size))[:size]
		if _, err := io.ReadFull(in.conn, body); err != nil {
			return cut(err, true)
		}
		in.drop(id)
		c.body <- body
	}
}

// cut tells an end in the middle from one at the end.
func cut(err error, middle bool) error {
	switch {
	case !left(err) && err != io.ErrUnexpectedEOF:
		return err
	case middle:
		return &DisorderError{What: "half a message on the lane", Half: true}
	default:
		return errLeft
	}
}
