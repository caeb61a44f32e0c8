package sample

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"time"
)

// ErrOwn is known to nobody else.
var ErrOwn = errors.New("an error of its own")

// do does what a module can do.
func do(ctx context.Context, c config) error {
	switch c.Does {
	case "":
	case "fail":
		return fmt.Errorf("the table: %w", errors.Join(fs.ErrNotExist, ErrOwn))
	case "panic":
		panic("there is no bottom")
	case "panic with an error":
		panic(fmt.Errorf("the table: %w", fs.ErrNotExist))
	case "goexit":
		runtime.Goexit()
	case "wait":
		tell(c.File, "waits")
		<-ctx.Done()
		return fmt.Errorf("given up: %w", ctx.Err())
	case "wait for the deadline":
		deadline, ok := ctx.Deadline()
		if !ok || time.Until(deadline) > time.Minute {
			return errors.New("no deadline")
		}
		<-ctx.Done()
		return ctx.Err()
	case "ignore":
		tell(c.File, "waits")
		<-ctx.Done()
		for _, err := os.Stat(c.File + ".go"); err != nil; _, err = os.Stat(c.File + ".go") {
			time.Sleep(5 * time.Millisecond)
		}
	case "hang":
		tell(c.File, "waits")
		select {}
	case "exit":
		fmt.Fprintln(os.Stderr, "I will not go on")
		os.Exit(7)
	case "crash":
		go func() { panic("in the background") }()
		select {}
	case "killed":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	case "stop":
		tell(c.File, "waits")
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
		select {}
	case "close descriptors":
		for fd := 3; fd < 64; fd++ {
			_ = syscall.Close(fd)
		}
	case "close every descriptor":
		for fd := 3; fd < 1024; fd++ {
			_ = syscall.Close(fd)
		}
	default:
		return fmt.Errorf("it cannot do %q", c.Does)
	}
	return nil
}
