package faults

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// held is what the process holds of the things that a fault could leave behind.
type held struct {
	descriptors int
	children    string
}

func holding(t *testing.T) held {
	t.Helper()
	var h held
	open, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	h.descriptors = len(open)
	tasks, err := filepath.Glob("/proc/self/task/*/children")
	require.NoError(t, err)
	for _, path := range tasks {
		text, err := os.ReadFile(path)
		if err == nil { // a thread may have ended meanwhile
			h.children += strings.TrimSpace(string(text))
		}
	}
	return h
}

// requireNothingBehind waits for what is cleared up after a process has ended.
func requireNothingBehind(t *testing.T, before held, library string) {
	t.Helper()
	after := holding(t)
	for patience := time.Now().Add(10 * time.Second); time.Now().Before(patience); after = holding(t) {
		if after.descriptors <= before.descriptors && after.children == "" {
			break
		}
		runtime.Gosched()
	}
	assert.LessOrEqual(t, after.descriptors, before.descriptors, "descriptors are left open")
	assert.Empty(t, after.children, "child processes are left")
	if library != "" {
		maps, err := os.ReadFile("/proc/self/maps")
		require.NoError(t, err)
		assert.NotContains(t, string(maps), library, "the library is left open")
	}
}
