package runc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"
)

const (
	// patience is how long the runtime has for one step.
	patience = 30 * time.Second

	// maxSaid is how much of what it says is looked at.
	maxSaid = 64 << 10
)

// runtime runs the runtime for what the agent does itself.
type runtime struct {
	program string
	state   string // the folder in which it keeps its state
}

var version = regexp.MustCompile(`(?m)^runc version (\d+)\.(\d+)`)

// newRuntime finds the runtime and says whether it is one that can be used.
func newRuntime(ctx context.Context, program, state string) (*runtime, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("parameter runtime: %w; on Debian it is in the package runc", err)
	}
	if path, err = filepath.Abs(path); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(state, 0o700); err != nil {
		return nil, err
	}
	r := &runtime{program: path, state: state}
	said, err := r.run(ctx, nil, "--version")
	if err != nil {
		return nil, fmt.Errorf("parameter runtime: %w", err)
	}
	found := version.FindStringSubmatch(said)
	if found == nil {
		return nil, fmt.Errorf("parameter runtime: %s is not runc: it says its version is %q", path, first(said))
	}
	major, _ := strconv.Atoi(found[1])
	minor, _ := strconv.Atoi(found[2])
	if major != 1 || minor < 1 {
		return nil, fmt.Errorf("parameter runtime: %s is runc %d.%d; the containerizer works with runc 1.1 and later ones of the line 1", path, major, minor)
	}
	return r, nil
}

// first is the first line of a text, and not all of a long one.
func first(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line[:min(len(line), 200)]
}

// run returns what the runtime says. Its error has what it complains of.
func (r *runtime) run(ctx context.Context, input []byte, arguments ...string) (string, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, patience, fmt.Errorf("it has not ended within %v", patience))
	defer cancel()
	command := exec.CommandContext(ctx, r.program, append([]string{"--root", r.state}, arguments...)...)
	out, complaints := &limited{left: maxSaid}, &limited{left: maxSaid}
	command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(input), out, complaints
	command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	command.Cancel = func() error { return syscall.Kill(-command.Process.Pid, syscall.SIGKILL) }
	command.WaitDelay = time.Second
	err := command.Run()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		err = cause
	} else if said := strings.TrimSpace(complaints.String()); err != nil && said != "" {
		err = errors.New(said)
	}
	if err != nil {
		return "", fmt.Errorf("%s %s: %w", r.program, arguments[0], err)
	}
	return out.String(), nil
}

// limited keeps the beginning of what is written to it.
type limited struct {
	bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	keep := p[:min(len(p), l.left)]
	l.left -= len(keep)
	_, _ = l.Buffer.Write(keep) // which always works
	return len(p), nil
}

// remove kills what is in a container, and makes the runtime forget it. One that is not
// known is forgotten already.
func (r *runtime) remove(ctx context.Context, id string) error {
	if _, err := os.Lstat(filepath.Join(r.state, id)); errors.Is(err, os.ErrNotExist) {
		return nil
	}
	_, err := r.run(ctx, nil, "delete", "--force", id)
	return err
}

func (r *runtime) update(ctx context.Context, id string, limits *specs.LinuxResources) error {
	text, err := json.Marshal(limits)
	if err != nil {
		return err
	}
	_, err = r.run(ctx, text, "update", "--resources", "-", id)
	return err
}

// list returns the containers that the runtime knows.
func (r *runtime) list() ([]string, error) {
	entries, err := os.ReadDir(r.state)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, e := range entries {
		if e.IsDir() {
			all = append(all, e.Name())
		}
	}
	return all, nil
}
