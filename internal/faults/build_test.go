package faults

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

const headers = "-I../../facade/include"

// faulty builds the calculator of testdata with some of its statements replaced,
// each as NAME=STATEMENT.
func faulty(t *testing.T, replaced ...string) string {
	t.Helper()
	line := []string{"gcc", "-std=gnu11", "-fPIC", "-shared", headers, "testdata/fault.c"}
	for _, r := range replaced {
		line = append(line, "-D"+r)
	}
	return built(t, line...)
}

// built runs a compiler, once for each command, and returns a library that is the
// test's own: its path is in no other test's process maps.
func built(t *testing.T, line ...string) string {
	t.Helper()
	shelf := filepath.Join(shop, fmt.Sprintf("%x.so", sha256.Sum256(fmt.Append(nil, line))))
	if _, err := os.Stat(shelf); err != nil {
		out, err := exec.Command(line[0], slices.Concat(line[1:], []string{"-o", shelf})...).CombinedOutput()
		require.NoError(t, err, string(out))
	}
	return copied(t, shelf, "libfaulty.so")
}

func copied(t *testing.T, from, name string) string {
	t.Helper()
	content, err := os.ReadFile(from)
	require.NoError(t, err)
	return written(t, name, content)
}

func written(t *testing.T, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, content, 0o755))
	return path
}
