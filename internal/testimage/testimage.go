// Package testimage makes root file systems for tests, of what the host has: a shell, a
// few tools and the libraries that they are linked with.
package testimage

import (
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/privileged"
	"golang.org/x/sys/unix"
)

// tools are the programs of an image.
var tools = []string{"sh", "cat", "echo", "grep", "id", "ln", "ls", "mkdir", "mount", "readlink", "rm", "setsid", "sleep", "stat", "touch", "tty"}

// Make fills a folder, which it makes, with a root file system. The file /image holds
// the text.
func Make(t testing.TB, folder, text string) {
	t.Helper()
	for _, name := range []string{"bin", "etc", "tmp"} {
		require.NoError(t, os.MkdirAll(filepath.Join(folder, name), 0o755))
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "image"), []byte(text), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "etc/passwd"), []byte("root:x:0:0::/:/bin/sh\n"), 0o644))
	for _, name := range tools {
		program, err := exec.LookPath(name)
		require.NoError(t, err)
		put(t, program, filepath.Join(folder, "bin", name))
		for _, library := range libraries(t, program) {
			put(t, library, filepath.Join(folder, library))
		}
	}
}

// libraries are the files that the dynamic linker would open.
func libraries(t testing.TB, program string) (all []string) {
	out, err := exec.Command("ldd", program).CombinedOutput()
	if err != nil { // it is linked statically
		require.Contains(t, string(out), "not a dynamic executable")
		return nil
	}
	for word := range strings.FieldsSeq(string(out)) {
		if filepath.IsAbs(word) {
			all = append(all, word)
		}
	}
	return all
}

// put copies a file once.
func put(t testing.TB, from, to string) {
	if _, err := os.Lstat(to); err == nil {
		return
	}
	real, err := filepath.EvalSymlinks(from)
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(filepath.Dir(to), 0o755))
	data, err := os.ReadFile(real)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, data, 0o755))
}

// Root skips a test that makes namespaces, mounts or other users where it does not run as
// root.
func Root(t testing.TB) {
	t.Helper()
	privileged.Root(t, "only root makes namespaces and mounts, and becomes others")
}

// AsNobody calls on a thread that is nobody's, for what asks who it is. It is called by
// root.
func AsNobody(do func() error) error {
	const nobody = 65534
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread never ends
			defer runtime.UnlockOSThread()
			done <- AsNobody(do) // on another thread: this one is taken
			return
		}
		// Not unix.Setresuid, which changes all threads.
		if _, _, failed := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody); failed != 0 {
			done <- failed
			return
		}
		done <- do()
		// Still locked: the thread ends with the goroutine.
	}()
	return <-done
}
