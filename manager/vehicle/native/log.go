package native

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"syscall"
	"time"
)

const (
	maxLine   = 8 << 10
	drainTime = time.Second // for messages that are still in the pipe
)

// logPipe carries an instance's messages to the daemon's log. The module's end
// does not block: a daemon that is behind loses messages instead of threads. A
// message is shorter than what a pipe takes or refuses as a whole.
type logPipe struct {
	write int // the module's end
	read  *os.File
	done  chan struct{}
}

func newLogPipe(logger *slog.Logger) (*logPipe, error) {
	var fds [2]int
	if err := syscall.Pipe2(fds[:], syscall.O_CLOEXEC|syscall.O_NONBLOCK); err != nil {
		return nil, fmt.Errorf("make a pipe for the module's log: %w", err)
	}
	p := &logPipe{write: fds[1], read: os.NewFile(uintptr(fds[0]), "log of a module"), done: make(chan struct{})}
	go func() {
		defer close(p.done)
		p.forward(logger)
	}()
	return p, nil
}

// forward runs until the last writer is gone, or the pipe is closed.
func (p *logPipe) forward(logger *slog.Logger) {
	r := bufio.NewReaderSize(p.read, maxLine)
	for {
		line, err := r.ReadSlice('\n')
		if len(line) > 0 {
			level, text := parseLine(string(line))
			logger.Log(context.Background(), level, text)
		}
		if err != nil && !errors.Is(err, bufio.ErrBufferFull) {
			return
		}
	}
}

// parseLine reads what mesos_log of module.h writes: a letter, a space, the text.
// Anything else is a message all the same.
func parseLine(line string) (slog.Level, string) {
	level := slog.LevelInfo
	if len(line) > 2 && line[1] == ' ' {
		known := true
		switch line[0] {
		case 'D':
			level = slog.LevelDebug
		case 'I':
			level = slog.LevelInfo
		case 'W':
			level = slog.LevelWarn
		case 'E':
			level = slog.LevelError
		default:
			known = false
		}
		if known {
			line = line[2:]
		}
	}
	return level, printable(strings.ToValidUTF8(line, "�"))
}

// close waits until what the module wrote has been forwarded. A process that the
// module forked may hold the pipe open; it is not waited for.
func (p *logPipe) close() {
	_ = syscall.Close(p.write)
	timer := time.NewTimer(drainTime)
	defer timer.Stop()
	select {
	case <-p.done:
	case <-timer.C:
	}
	_ = p.read.Close()
	<-p.done
}
