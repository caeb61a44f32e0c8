// Package cluster starts real daemons, as processes of their own, for whoever wants
// to see them work: end-to-end tests and the demonstration.
package cluster

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Daemon is a process that says what it does, a line at a time.
type Daemon struct {
	Address string // host:port, where it answers

	cmd  *exec.Cmd
	said *lines
	done chan struct{} // closed when the process has ended and all it said is read
	err  error         // of its end; read after done
}

// Options say what to start.
type Options struct {
	Binary string
	Args   []string
	Env    []string  // nil: this process' own
	Echo   io.Writer // nil: what the daemon says is kept only
}

// patience is how long a daemon may take to stop when it is asked to.
const patience = 20 * time.Second

// Start starts a daemon and returns when it answers, or when answering ends. The end
// of ctx kills it.
func Start(ctx, answering context.Context, o Options) (*Daemon, error) {
	d := &Daemon{said: newLines(), done: make(chan struct{})}
	d.cmd = exec.CommandContext(ctx, o.Binary, o.Args...)
	d.cmd.Env = o.Env
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // an interrupt of the terminal is for whoever started it
	output, err := d.cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	d.cmd.Stdout = d.cmd.Stderr
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", o.Binary, err)
	}
	go func() {
		defer close(d.done)
		d.said.read(output, o.Echo)
		d.err = d.cmd.Wait()
	}()
	address, err := d.Await(answering, ": answers at ")
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not answer; it said:\n%s", o.Binary, d.Log()), err, d.Kill())
	}
	d.Address = strings.TrimPrefix(strings.TrimSpace(address), "http://")
	return d, nil
}

// Await returns what follows text in the first line that has it, past or to come.
func (d *Daemon) Await(ctx context.Context, text string) (rest string, err error) {
	return d.said.await(ctx, text)
}

// Log is what the daemon has said so far.
func (d *Daemon) Log() string { return d.said.all() }

// PID is the number of the process.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Kill ends the daemon without a chance to do anything, and waits for its end.
func (d *Daemon) Kill() error {
	err := d.cmd.Process.Kill()
	<-d.done
	if errors.Is(err, os.ErrProcessDone) {
		return nil
	}
	return err
}

// Stop asks the daemon to stop and returns what its exit status says. One that does
// not is killed.
func (d *Daemon) Stop() error {
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return errors.Join(err, d.Kill())
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-d.done:
		return d.err
	case <-timer.C:
		return errors.Join(fmt.Errorf("%s does not stop", d.cmd.Path), d.Kill())
	}
}

// Ended is closed when the daemon has ended.
func (d *Daemon) Ended() <-chan struct{} { return d.done }

// lines keeps what is read, and lets others wait for it.
type lines struct {
	mu    sync.Mutex
	text  []string
	ended bool
	more  chan struct{} // closed and replaced with each line
}

func newLines() *lines { return &lines{more: make(chan struct{})} }

// maxLine bounds a line; the rest of a longer one is the next.
const maxLine = 1 << 20

func (l *lines) read(from io.Reader, echo io.Writer) {
	for r := bufio.NewReaderSize(from, maxLine); ; {
		line, err := r.ReadString('\n')
		if echo != nil && line != "" {
			_, _ = io.WriteString(echo, line) // nobody depends on the echo
		}
		if line != "" {
			l.add(strings.TrimSuffix(line, "\n"), false)
		}
		if err != nil {
			l.add("", true)
			return
		}
	}
}

func (l *lines) add(line string, last bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ended = last; !last {
		l.text = append(l.text, line)
	}
	close(l.more)
	l.more = make(chan struct{})
}

func (l *lines) await(ctx context.Context, text string) (string, error) {
	for seen := 0; ; {
		l.mu.Lock()
		fresh, ended, more := l.text[seen:], l.ended, l.more
		l.mu.Unlock()
		for _, line := range fresh {
			if _, rest, ok := strings.Cut(line, text); ok {
				return rest, nil
			}
		}
		seen += len(fresh)
		if ended {
			return "", fmt.Errorf("it ended without saying %q", text)
		}
		select {
		case <-more:
		case <-ctx.Done():
			return "", fmt.Errorf("it has not said %q: %w", text, ctx.Err())
		}
	}
}

func (l *lines) all() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Join(l.text, "\n")
}
