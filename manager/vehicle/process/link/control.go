package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Pair makes a control socket: one end for this process, one for the other. Both are
// closed on exec; the child's has to be handed on (os/exec's ExtraFiles does).
func Pair() (ours, theirs *os.File, err error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	return os.NewFile(uintptr(ends[0]), "control"), os.NewFile(uintptr(ends[1]), "control"), nil
}

// control is the socket over which ends of others are handed. A message is one packet
// with one descriptor: what it is for, then what belongs to it.
type control struct{ conn *net.UnixConn }

const (
	handCalls = 1 // the end at which to answer; greeting follows
	handLane  = 2 // the other end of the lane
)

// version is that of what this package writes. What calls carry has versions of its own.
const version = 1

const (
	maxPacket      = 64
	maxDescriptors = 253                    // more the system does not carry in one packet
	patience       = 500 * time.Millisecond // for a packet to be taken
)

// greeting is what a side says of itself with its calls.
type greeting struct {
	message, pending uint64
	calls            uint32
}

func (g greeting) encode() []byte {
	b := []byte{handCalls, version}
	b = binary.BigEndian.AppendUint64(b, g.message)
	b = binary.BigEndian.AppendUint64(b, g.pending)
	return binary.BigEndian.AppendUint32(b, g.calls)
}

func decodeGreeting(b []byte) (g greeting, err error) {
	if len(b) < 22 || b[1] != version {
		return g, disorder("a greeting of %d bytes that begins with % x", len(b), b[:min(len(b), 2)])
	}
	g = greeting{message: binary.BigEndian.Uint64(b[2:]), pending: binary.BigEndian.Uint64(b[10:]), calls: binary.BigEndian.Uint32(b[18:])}
	if g.message < maxInline || g.pending < g.message || g.calls == 0 || g.pending > 1<<62 {
		return g, disorder("a greeting without sense: %d bytes in a message, %d waiting, %d calls", g.message, g.pending, g.calls)
	}
	return g, nil
}

// takeControl takes the file over.
func takeControl(file *os.File) (*control, error) {
	c, err := net.FileConn(file)
	if closing := file.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return nil, fmt.Errorf("the control socket: %w", err)
	}
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return nil, errors.Join(fmt.Errorf("the control socket is a %T", c), c.Close())
	}
	return &control{conn: socket}, nil
}

// hand gives an end of a pair to the other side, and closes it here.
func (c *control) hand(packet []byte, end int) error {
	defer unix.Close(end) //nolint:errcheck // it was never used
	if err := c.conn.SetWriteDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, _, err := c.conn.WriteMsgUnix(packet, unix.UnixRights(end), nil); err != nil {
		return fmt.Errorf("hand over a socket: %w", err)
	}
	return nil
}

// errNoDescriptor is what is left of a packet whose descriptor this process had no room
// for.
var errNoDescriptor = fmt.Errorf("take over a socket: %w", unix.EMFILE)

// take returns the next packet with its descriptor, which is the end of a pair and does
// not block. With errNoDescriptor there is the packet alone.
func (c *control) take() (packet []byte, end int, err error) {
	packet, room := make([]byte, maxPacket), make([]byte, unix.CmsgSpace(4*maxDescriptors))
	n, used, flags, _, err := c.conn.ReadMsgUnix(packet, room)
	if err != nil {
		if left(err) {
			err = errLeft
		}
		return nil, 0, err
	}
	ends, err := descriptors(room[:used])
	switch {
	case err != nil:
	case n == 0 && used == 0:
		err = errLeft
	case flags&unix.MSG_TRUNC != 0:
		err = disorder("a packet of more than %d bytes on the control socket", maxPacket)
	case flags&unix.MSG_CTRUNC != 0:
		closeAll(ends)
		return packet[:n], 0, errNoDescriptor
	case len(ends) != 1:
		err = disorder("a packet with %d descriptors on the control socket", len(ends))
	default:
		err = suits(ends[0])
	}
	if err != nil {
		closeAll(ends)
		return nil, 0, err
	}
	return packet[:n], ends[0], nil
}

func descriptors(control []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return nil, disorder("a control message that cannot be read: %v", err)
	}
	var all []int
	for _, m := range messages {
		if m.Header.Level != unix.SOL_SOCKET || m.Header.Type != unix.SCM_RIGHTS {
			continue
		}
		some, err := unix.ParseUnixRights(&m)
		if err != nil {
			return all, disorder("descriptors that cannot be read: %v", err)
		}
		all = append(all, some...)
	}
	return all, nil
}

func closeAll(descriptors []int) {
	for _, d := range descriptors {
		_ = unix.Close(d) // they were never used
	}
}

// suits says whether a descriptor is a connected stream socket of this machine.
func suits(fd int) error {
	domain, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_DOMAIN)
	if err != nil {
		return disorder("a descriptor that is no socket")
	}
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	if err != nil || domain != unix.AF_UNIX || kind != unix.SOCK_STREAM {
		return disorder("a socket of another kind than was agreed on")
	}
	if _, err := unix.Getpeername(fd); err != nil {
		return disorder("a socket that is not connected")
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return os.NewSyscallError("fcntl", err)
	}
	return nil
}

// streamPair makes a pair for calls or for a lane.
func streamPair() (ours, theirs int, err error) {
	ends, err := unix.Socketpair(syscall.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return 0, 0, os.NewSyscallError("socketpair", err)
	}
	return ends[0], ends[1], nil
}

// Close implements io.Closer.
func (c *control) Close() error { return c.conn.Close() }
