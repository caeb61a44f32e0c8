package nativetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/moduletest"
)

var builds *workshop

func TestMain(m *testing.M) {
	if moduletest.Child() {
		return
	}
	dir, err := os.MkdirTemp("", "nativetest")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	builds = &workshop{dir: dir, made: map[string]moduletest.File{}}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// workshop builds each library once.
type workshop struct {
	dir  string
	mu   sync.Mutex
	made map[string]moduletest.File // by source
}

// library builds the module below modules/ as "make samples" does, with the warnings of a careful author.
func library(t testing.TB, source string) moduletest.File {
	t.Helper()
	return builds.library(t, filepath.Join("..", "..", "modules", source))
}

func (w *workshop) library(t testing.TB, source string, flags ...string) moduletest.File {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	key := fmt.Sprint(source, flags)
	if file, ok := w.made[key]; ok {
		return file
	}
	path := filepath.Join(w.dir, fmt.Sprintf("lib%d.so", len(w.made)))
	args := append([]string{"-std=c++17", "-O0", "-fPIC", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Werror",
		"-I../../facade/include", "-fno-gnu-unique", "-pthread", "-shared", "-o", path, source}, flags...)
	out, err := exec.Command("g++", args...).CombinedOutput()
	require.NoError(t, err, string(out))
	w.made[key] = moduletest.File(path)
	return moduletest.File(path)
}
