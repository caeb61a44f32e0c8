package networkports

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/mesos-modules/mms/modules/isolator/processes"
)

// listening is the state of a socket in the tables, in their notation.
const listening = "0A"

// listeners returns the sockets of this network namespace that listen at one of the
// ports, by inode.
func listeners(watched ports) (map[uint64]uint16, error) {
	all := map[uint64]uint16{}
	for _, table := range []string{"/proc/self/net/tcp", "/proc/self/net/tcp6"} {
		f, err := os.Open(table)
		if errors.Is(err, fs.ErrNotExist) && strings.HasSuffix(table, "6") {
			continue // a host without the newer protocol
		}
		if err != nil {
			return nil, err
		}
		err = readTable(f, watched, all)
		_ = f.Close() // it was only read
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", table, err)
		}
	}
	return all, nil
}

// The places of a table's columns; see proc_pid_net(5).
const (
	localAt = 1
	stateAt = 3
	inodeAt = 9
)

// readTable reads a table whose first line is its head.
func readTable(from io.Reader, watched ports, into map[uint64]uint16) error {
	lines := bufio.NewScanner(from)
	lines.Scan()
	for lines.Scan() {
		if !bytes.Contains(lines.Bytes(), []byte(" "+listening+" ")) {
			continue // most lines are connections
		}
		fields := strings.Fields(lines.Text())
		if len(fields) <= inodeAt {
			return fmt.Errorf("%q has no inode", lines.Text())
		}
		if fields[stateAt] != listening {
			continue
		}
		_, number, _ := strings.Cut(fields[localAt], ":")
		port, err := strconv.ParseUint(number, 16, 16)
		if err != nil {
			return fmt.Errorf("%q has no port: %w", lines.Text(), err)
		}
		inode, err := strconv.ParseUint(fields[inodeAt], 10, 64)
		if err != nil {
			return fmt.Errorf("%q has no inode: %w", lines.Text(), err)
		}
		if watched.has(uint16(port)) && inode != 0 { // 0: nobody has it open any more
			into[inode] = uint16(port)
		}
	}
	return lines.Err()
}

// owned calls found for each of the sockets that the process has open. One that has gone
// has none.
func owned(pid int, sockets map[uint64]uint16, found func(port uint16)) {
	folder, err := os.Open("/proc/" + strconv.Itoa(pid) + "/fd")
	if err != nil {
		return
	}
	defer folder.Close()
	for {
		names, err := folder.Readdirnames(256)
		for _, name := range names {
			link, err := os.Readlink(folder.Name() + "/" + name)
			if err != nil {
				continue
			}
			number, ok := strings.CutPrefix(link, "socket:[")
			if !ok {
				continue
			}
			inode, err := strconv.ParseUint(strings.TrimSuffix(number, "]"), 10, 64)
			if port, listens := sockets[inode]; err == nil && listens {
				found(port)
			}
		}
		if err != nil {
			return
		}
	}
}

func tree(pid int32) []int { return processes.Tree(pid) }

// network names the network namespace of a process; empty if it has gone.
func network(pid int) string {
	name := "self"
	if pid != 0 {
		name = strconv.Itoa(pid)
	}
	link, err := os.Readlink("/proc/" + name + "/ns/net")
	if err != nil {
		return ""
	}
	return link
}
