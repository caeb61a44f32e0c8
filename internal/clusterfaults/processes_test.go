package clusterfaults_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/cluster"
)

// process is one of the host's that has to do with a cluster.
type process struct {
	pid  int
	line string // its arguments
}

func (p process) kill() { _ = syscall.Kill(p.pid, syscall.SIGKILL) } // it may be gone

// is says whether it runs this program.
func (p process) is(program string) bool {
	first, _, _ := strings.Cut(p.line, " ")
	return filepath.Base(first) == program
}

// processes are those that work in a folder, or were given it, but for those named. A
// process that has ended and waits for its parent is none.
func processes(t *testing.T, dir string, but ...*cluster.Daemon) []process {
	t.Helper()
	entries, err := os.ReadDir("/proc")
	require.NoError(t, err)
	var found []process
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
			found = append(found, process{pid, strings.TrimSpace(strings.ReplaceAll(string(line), "\x00", " "))})
		}
	}
	return found
}

func isDaemon(pid int, daemons []*cluster.Daemon) bool {
	for _, d := range daemons {
		if d != nil && d.PID() == pid {
			return true
		}
	}
	return false
}

// containers are the processes of a cluster that are none of its daemons.
func containers(t *testing.T, c *cluster.Cluster, dir string) []process {
	return processes(t, dir, c.Master, c.Slave)
}
