package shipped_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/mesos-modules/mms/internal/clustertest"
)

// listen is how a task of these tests listens: as this very program, at a port that it
// chooses, until its input ends.
const listen = "SHIPPED_TEST_LISTEN"

func init() {
	at, ok := os.LookupEnv(listen)
	if !ok {
		return
	}
	l, err := net.Listen("tcp", at)
	fmt.Println("listening", l, err)
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	os.Exit(0)
}

func TestATaskOutsideItsPortsIsCaught(t *testing.T) {
	t.Parallel()
	self, err := os.Executable()
	assert.NoError(t, err)
	watch := []string{"--isolation=posix/cpu,network/ports", "--container_ports_watch_interval=50ms", "--enforce_container_ports"}
	task := func(c *clustertest.Cluster, at, then string) (int, string) {
		return c.Run("--name=listener", fmt.Sprintf("--command=(sleep 1000 | %s=%s %s) & %s", listen, at, self, then), small+";ports:[31000-31001]")
	}
	t.Run("one that listens elsewhere", func(t *testing.T) {
		t.Parallel()
		c := up(t, nil, watch)
		status, output := task(c, "127.0.0.1:0", "wait")
		assert.NotZero(t, status)
		assert.Contains(t, output, "TASK_FAILED")
		assert.Contains(t, output, "reason: REASON_CONTAINER_LIMITATION")
		assert.Regexp(t, `message: 'Container is listening on unallocated port\(s\): \[(\d+)-\d+\]'`, output)
	})
	t.Run("but not outside the ports that are watched", func(t *testing.T) {
		t.Parallel()
		c := up(t, nil, append(watch, "--check_agent_port_range_only"))
		status, output := task(c, "127.0.0.1:0", "sleep 0.5; exit 7")
		assert.Equal(t, 7, status, output)
	})
}
