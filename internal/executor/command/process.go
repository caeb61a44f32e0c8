package command

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/internal/executor"
)

// process is a running command, the leader of a session of its own.
type process struct {
	pid    int
	status syscall.WaitStatus // valid once ended is closed
	ended  chan struct{}
}

// stdio is what a command inherits.
type stdio struct{ in, out, err *os.File }

// start runs a command in the working directory of this process. When this process dies, whatever way, so does the
// command; a goroutine and its thread wait for it until then.
func start(info *mesosv1.CommandInfo, environ []string, files stdio, terminal bool) (*process, error) {
	path, args, err := resolve(info, environ)
	if err != nil {
		return nil, err
	}
	attributes := &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	if terminal {
		attributes.Setctty, attributes.Ctty = true, 0
	}
	p := &process{ended: make(chan struct{})}
	started := make(chan error, 1)
	go func() {
		// The kernel sends the signal of Pdeathsig when the thread that forked ends. A locked thread is not unlocked
		// here, so that it ends with this goroutine, and no sooner.
		runtime.LockOSThread()
		child, err := os.StartProcess(path, args, &os.ProcAttr{Env: environ, Files: []*os.File{files.in, files.out, files.err}, Sys: attributes})
		if err != nil {
			started <- err
			return
		}
		p.pid = child.Pid
		started <- nil
		defer close(p.ended)
		state, err := child.Wait()
		if err != nil {
			p.status = syscall.WaitStatus(1 << 8) // nobody else waits for it, so this does not happen
			return
		}
		p.status = state.Sys().(syscall.WaitStatus)
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("execute %s: %w", path, err)
	}
	return p, nil
}

// resolve is the program of a command and its arguments, the name it is called by included.
func resolve(info *mesosv1.CommandInfo, environ []string) (string, []string, error) {
	if info.GetShell() {
		return "/bin/sh", []string{"sh", "-c", info.GetValue()}, nil
	}
	name := info.GetValue()
	if name == "" {
		return "", nil, fmt.Errorf("the command has no value: without shell, it is the program's path")
	}
	args := info.GetArguments()
	if len(args) == 0 {
		args = []string{name}
	}
	if strings.Contains(name, "/") {
		return name, args, nil
	}
	path, err := search(name, environ)
	return path, args, err
}

// search looks for a program in the command's PATH, which is not that of this process.
func search(name string, environ []string) (string, error) {
	path := executor.DefaultPath
	for _, entry := range environ {
		if value, found := strings.CutPrefix(entry, "PATH="); found {
			path = value
		}
	}
	for _, folder := range filepath.SplitList(path) {
		candidate := filepath.Join(folder, name)
		if folder == "" {
			candidate = "./" + name
		}
		if info, err := os.Stat(candidate); err == nil && !info.IsDir() && info.Mode()&0o111 != 0 {
			return candidate, nil
		}
	}
	return "", fmt.Errorf("%s: %w in PATH=%s", name, os.ErrNotExist, path)
}
