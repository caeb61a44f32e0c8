package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// plan is one daemon and what it is asked.
type plan struct {
	daemon    string
	args      []string
	questions []question
}

// question is a request with the answer that is right, as JSON without blanks.
type question struct{ path, answer string }

// patience is how long a daemon may take to stop when time is up.
const patience = 10 * time.Second

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// run starts the daemon, asks, and stops it.
func (p plan) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "bin/"+p.daemon, append([]string{"--ip=127.0.0.1", "--port=0", "--work_dir=build/run/" + p.daemon}, p.args...)...)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = patience
	cmd.Stdout = os.Stdout
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	fmt.Printf("\n$ %s\n\n", strings.Join(cmd.Args, " \\\n    "))
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(output)
	address, err := show(lines)
	if err != nil {
		return errors.Join(err, cmd.Wait())
	}
	asked := p.ask(ctx, address)
	stopped := cmd.Process.Signal(syscall.SIGTERM)
	_, err = show(lines)
	if errors.Is(err, errEnded) {
		err = nil
	}
	return errors.Join(asked, stopped, err, cmd.Wait())
}

// errEnded says that a daemon says nothing any more.
var errEnded = errors.New("ended before it answered")

// show prints what a daemon says until it says where it answers, and returns the
// address.
func show(lines *bufio.Reader) (address string, err error) {
	for {
		line, err := lines.ReadString('\n')
		fmt.Print(line)
		if errors.Is(err, io.EOF) {
			return "", errEnded
		}
		if err != nil {
			return "", err
		}
		if _, address, ok := strings.Cut(line, ": answers at "); ok {
			return strings.TrimSpace(address), nil
		}
	}
}

// ask puts every question and reports every wrong answer.
func (p plan) ask(ctx context.Context, address string) error {
	var wrong []error
	fmt.Println()
	for _, q := range p.questions {
		answer, err := get(ctx, address+q.path)
		fmt.Printf("GET %s\n    %s\n", q.path, answer)
		switch {
		case err != nil:
			wrong = append(wrong, err)
		case answer != q.answer:
			wrong = append(wrong, fmt.Errorf("GET %s: wrong answer, want %s", q.path, q.answer))
		}
	}
	fmt.Println()
	return errors.Join(wrong...)
}

// get returns the body of an answer without blanks between its parts.
func get(ctx context.Context, url string) (string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer))
	if err != nil {
		return "", err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, body); err != nil {
		return string(body), fmt.Errorf("GET %s: %s: %w", url, answer.Status, err)
	}
	return compact.String(), nil
}
