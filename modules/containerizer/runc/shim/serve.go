package shim

import (
	"errors"
	"io"
	"os"
	"syscall"

	frames "github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// serve takes connections for as long as the shim lives.
func (h *holder) serve() {
	_ = syscall.SetNonblock(frames.Socket, true) // else a thread waits, which works as well
	listener, err := os.NewFile(frames.Socket, "socket").SyscallConn()
	if err != nil {
		complain("take connections", err)
		return
	}
	for {
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
			go h.connection(os.NewFile(uintptr(fd), "connection"))
		case errors.Is(err, syscall.EINTR), errors.Is(err, syscall.ECONNABORTED):
		default:
			complain("take a connection", err)
			return
		}
	}
}

// connection does what comes.
func (h *holder) connection(c *os.File) {
	defer c.Close()
	for {
		kind, data, err := frames.Read(c)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, syscall.ECONNRESET) {
				complain("understand the agent", err)
			}
			h.io.Detach(c)
			h.gone()
			return
		}
		switch kind {
		case Create:
			select {
			case h.wanted <- request{data, c}:
			default: // there is one already
			}
		case frames.Run:
			h.released()
		case frames.Signal:
			if len(data) == 1 {
				h.signal(syscall.Signal(data[0]))
			}
		case frames.Destroy:
			h.io.Hurry()
			h.destroy(errDestroyed)
		case frames.Input:
			h.io.Write(data)
		case frames.Window:
			h.io.Resize(data)
		case frames.Attach:
			h.io.Attach(c)
		}
	}
}

func (h *holder) released() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running {
		h.running = true
		close(h.run)
	}
}

// gone is called when a connection has ended. Before the Run frame that is the agent's end.
func (h *holder) gone() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.running {
		h.destroy(errors.New("the agent went before it said that the container is to run"))
	}
}
