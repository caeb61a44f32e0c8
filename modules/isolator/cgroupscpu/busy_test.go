package cgroupscpu_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const (
	enough = 10 * time.Second
	tick   = 5 * time.Millisecond
)

// busy is a process that uses as much of a processor as it gets, until the test ends.
func busy(t testing.TB) int {
	t.Helper()
	cmd := exec.Command("sh", "-c", "while :; do :; done")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // it may have been killed with its group
		_ = cmd.Wait()         // and this says so
	})
	return cmd.Process.Pid
}
