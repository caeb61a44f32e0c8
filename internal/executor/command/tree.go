package command

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
)

// signalTree sends a signal to a session leader and to all that came of it: its process group, its session, and the
// descendants of any of them. A process that forks at the same time is caught by looking again until none is new, a
// bounded number of times: what forks faster than that is for the container's end. It returns whom it found.
func signalTree(leader int, signal syscall.Signal) []entry {
	const looks = 10
	done := map[int]bool{}
	var found []entry
	for range looks {
		fresh := false
		for _, p := range tree(leader) {
			if !done[p.pid] {
				done[p.pid], fresh = true, true
				found = append(found, p)
				_ = syscall.Kill(p.pid, signal) // gone is as good
			}
		}
		if !fresh {
			break
		}
	}
	return found
}

// killSurvivors ends those of once found processes that are still there. One that left the session and lost its parent
// is found in no tree any more.
func killSurvivors(found []entry) {
	for _, p := range found {
		if now, ok := lookUp(p.pid); ok && now.started == p.started {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	}
}

// entry is what the kernel says of a process.
type entry struct {
	pid, parent, group, session int
	started                     string // when, in ticks since the boot: pid and this are one process
}

// tree lists the processes that came of a session leader.
func tree(leader int) []entry {
	table := processes()
	in := map[int]bool{leader: true}
	var found []entry
	for again := true; again; {
		again = false
		for i, p := range table {
			if p.pid != 0 && (in[p.pid] || p.session == leader || p.group == leader || in[p.parent]) {
				in[p.pid], again = true, true
				found = append(found, p)
				table[i] = entry{} // listed
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
		if e, ok := lookUp(pid); ok {
			table = append(table, e)
		}
	}
	return table
}

// lookUp reads what the kernel says of a process, unless it has ended.
func lookUp(pid int) (entry, bool) {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return entry{}, false
	}
	return parseStat(pid, stat)
}

// parseStat reads /proc/PID/stat. The name in parentheses may hold anything, parentheses too.
func parseStat(pid int, stat []byte) (entry, bool) {
	const state, started = 0, 19 // indexes behind the name; parent, group and session follow the state
	end := bytes.LastIndexByte(stat, ')')
	if end < 0 {
		return entry{}, false
	}
	fields := bytes.Fields(stat[end+1:])
	if len(fields) <= started {
		return entry{}, false
	}
	e := entry{pid: pid, started: string(fields[started])}
	for i, to := range []*int{&e.parent, &e.group, &e.session} {
		value, err := strconv.Atoi(string(fields[state+1+i]))
		if err != nil {
			return entry{}, false
		}
		*to = value
	}
	return e, true
}
