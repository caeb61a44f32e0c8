package shim

import (
	"errors"
	"io"
	"os"
	"syscall"
)

// serve takes connections for as long as the shim lives.
func (s *shim) serve() {
	_ = syscall.SetNonblock(Socket, true) // else a thread waits, which works as well
	listener, err := os.NewFile(Socket, "socket").SyscallConn()
	if err != nil {
		complain("take connections", err)
		return
	}
	for agent := true; ; {
		var fd int
		var err error
		waited := listener.Read(func(socket uintptr) bool {
			fd, _, err = syscall.Accept4(int(socket), syscall.SOCK_CLOEXEC|syscall.SOCK_NONBLOCK)
			return !errors.Is(err, syscall.EAGAIN)
		})
		switch {
		case waited != nil:
			complain("wait for a connection", waited)
			return
		case err == nil:
			go s.connection(os.NewFile(uintptr(fd), "connection"), agent)
			agent = false
		case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.ECONNABORTED):
		default:
			complain("take a connection", err)
			return
		}
	}
}

// connection hands on what comes. Input waits until the container takes it, so it does
// not go through the main loop. The first connection is the agent's that has started the
// shim: its end counts as long as there is nothing to run; others come and go.
func (s *shim) connection(c *os.File, agent bool) {
	defer c.Close()
	for {
		kind, data, err := Read(c)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				complain("understand the agent", err)
			}
			s.io.detach(c)
			if agent {
				s.commands <- frame{closed: true}
			}
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
			if kind == Destroy {
				s.io.hurry() // the main loop may wait for somebody to attach
			}
			s.commands <- frame{kind: kind, data: data}
		}
	}
}
