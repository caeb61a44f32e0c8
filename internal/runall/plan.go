package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/mesos-modules/mms/internal/cluster"
)

// plan is one daemon and what it is asked.
type plan struct {
	daemon    string
	args      []string
	questions []question
}

// question is a request with the answer that is right, as JSON without blanks.
type question struct{ path, answer string }

// maxAnswer bounds what is read of an answer.
const maxAnswer = 1 << 20

// start starts the daemon and asks. The caller stops it.
func (p plan) start(ctx context.Context) (*cluster.Daemon, error) {
	work := filepath.Join("build/run", p.daemon)
	if err := os.MkdirAll(work, 0o755); err != nil {
		return nil, err
	}
	args := append([]string{"--ip=127.0.0.1", "--port=0", "--work_dir=" + work}, p.args...)
	fmt.Printf("\n$ bin/%s %s\n\n", p.daemon, strings.Join(args, " \\\n    "))
	d, err := cluster.Start(ctx, ctx, cluster.Options{Binary: "bin/" + p.daemon, Args: args, Echo: os.Stdout})
	if err != nil {
		return nil, err
	}
	if err := p.ask(ctx, "http://"+d.Address); err != nil {
		return nil, errors.Join(err, d.Stop())
	}
	return d, nil
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
