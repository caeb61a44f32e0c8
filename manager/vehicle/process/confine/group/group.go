// Package group makes a control group for one process and those that it starts: of
// version 2, or of version 1 where the machine has it, in plain files below
// /sys/fs/cgroup. A group is named after the daemon that has made it, so that a later
// one finds what a killed one has left.
package group

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Limits of a group. Zero is no limit.
type Limits struct {
	Memory int64   // bytes, swap included
	CPUs   float64 // processors' worth of time
}

// period is the time in which processors are shared out, in microseconds; least is the
// least share of it that the kernel gives.
const (
	period = 100_000
	least  = 1_000
)

// Group is one that was made. It is not safe for concurrent use.
type Group struct {
	folders []string // one, or one for each controller of version 1
	unified bool
	memory  string // the folder that counts memory; may be empty
}

// Available reports why groups with these limits cannot be made here. It makes nothing.
func Available(l Limits) error {
	at, err := find(l)
	if err != nil {
		return err
	}
	for _, base := range at.bases {
		if err := unix.Faccessat(unix.AT_FDCWD, base, unix.W_OK, unix.AT_EACCESS); err != nil {
			return fmt.Errorf("the daemon may not make groups in %s (%w)", base, err)
		}
	}
	return at.provide(false)
}

// Make makes a group and removes those of daemons that are gone.
func Make(l Limits) (*Group, error) {
	at, err := find(l)
	if err != nil {
		return nil, err
	}
	if err := at.provide(true); err != nil {
		return nil, err
	}
	owner, err := self()
	if err != nil {
		return nil, err
	}
	g := &Group{unified: at.unified}
	name := owner.prefix() + rand.Text()
	for _, base := range at.bases {
		removeStale(base, owner)
		folder := filepath.Join(base, name)
		if err := os.Mkdir(folder, 0o755); err != nil {
			g.Clear()
			return nil, err
		}
		g.folders = append(g.folders, folder)
	}
	if err := g.limit(at, l); err != nil {
		g.Clear()
		return nil, err
	}
	return g, nil
}

func (g *Group) limit(at place, l Limits) error {
	set := func(controller, file, value string) error {
		return write(filepath.Join(g.folder(at, controller), file), value)
	}
	if l.Memory > 0 {
		g.memory = g.folder(at, memory)
		bytes := strconv.FormatInt(l.Memory, 10)
		first, swap, none := "memory.limit_in_bytes", "memory.memsw.limit_in_bytes", bytes
		if at.unified {
			first, swap, none = "memory.max", "memory.swap.max", "0"
		}
		if err := set(memory, first, bytes); err != nil {
			return err
		}
		// The file is missing where the kernel does not account for swap.
		if err := set(memory, swap, none); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.EOPNOTSUPP) {
			return err
		}
	}
	if l.CPUs > 0 {
		quota := max(int64(l.CPUs*period), least)
		if at.unified {
			return set(cpu, "cpu.max", fmt.Sprintf("%d %d", quota, period))
		}
		return errors.Join(
			set(cpu, "cpu.cfs_period_us", strconv.Itoa(period)),
			set(cpu, "cpu.cfs_quota_us", strconv.FormatInt(quota, 10)),
		)
	}
	return nil
}

func (g *Group) folder(at place, controller string) string {
	if at.unified {
		return g.folders[0]
	}
	for i, c := range at.controllers {
		if c == controller {
			return g.folders[i]
		}
	}
	return ""
}

// Doors are the files that a process writes 0 to in order to enter.
func (g *Group) Doors() []string {
	all := make([]string, len(g.folders))
	for i, f := range g.folders {
		all[i] = filepath.Join(f, "cgroup.procs")
	}
	return all
}

// Starved is whether the kernel has killed somebody in the group because its memory was
// used up.
func (g *Group) Starved() bool {
	file := "memory.oom_control"
	if g.unified {
		file = "memory.events"
	}
	text, err := os.ReadFile(filepath.Join(g.memory, file))
	if g.memory == "" || err != nil {
		return false
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		if count, ok := strings.CutPrefix(line, "oom_kill "); ok {
			return count != "0"
		}
	}
	return false
}

// clearLimit is how long killed processes may take to go away.
const clearLimit = 2 * time.Second

// Clear kills whoever is in the group, and removes it. What cannot be killed within two
// seconds stays for the next daemon.
func (g *Group) Clear() {
	for _, f := range g.folders {
		sweep(f, clearLimit)
	}
}

func sweep(folder string, limit time.Duration) {
	for begin := time.Now(); ; time.Sleep(time.Millisecond) {
		// The one is for version 2 only.
		_ = write(filepath.Join(folder, "cgroup.kill"), "1")
		for _, pid := range members(folder) {
			_ = unix.Kill(pid, unix.SIGKILL)
		}
		err := unix.Rmdir(folder)
		if err != unix.EBUSY || time.Since(begin) > limit {
			return
		}
	}
}

func members(folder string) []int {
	text, err := os.ReadFile(filepath.Join(folder, "cgroup.procs"))
	if err != nil {
		return nil
	}
	var all []int
	for field := range strings.FieldsSeq(string(text)) {
		if pid, err := strconv.Atoi(field); err == nil && pid > 1 && pid != os.Getpid() {
			all = append(all, pid)
		}
	}
	return all
}

// write writes to a file of a group: it is there, or the kernel does not have it.
func write(path, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	return errors.Join(err, f.Close())
}
