package clustertest

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/mesos-modules/mms/internal/cluster"
)

// Process is one of the host's that has to do with a cluster.
type Process struct {
	PID  int
	Line string // its arguments
}

// Kill ends it; it may be gone.
func (p Process) Kill() { _ = syscall.Kill(p.PID, syscall.SIGKILL) }

// Is says whether it runs this program.
func (p Process) Is(program string) bool {
	first, _, _ := strings.Cut(p.Line, " ")
	return filepath.Base(first) == program
}

// Processes are those that work in a folder, or were given it, but for those named and
// this one. A process that has ended and waits for its parent is none.
func Processes(dir string, but ...*cluster.Daemon) ([]Process, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || isDaemon(pid, but) {
			continue
		}
		proc := filepath.Join("/proc", e.Name())
		cwd, _ := os.Readlink(proc + "/cwd")         // whatever cannot be read
		environ, _ := os.ReadFile(proc + "/environ") // belongs to a process
		line, _ := os.ReadFile(proc + "/cmdline")    // that ends just now
		if len(line) == 0 {
			continue
		}
		if strings.HasPrefix(cwd, dir) || bytes.Contains(environ, []byte(dir)) || bytes.Contains(line, []byte(dir)) {
			found = append(found, Process{pid, strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))})
		}
	}
	return found, nil
}

func isDaemon(pid int, daemons []*cluster.Daemon) bool {
	for _, d := range daemons {
		if d != nil && d.PID() == pid {
			return true
		}
	}
	return false
}
