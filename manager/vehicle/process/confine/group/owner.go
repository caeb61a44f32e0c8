package group

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// beginning is how the names of all our groups begin.
const beginning = "mms-process-"

// owner is a daemon: its number, in the space of numbers that it is in, and when it was
// started, for numbers are used again.
type owner struct {
	space string
	pid   int
	start string
}

func self() (owner, error) {
	space, err := os.Readlink("/proc/self/ns/pid") // pid:[4026531836]
	if err != nil {
		return owner{}, err
	}
	start, err := started(os.Getpid())
	return owner{space: strings.Trim(space, "pid:[]"), pid: os.Getpid(), start: start}, err
}

func (o owner) prefix() string {
	return fmt.Sprintf("%s%s-%d-%s-", beginning, o.space, o.pid, o.start)
}

// parse is the owner of a group; false if it is none of ours.
func parse(name string) (owner, bool) {
	rest, ok := strings.CutPrefix(name, beginning)
	parts := strings.Split(rest, "-")
	if !ok || len(parts) != 4 {
		return owner{}, false
	}
	o := owner{space: parts[0], start: parts[2]}
	_, err := fmt.Sscan(parts[1], &o.pid)
	return o, err == nil
}

// removeStale removes the groups of daemons that are gone, with whoever is in them. Of
// another space of numbers nothing is known.
func removeStale(base string, me owner) {
	entries, err := os.ReadDir(base)
	if err != nil {
		return // making one fails as well, and says why
	}
	for _, e := range entries {
		o, ours := parse(e.Name())
		if !ours || o.space != me.space {
			continue
		}
		start, err := started(o.pid)
		if errors.Is(err, fs.ErrNotExist) || (err == nil && start != o.start) {
			sweep(filepath.Join(base, e.Name()), clearLimit)
		}
	}
}

// started is when a process was started, in ticks since the machine was. One that has
// ended is not there, buried or not.
func started(pid int) (string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return "", err
	}
	// The name of the program stands in brackets, and may have any in it.
	_, rest, _ := strings.Cut(string(text)[max(0, strings.LastIndexByte(string(text), ')')):], " ")
	fields := strings.Fields(rest)
	const at = 19 // the 22nd of all, and two stand before
	if len(fields) <= at {
		return "", fmt.Errorf("/proc/%d/stat makes no sense", pid)
	}
	if state := fields[0]; state == "Z" || state == "X" {
		return "", fs.ErrNotExist
	}
	return fields[at], nil
}
