package spawn

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	// sweeps bounds how often all processes are looked through: one that forks while
	// it is sought is found the next time.
	sweeps = 20

	maxEnvironment = 256 << 10 // bytes that are read of one
)

// killMarked kills all processes whose environment has the entry. A process inherits it, also in a group and a session of its own and when its
// parent is gone. Not found are programs that were started with another environment,
// those that wrote over it, and those that the daemon's user may not look into.
func killMarked(entry string) {
	for range sweeps {
		found := false
		names, err := processes()
		if err != nil {
			return // no procfs
		}
		for _, name := range names {
			found = killIfMarked(name, []byte(entry)) || found
		}
		if !found {
			return
		}
	}
}

// processes are the numbers of all there are.
func processes() ([]string, error) {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil, err
	}
	defer folder.Close() //nolint:errcheck // nothing was written
	return folder.Readdirnames(-1)
}

func killIfMarked(name string, entry []byte) bool {
	pid, err := strconv.Atoi(name)
	if err != nil || pid == os.Getpid() || !marked(name, entry) {
		return false
	}
	// The number may be another's by now: it is held, and looked at again.
	held, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false
	}
	defer unix.Close(held) //nolint:errcheck // nothing was written
	return marked(name, entry) && unix.PidfdSendSignal(held, unix.SIGKILL, nil, 0) == nil
}

// marked is whether the environment of a process has the entry. That of one that has
// ended and is not buried yet is empty.
func marked(name string, entry []byte) bool {
	f, err := os.Open(filepath.Join("/proc", name, "environ"))
	if err != nil {
		return false
	}
	defer f.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, maxEnvironment))
	if err != nil && !errors.Is(err, syscall.ESRCH) {
		return false
	}
	for one := range bytes.SplitSeq(text, []byte{0}) {
		if bytes.Equal(one, entry) {
			return true
		}
	}
	return false
}
