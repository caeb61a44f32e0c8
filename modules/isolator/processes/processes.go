// Package processes measures containers by the processes that they consist of: what
// descends from a container's first process. The isolators posix/cpu and posix/mem stand
// on it.
package processes

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the unit of process times, which is the same on every Linux.
const tick = time.Second / 100

// Use is what a container's processes use together.
type Use struct {
	Processes, Threads int
	User, System       time.Duration // of processor time, that of processes which have ended with it
	Resident           uint64        // bytes of memory
}

// Measure adds up the process and all its descendants. Processes come and go while it
// looks: what has gone is not counted. It is an error if the first one has.
func Measure(pid int32) (Use, error) {
	var u Use
	first, err := read(int(pid))
	if err != nil {
		return u, fmt.Errorf("process %d: %w", pid, err)
	}
	u.add(first)
	for todo := children(int(pid)); len(todo) > 0; todo = todo[1:] {
		s, err := read(todo[0])
		if err != nil {
			continue
		}
		u.add(s)
		todo = append(todo, children(todo[0])...)
	}
	return u, nil
}

func (u *Use) add(s stat) {
	u.Processes++
	u.Threads += s.threads
	u.User += time.Duration(s.user) * tick
	u.System += time.Duration(s.system) * tick
	u.Resident += uint64(s.resident) * uint64(os.Getpagesize())
}

// stat is what counts of /proc/PID/stat. The times hold those of children that have
// ended and were waited for.
type stat struct {
	user, system int64 // in ticks
	threads      int
	resident     int64 // in pages
}

// The places of the fields behind the process's name, which is the second field; see
// proc_pid_stat(5), which counts from one.
const (
	userAt           = 14 - 3
	systemAt         = 15 - 3
	childrenUserAt   = 16 - 3
	childrenSystemAt = 17 - 3
	threadsAt        = 20 - 3
	residentAt       = 24 - 3
)

func read(pid int) (stat, error) {
	text, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return stat{}, err
	}
	return parse(text)
}

func parse(text []byte) (stat, error) {
	end := bytes.LastIndexByte(text, ')') // the name may hold brackets and spaces
	fields := strings.Fields(string(text[end+1:]))
	if end < 0 || len(fields) <= residentAt {
		return stat{}, fmt.Errorf("%q is no line of /proc/PID/stat", text)
	}
	var numbers [residentAt + 1]int64
	for _, at := range []int{userAt, systemAt, childrenUserAt, childrenSystemAt, threadsAt, residentAt} {
		n, err := strconv.ParseInt(fields[at], 10, 64)
		if err != nil {
			return stat{}, fmt.Errorf("%q is no line of /proc/PID/stat: %w", text, err)
		}
		numbers[at] = n
	}
	return stat{
		user:    numbers[userAt] + numbers[childrenUserAt],
		system:  numbers[systemAt] + numbers[childrenSystemAt],
		threads: int(numbers[threadsAt]), resident: numbers[residentAt],
	}, nil
}

// children returns the direct children, those of all threads.
func children(pid int) []int {
	folder := "/proc/" + strconv.Itoa(pid) + "/task"
	threads, err := os.ReadDir(folder)
	if err != nil {
		return nil // it has gone
	}
	var all []int
	for _, t := range threads {
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
