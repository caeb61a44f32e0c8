package link

import (
	"errors"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// conn is one end of a stream socket pair, as ttrpc and the lanes use it: one goroutine
// reads and one writes at a time.
//
// A goroutine that waits for its socket in the runtime's poller is woken by another
// thread, which takes longer than the other process takes for a short answer. So both
// directions ask again for a while before they wait. Whether that pays shows by itself;
// where it did not, lately, only every eighth wait asks again, to see whether it would
// now.
//
// The descriptor may be shared with whoever sent it, who may make it block; so every
// system call asks not to.
type conn struct {
	file *os.File
	raw  syscall.RawConn
	in   direction
	out  direction
}

// direction is what one of the two does at the moment.
type direction struct {
	spin   time.Duration
	misses int
	try    func(fd uintptr) bool // for the raw connection; made once

	one   [1][]byte // room for the usual number of parts
	parts [][]byte
	done  int
	err   error
}

const (
	missesAllowed = 4
	missesApart   = 8
)

// newConn takes over a descriptor that does not block.
func newConn(fd int, name string, spin time.Duration) (*conn, error) {
	file := os.NewFile(uintptr(fd), name)
	raw, err := file.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	c := &conn{file: file, raw: raw, in: direction{spin: spin}, out: direction{spin: spin}}
	c.in.try = func(fd uintptr) bool { return c.in.ask(func() (bool, error) { return c.receive(int(fd)) }) }
	c.out.try = func(fd uintptr) bool { return c.out.ask(func() (bool, error) { return c.send(int(fd)) }) }
	return c, nil
}

// ask tries until something was done, or waiting is better.
func (d *direction) ask(try func() (bool, error)) (done bool) {
	var began time.Time
	for {
		done, err := try()
		switch {
		case err == unix.EINTR:
			continue
		case err != unix.EAGAIN:
			d.err = err
			if done && !began.IsZero() {
				d.misses = 0
			}
			return done || err != nil
		}
		switch {
		case began.IsZero():
			if d.spin <= 0 || d.misses >= missesAllowed && d.misses%missesApart != 0 {
				d.misses++
				return false
			}
			began = time.Now()
		case time.Since(began) > d.spin:
			d.misses++
			return false
		}
		runtime.Gosched()
	}
}

// receive is recv(2). What there is in x/sys makes an address of the sender each time,
// also when nothing has come.
func (c *conn) receive(fd int) (bool, error) {
	into := c.in.parts[0]
	n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&into[0])), uintptr(len(into)), unix.MSG_DONTWAIT, 0, 0)
	if errno != 0 {
		return false, errno
	}
	c.in.done = int(n)
	return true, nil
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.in.one[0] = b
	c.in.parts, c.in.done, c.in.err = c.in.one[:], 0, nil
	err := c.raw.Read(c.in.try)
	c.in.one[0] = nil
	switch {
	case err != nil:
		return 0, err
	case c.in.err != nil:
		return 0, os.NewSyscallError("recv", c.in.err)
	case c.in.done == 0:
		return 0, io.EOF
	default:
		return c.in.done, nil
	}
}

// send writes as much of the parts as the socket takes; done only when that is all.
func (c *conn) send(fd int) (bool, error) {
	for {
		for len(c.out.parts) > 0 && len(c.out.parts[0]) == 0 {
			c.out.parts = c.out.parts[1:]
		}
		var n int
		var err error
		switch len(c.out.parts) {
		case 0:
			return true, nil
		case 1:
			n, err = unix.SendmsgN(fd, c.out.parts[0], nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		default:
			n, err = unix.SendmsgBuffers(fd, c.out.parts, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		}
		if err != nil {
			return false, err
		}
		c.out.done += n
		for n > 0 {
			taken := min(n, len(c.out.parts[0]))
			c.out.parts[0] = c.out.parts[0][taken:]
			n -= taken
			if len(c.out.parts[0]) == 0 {
				c.out.parts = c.out.parts[1:]
			}
		}
	}
}

// Write implements net.Conn.
func (c *conn) Write(b []byte) (int, error) {
	c.out.one[0] = b
	err := c.writeParts(c.out.one[:])
	c.out.one[0] = nil
	return c.out.done, err
}

// writeParts writes the parts one after the other, and uses the slice of them up.
func (c *conn) writeParts(parts [][]byte) error {
	c.out.parts, c.out.done, c.out.err = parts, 0, nil
	err := c.raw.Write(c.out.try)
	c.out.parts = nil
	if err != nil {
		return err
	}
	if c.out.err != nil {
		return os.NewSyscallError("send", c.out.err)
	}
	return nil
}

// Close implements net.Conn. Reads and writes that wait return.
func (c *conn) Close() error { return c.file.Close() }

// The rest of net.Conn, which ttrpc does not use.

func (c *conn) LocalAddr() net.Addr                { return &net.UnixAddr{Net: "unix"} }
func (c *conn) RemoteAddr() net.Addr               { return &net.UnixAddr{Net: "unix"} }
func (c *conn) SetDeadline(t time.Time) error      { return c.file.SetDeadline(t) }
func (c *conn) SetReadDeadline(t time.Time) error  { return c.file.SetReadDeadline(t) }
func (c *conn) SetWriteDeadline(t time.Time) error { return c.file.SetWriteDeadline(t) }

// left says whether an error of a connection is what remains of one whose other side
// has gone.
func left(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.EPIPE)
}
