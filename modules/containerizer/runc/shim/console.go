package shim

import (
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// console is a socket over which the runtime hands the terminal that it has made.
type console struct{ socket *os.File }

func listenConsole() (*console, error) {
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	c := &console{os.NewFile(uintptr(fd), consoleSocket)}
	// The folder is the working folder, and so the name is short.
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: consoleSocket}), unix.Listen(fd, 1)); err != nil {
		c.close()
		return nil, err
	}
	return c, nil
}

func (c *console) close() {
	_ = c.socket.Close()
	_ = os.Remove(consoleSocket) // it goes with the folder
}

// receive takes the terminal, which was sent by the time the runtime has ended.
func (c *console) receive() (*os.File, error) {
	fd, err := within(int(c.socket.Fd()), func(socket int) (int, error) {
		fd, _, err := unix.Accept4(socket, unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK)
		return fd, err
	})
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	space := make([]byte, unix.CmsgSpace(4))
	name := make([]byte, 4096)
	length, err := within(fd, func(fd int) (int, error) {
		_, n, _, _, err := unix.Recvmsg(fd, name, space, unix.MSG_CMSG_CLOEXEC)
		return n, err
	})
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(space[:length])
	if err != nil {
		return nil, err
	}
	for i := range messages {
		if files, err := unix.ParseUnixRights(&messages[i]); err == nil && len(files) == 1 {
			_ = unix.SetNonblock(files[0], true) // else a thread waits, which works as well
			return os.NewFile(uintptr(files[0]), "terminal"), nil
		}
	}
	return nil, errors.New("no file came with the runtime's message")
}

// within does what may have to wait for its file to be readable.
func within(fd int, do func(fd int) (int, error)) (int, error) {
	for deadline := time.Now().Add(patience); ; {
		n, err := do(fd)
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			return n, err
		}
		left := time.Until(deadline)
		if left <= 0 {
			return 0, errSlow
		}
		if _, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds())+1); err != nil && !errors.Is(err, unix.EINTR) {
			return 0, err
		}
	}
}
