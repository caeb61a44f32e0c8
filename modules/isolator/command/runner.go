package command

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"time"
	"unicode"

	"github.com/mesos-modules/mms/facade"
)

const (
	// most is how much a program may answer.
	most = 1 << 20

	// kept is how much of its standard error becomes part of a failure.
	kept = 2 << 10

	// linger is how long output is waited for that others than the program's group
	// hold open.
	linger = time.Second
)

// runner runs programs. Any number of goroutines may use it.
type runner struct {
	timeout     time.Duration
	credential  *syscall.Credential
	environment []string
	slots       chan struct{} // taken by what runs

	runs, failures, timeouts facade.Counter
}

var errTime = errors.New("its time is over")

// run runs a program and returns what it has written to standard output.
func (r *runner) run(ctx context.Context, step string, words, variables []string, document []byte) ([]byte, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-ctx.Done():
		return nil, r.failed(step, words, fmt.Errorf("it was not started: %w", ctx.Err()), nil)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, r.timeout, errTime)
	defer cancel()
	out, complaint := &answer{}, &tail{}
	cmd := r.command(ctx, words, variables)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(document), out, complaint
	r.runs.Add(1)
	err := cmd.Run()
	if cmd.Process != nil {
		killGroup(cmd.Process.Pid)
	}
	switch {
	case out.full:
		err = fmt.Errorf("its answer is longer than %d bytes", most)
	case ctx.Err() != nil && err != nil:
		err = fmt.Errorf("it was killed: %w", context.Cause(ctx))
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // the program itself has ended well
	}
	if err != nil {
		return nil, r.failed(step, words, err, complaint)
	}
	return out.data, nil
}

// command is a program that is a group of its own, and does not outlive the agent: the
// signal for that counts the thread that made it, and the threads of a Go program stay.
// Its whole group is killed when ctx ends.
func (r *runner) command(ctx context.Context, words, variables []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, words[0], words[1:]...)
	cmd.Dir, cmd.WaitDelay = "/", linger
	cmd.Env = append(append([]string(nil), r.environment...), variables...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL, Credential: r.credential}
	cmd.Cancel = func() error {
		killGroup(cmd.Process.Pid)
		return nil
	}
	return cmd
}

// killGroup ends what is left of a group. Its number is not given to others as long as
// any of it is there, and afterwards not at once.
func killGroup(pid int) { _ = syscall.Kill(-pid, syscall.SIGKILL) }

// failed makes the error of a program, and counts it.
func (r *runner) failed(step string, words []string, err error, complaint *tail) error {
	r.failures.Add(1)
	if errors.Is(err, errTime) {
		r.timeouts.Add(1)
	}
	if text := complaint.text(); text != "" {
		return fmt.Errorf("the program %s of step %s: %w: %s", words[0], step, err, text)
	}
	return fmt.Errorf("the program %s of step %s: %w", words[0], step, err)
}

// answer keeps what fits. What does not ends the program: nobody reads its output then.
type answer struct {
	data []byte
	full bool
}

func (a *answer) Write(p []byte) (int, error) {
	if len(a.data)+len(p) > most {
		a.full = true
		return 0, errors.New("the answer is too long")
	}
	a.data = append(a.data, p...)
	return len(p), nil
}

// tail keeps the end.
type tail struct{ data []byte }

func (t *tail) Write(p []byte) (int, error) {
	n := len(p)
	t.data = append(t.data, p[max(0, n-kept):]...)
	if over := len(t.data) - kept; over > 0 {
		t.data = append(t.data[:0], t.data[over:]...)
	}
	return n, nil
}

// text is fit for a log: a program can write anything.
func (t *tail) text() string {
	if t == nil {
		return ""
	}
	clean := strings.Map(func(c rune) rune {
		if c == '\n' || c == '\t' || !unicode.IsControl(c) {
			return c
		}
		return ' '
	}, strings.ToValidUTF8(string(t.data), "?"))
	return strings.TrimSpace(clean)
}
