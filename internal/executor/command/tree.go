package command

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// signalTree sends a signal to a session leader and to all that came of it: its process group, its session, and the
// descendants of any of them. A process that forks at the same time is caught by looking again until none is new, a
// bounded number of times: what forks faster than that is for the container's end.
func signalTree(leader int, signal syscall.Signal) {
	const looks = 10
	done := map[int]bool{}
	for range looks {
		fresh := false
		for _, pid := range tree(leader) {
			if !done[pid] {
				done[pid], fresh = true, true
				_ = syscall.Kill(pid, signal) // gone is as good
			}
		}
		if !fresh {
			return
		}
	}
}

// entry is what the kernel says of a process.
type entry struct{ pid, parent, group, session int }

// tree lists the processes that came of a session leader, ancestors before descendants where it is known.
func tree(leader int) []int {
	table := processes()
	in := map[int]bool{leader: true}
	found := []int{leader}
	for again := true; again; {
		again = false
		for _, p := range table {
			if !in[p.pid] && (p.session == leader || p.group == leader || in[p.parent]) {
				in[p.pid], again = true, true
				found = append(found, p.pid)
			}
		}
	}
	return found
}

// processes is the process table, in the order of pids, without what cannot be read.
func processes() []entry {
	folder, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var table []entry
	for _, name := range names {
		pid, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		stat, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it has ended
		}
		if e, ok := parseStat(pid, stat); ok {
			table = append(table, e)
		}
	}
	return table
}

// parseStat reads /proc/PID/stat. The name in parentheses may hold anything, parentheses too.
func parseStat(pid int, stat []byte) (entry, bool) {
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return entry{}, false
	}
	fields := bytes.Fields(stat[end+1:]) // state, parent, group, session
	if len(fields) < 4 {
		return entry{}, false
	}
	e := entry{pid: pid}
	for i, to := range []*int{&e.parent, &e.group, &e.session} {
		value, err := strconv.Atoi(string(fields[i+1]))
		if err != nil {
			return entry{}, false
		}
		*to = value
	}
	return e, true
}
