package shim

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// patience is how long the runtime has for one step.
	patience = 30 * time.Second

	rootFolder    = "rootfs"
	logFile       = "runtime.log"
	consoleSocket = "console"
)

var (
	errSlow = fmt.Errorf("it has not ended within %v", patience)

	// errSaid is an error that stands in the container's output already.
	errSaid = errors.New("the command cannot be run")
)

// notRunnable says that there is no such program in the container.
type notRunnable struct{ message string }

func (n *notRunnable) Error() string { return n.message }

// runtime runs the runtime for one step. What it complains of is in the error.
func (h *holder) runtime(ctx context.Context, files []uintptr, step string, arguments ...string) error {
	_ = os.Remove(logFile) // of the step before
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errSlow)
	defer cancel()
	all := append([]string{h.config.Runtime, "--root", h.config.State, "--log", logFile, "--log-format", "json", step}, arguments...)
	status, err := h.children.run(ctx, h.config.Runtime, all, &syscall.ProcAttr{
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, Files: files,
		Sys: &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	})
	if err != nil {
		return fmt.Errorf("%s %s: %w", h.config.Runtime, step, err)
	}
	if status == 0 {
		return nil
	}
	said := complaint()
	err = fmt.Errorf("%s %s: %s", h.config.Runtime, step, said)
	if said == "" {
		err = fmt.Errorf("%s %s: it ended with wait status %d", h.config.Runtime, step, status)
	}
	if strings.Contains(said, "exec: "+strconv.Quote(h.config.Program)) {
		return &notRunnable{err.Error()}
	}
	return err
}

// complaint is the last error in the runtime's log.
func complaint() (said string) {
	text, err := os.ReadFile(logFile)
	if err != nil {
		return ""
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		var line struct{ Level, Msg string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Level == "error" {
			said = line.Msg
		}
	}
	return said
}

// create makes the container, whose first process waits for the start.
func (h *holder) create() error {
	if err := h.mountRoot(); err != nil {
		return err
	}
	arguments := []string{"--bundle", h.config.Folder, "--pid-file", PidFile}
	if err := h.withTerminal(arguments, func(arguments []string) error {
		return h.runtime(h.ctx, []uintptr{0, 1, 2}, "create", append(arguments, h.config.ID)...)
	}); err != nil {
		return err
	}
	if !h.config.Terminal {
		h.io.Nothing()
	}
	h.watchMemory()
	return nil
}

// withTerminal lets the runtime make a process, adopts it and takes its terminal, if it has
// one.
func (h *holder) withTerminal(arguments []string, make func(arguments []string) error) error {
	var console *console
	if h.config.Terminal {
		var err error
		if console, err = listenConsole(); err != nil {
			return fmt.Errorf("listen for the terminal: %w", err)
		}
		defer console.close()
		arguments = append(arguments, "--console-socket", consoleSocket)
	}
	if err := make(arguments); err != nil {
		return err
	}
	text, err := os.ReadFile(PidFile)
	if err != nil {
		return fmt.Errorf("the container's first process: %w", err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || pid <= 1 {
		return fmt.Errorf("the container's first process cannot be %q", text)
	}
	h.children.adopt(pid)
	if console == nil {
		return nil
	}
	master, err := console.receive()
	if err != nil {
		return fmt.Errorf("take the container's terminal: %w", err)
	}
	h.io.Terminal(master, h.config.Rows, h.config.Columns)
	return nil
}

// start lets the first process go on.
func (h *holder) start() error {
	return h.runtime(h.ctx, []uintptr{0, 1, 2}, "start", h.config.ID)
}

// exec makes a process in a container that is there.
func (h *holder) exec() error {
	arguments := []string{"--detach", "--process", ProcessFile, "--pid-file", PidFile}
	if h.config.Terminal {
		return h.withTerminal(arguments, func(arguments []string) error {
			return h.runtime(h.ctx, []uintptr{0, 1, 2}, "exec", append(arguments, h.config.ID)...)
		})
	}
	files, started, err := h.io.Pipes()
	if err != nil {
		return err
	}
	err = h.withTerminal(arguments, func(arguments []string) error {
		return h.runtime(h.ctx, files, "exec", append(arguments, h.config.ID)...)
	})
	started(true) // what the runtime complains of has to be moved as well
	if unrunnable := (*notRunnable)(nil); errors.As(err, &unrunnable) {
		return errSaid
	}
	return err
}

// killAll has the runtime kill what is in the container. Who is left after that is
// killed one by one.
func (h *holder) killAll() {
	_ = h.runtime(context.Background(), nil, "kill", "--all", h.config.ID, "KILL")
}

// mountRoot mounts the root file system for the shim and those below it.
func (h *holder) mountRoot() error {
	if err := os.Mkdir(rootFolder, 0o755); err != nil {
		return err
	}
	if !h.config.Overlay {
		if err := unix.Mount("/", rootFolder, "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("mount the host's files: %w", err)
		}
		return nil
	}
	options := "lowerdir=" + Lower + ",upperdir=" + Upper + ",workdir=" + Work
	if err := unix.Mount("overlay", rootFolder, "overlay", unix.MS_NODEV, options); err != nil {
		return fmt.Errorf("mount the image's files: overlay: %w; the module's state folder has to be in a file system that can be the upper one of an overlay", err)
	}
	return nil
}
