package shim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// errMemory is why a container is destroyed that wants more memory than it may have.
var errMemory = errors.New("the container has used more memory than it may")

const cgroupMount = "/sys/fs/cgroup"

// watchMemory ends the container as soon as it needs more memory than it may have. The
// kernel is kept from killing one of its processes, so that nobody takes that for the
// process' own end: who needs the memory waits for it until all are killed. That needs
// control groups of version 1; with version 2 the kernel kills, and it is seen at the end.
func (h *holder) watchMemory() {
	folder, legacy := memoryGroup(h.children.firstOr(0))
	h.memory = folder
	if !legacy {
		return
	}
	events, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(events), "memory")
	control, err := os.Open(filepath.Join(folder, "memory.oom_control"))
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, "cgroup.event_control"), fmt.Appendf(nil, "%d %d", f.Fd(), control.Fd()), 0)
		_ = control.Close() // the kernel has its own
	}
	if err != nil {
		_ = f.Close()
		return
	}
	_ = unix.SetNonblock(events, true)                                            // Fd has undone it
	_ = os.WriteFile(filepath.Join(folder, "memory.oom_control"), []byte("1"), 0) // else the kernel kills first
	go func() {
		if _, err := f.Read(make([]byte, binary.Size(uint64(0)))); err != nil {
			return
		}
		if _, err := os.Stat(filepath.Join(folder, "cgroup.procs")); err != nil {
			return // the group's own end is told like that too
		}
		h.note()
		h.destroy(errMemory)
	}()
}

// noteMemory is the look at the end: the command may have been the one that was killed.
func (h *holder) noteMemory() {
	if h.memory == "" {
		return
	}
	for _, file := range []string{"memory.oom_control", "memory.events"} {
		text, err := os.ReadFile(filepath.Join(h.memory, file))
		if err != nil {
			continue
		}
		for line := range strings.Lines(string(text)) {
			if name, count, ok := strings.Cut(strings.TrimSpace(line), " "); ok && name == "oom_kill" && count != "0" {
				h.note()
			}
		}
	}
}

// note writes down how much was used, in bytes; 0: not known.
func (h *holder) note() {
	var most int
	for _, file := range []string{"memory.max_usage_in_bytes", "memory.peak"} {
		if text, err := os.ReadFile(filepath.Join(h.memory, file)); err == nil {
			most, _ = strconv.Atoi(strings.TrimSpace(string(text)))
		}
	}
	_ = os.WriteFile(OutOfMemory, []byte(strconv.Itoa(most)), 0o600) // without it the end has a status, and no reason
}

// memoryGroup is the folder of a process' control group, and whether it is of version 1.
func memoryGroup(pid int) (folder string, legacy bool) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return "", false
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(fields) != 3 {
			continue
		}
		switch {
		case fields[1] == "memory":
			return filepath.Join(cgroupMount, "memory", fields[2]), true
		case fields[0] == "0":
			folder = filepath.Join(cgroupMount, fields[2])
		}
	}
	return folder, false
}
