package shim

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestComplaint(t *testing.T) {
	t.Chdir(t.TempDir())
	assert.Empty(t, complaint(), "there is no log")
	require.NoError(t, os.WriteFile(logFile, []byte("no JSON\n"+`{"level":"error","msg":"first"}`+"\n"+
		`{"level":"warning","msg":"not this"}`+"\n"+`{"level":"error","msg":"last"}`+"\n"), 0o600))
	assert.Equal(t, "last", complaint())
}

func TestMemoryGroup(t *testing.T) {
	folder, _ := memoryGroup(os.Getpid())
	assert.NotEmpty(t, folder)
	folder, legacy := memoryGroup(1 << 30)
	assert.Empty(t, folder)
	assert.False(t, legacy)
}

func TestProcesses(t *testing.T) {
	p := newProcesses()
	done := make(chan struct{})
	go func() { // as Main does at each SIGCHLD
		defer close(done)
		for p.reap() || p.firstOr(0) == 0 {
		}
	}()
	status, err := p.run(t.Context(), "/bin/sh", []string{"sh", "-c", "exit 3"}, &syscall.ProcAttr{})
	require.NoError(t, err)
	assert.Equal(t, 3, status.ExitStatus())
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(errDestroyed)
	status, err = p.run(ctx, "/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{Sys: &syscall.SysProcAttr{Setsid: true}})
	require.ErrorIs(t, err, errDestroyed)
	assert.Equal(t, syscall.SIGKILL, status.Signal())
	_, err = p.run(t.Context(), "/no/such/program", nil, &syscall.ProcAttr{})
	require.ErrorIs(t, err, os.ErrNotExist)

	first, err := syscall.ForkExec("/bin/sleep", []string{"sleep", "1000"}, &syscall.ProcAttr{})
	require.NoError(t, err)
	assert.Equal(t, 7, p.firstOr(7))
	p.adopt(first)
	assert.Equal(t, first, p.firstOr(7))
	p.signal(syscall.SIGTERM)
	assert.Equal(t, syscall.SIGTERM, (<-p.ended).Signal())
	<-done
}

func TestAProcessThatEndsBeforeItIsKnown(t *testing.T) {
	p := newProcesses()
	pid, err := syscall.ForkExec("/bin/sh", []string{"sh", "-c", "exit 5"}, &syscall.ProcAttr{})
	require.NoError(t, err)
	for p.reap() {
	}
	p.adopt(pid)
	assert.Equal(t, 5, (<-p.ended).ExitStatus())
}
