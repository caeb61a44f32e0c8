package shim

import (
	"os"
	"strconv"
	"strings"
	"syscall"
)

// kill sends SIGKILL to all that descends from the shim. Whoever is born while it looks
// becomes the shim's child when its parent is gone, and is killed then.
func (s *shim) kill() { KillBelow(os.Getpid()) }

// KillBelow sends SIGKILL to the descendants of a process. A process keeps its id until
// its parent reaps it, so each parent is stopped before its children are looked at.
func KillBelow(parent int) {
	for _, child := range Children(parent) {
		_ = syscall.Kill(child, syscall.SIGSTOP) // it does not reap from here on
		KillBelow(child)
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
}

// Children returns the direct children of a process, those of all its threads.
func Children(pid int) []int {
	folder := "/proc/" + strconv.Itoa(pid) + "/task"
	tasks, err := os.ReadDir(folder)
	if err != nil {
		return nil // it has ended
	}
	var all []int
	for _, t := range tasks {
		text, err := os.ReadFile(folder + "/" + t.Name() + "/children")
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}
