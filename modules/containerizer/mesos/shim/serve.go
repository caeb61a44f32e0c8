package shim

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// serve takes connections for as long as the shim lives.
func (s *shim) serve() {
	for {
		fd, _, err := syscall.Accept4(Socket, syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
		switch {
		case err == nil:
			go s.connection(os.NewFile(uintptr(fd), "connection"))
		case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.ECONNABORTED):
		default:
			complain("take a connection", err)
			return
		}
	}
}

// connection hands on what comes. Input waits until the container takes it, so it does
// not go through the main loop.
func (s *shim) connection(c *os.File) {
	defer c.Close()
	for {
		kind, data, err := Read(c)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				complain("understand the agent", err)
			}
			s.io.detach(c)
			s.commands <- frame{closed: true}
			return
		}
		switch kind {
		case Input:
			s.io.write(data)
		case Window:
			s.io.resize(data)
		case Attach:
			s.io.attach(c)
		default:
			s.commands <- frame{kind: kind, data: data}
		}
	}
}
