package link

import (
	"encoding/binary"
	"errors"
	"time"
)

const (
	maxInline = 64 << 10 // a larger message travels on a lane
	maxMethod = 1 << 10
)

// request is what is written of a call before its arguments.
type request struct {
	id      uint64 // of the call, in its direction, from 1
	flags   byte
	timeout time.Duration // with hasDeadline
	object  uint64
	method  string
	size    uint64 // of the arguments, with onLane
}

const (
	onLane      = 1 << iota // the arguments are on the lane, under the call's id
	cancellable             // the caller may say that it has given up
	hasDeadline
)

var errMalformed = errors.New("malformed")

func (r request) encode() []byte {
	b := make([]byte, 0, 5*binary.MaxVarintLen64+1+len(r.method))
	b = append(b, r.flags)
	b = binary.AppendUvarint(b, r.id)
	if r.flags&hasDeadline != 0 {
		b = binary.AppendUvarint(b, uint64(max(r.timeout, 0)))
	}
	b = binary.AppendUvarint(b, r.object)
	b = binary.AppendUvarint(b, uint64(len(r.method)))
	b = append(b, r.method...)
	if r.flags&onLane != 0 {
		b = binary.AppendUvarint(b, r.size)
	}
	return b
}

// decodeRequest returns the rest as well, which is the arguments, or nothing if they are
// on the lane.
func decodeRequest(b []byte) (r request, args []byte, err error) {
	if len(b) == 0 {
		return r, nil, errMalformed
	}
	r.flags = b[0]
	n := numbers{rest: b[1:]}
	r.id = n.next()
	if r.flags&hasDeadline != 0 {
		r.timeout = time.Duration(min(n.next(), 1<<63-1))
	}
	r.object = n.next()
	length := n.next()
	if n.bad || length > min(maxMethod, uint64(len(n.rest))) {
		return r, nil, errMalformed
	}
	r.method, n.rest = string(n.rest[:length]), n.rest[length:]
	if r.flags&onLane == 0 {
		return r, n.rest, nil
	}
	r.size = n.next()
	if n.bad || len(n.rest) > 0 {
		return r, nil, errMalformed
	}
	return r, nil, nil
}

// The first byte of an answer. A number of bytes follows in the cases of the lane and of
// what is too large, text in that of a fault.
const (
	answerInline = iota
	answerOnLane
	answerTooLarge
	answerFault
)

func encodeNumber(kind byte, n uint64) []byte {
	return binary.AppendUvarint([]byte{kind}, n)
}

// numbers takes numbers off the front of bytes.
type numbers struct {
	rest []byte
	bad  bool
}

func (n *numbers) next() uint64 {
	v, used := binary.Uvarint(n.rest)
	if used <= 0 {
		n.bad = true
		return 0
	}
	n.rest = n.rest[used:]
	return v
}

func (n *numbers) last() (uint64, error) {
	v := n.next()
	if n.bad || len(n.rest) > 0 {
		return 0, errMalformed
	}
	return v, nil
}
