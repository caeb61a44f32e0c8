package rotate

import (
	"bytes"
	"errors"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// chunk is how much is read at once; a longer line may be cut by a rotation.
	chunk = 64 << 10

	// patience is how long the rest of a line is waited for.
	patience = 100 * time.Millisecond
)

// pump moves output from a pipe to a file until nobody has the pipe open for writing.
// Lines come to the file whole where their writers let them.
func pump(pipe *os.File, to *file) error {
	buffer := make([]byte, chunk)
	held := 0
	for {
		n, err := pipe.Read(buffer[held:])
		if n > 0 {
			held += n
			whole := bytes.LastIndexByte(buffer[:held], '\n') + 1
			if whole == 0 && held == len(buffer) {
				whole = held
			}
			to.write(buffer[:whole])
			held = copy(buffer, buffer[whole:held])
		}
		late := errors.Is(err, os.ErrDeadlineExceeded)
		if err != nil {
			to.write(buffer[:held])
			held = 0
		}
		switch {
		case held == 0:
			_ = pipe.SetReadDeadline(time.Time{})
		case held <= n: // all that is held has just come
			_ = pipe.SetReadDeadline(time.Now().Add(patience))
		}
		if err != nil && !late {
			return err
		}
	}
}

// await returns when somebody has opened the pipe for writing and written to it or closed
// it, or when the time is over. Before that, reading it would give its end; after that,
// only if nobody has it open.
func await(pipe *os.File, wait time.Duration) error {
	conn, err := pipe.SyscallConn()
	if err != nil {
		return err
	}
	if err := pipe.SetReadDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	err = conn.Read(func(fd uintptr) bool {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 0)
		return n > 0 && err == nil
	})
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
		return err
	}
	return pipe.SetReadDeadline(time.Time{})
}
