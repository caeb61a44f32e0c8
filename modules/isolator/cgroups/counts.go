package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fscommon"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// An agent has many containers, and whoever asks for their use asks for all: what is not
// reported is not read. The library's own statistics read every file that there is.

// Number reads a file of a group with one number; "max" is the largest. A group that is
// not there is ErrRemoved.
func (g *Group) Number(controller, file string) (uint64, error) {
	n, err := fscommon.GetCgroupParamUint(g.folders[controller], file)
	return n, removed(err)
}

// Counts reads a file of a group with a name and a number on each line. A group that is
// not there is ErrRemoved.
func (g *Group) Counts(controller, file string) (map[string]uint64, error) {
	text, err := lib.ReadFile(g.folders[controller], file)
	if err != nil {
		return nil, removed(err)
	}
	all := map[string]uint64{}
	for line := range strings.Lines(text) {
		name, n, err := fscommon.ParseKeyValue(strings.TrimSuffix(line, "\n"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", filepath.Join(g.folders[controller], file), err)
		}
		all[name] = n
	}
	return all, nil
}

// Tasks writes into out how many processes and threads are in the container, those of
// nested containers included.
func (g *Group) Tasks(controller string, out *mesosv1.ResourceStatistics) error {
	threads := "tasks"
	if g.Unified {
		threads = "cgroup.threads"
	}
	var all [2]int
	if err := count(g.folders[controller], []string{lib.CgroupProcesses, threads}, all[:]); err != nil {
		return removed(err)
	}
	out.Processes, out.Threads = proto.Uint32(uint32(all[0])), proto.Uint32(uint32(all[1]))
	return nil
}

// count adds up the lines of files in a group and in all below it.
func count(folder string, files []string, lines []int) error {
	for n, file := range files {
		text, err := lib.ReadFile(folder, file)
		if err != nil {
			return err
		}
		lines[n] += strings.Count(text, "\n")
	}
	info, err := os.Stat(folder)
	if err != nil {
		return err
	}
	if s, ok := info.Sys().(*syscall.Stat_t); ok && s.Nlink == 2 {
		return nil // there is no folder in it
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := count(filepath.Join(folder, e.Name()), files, lines); err != nil && !errors.Is(removed(err), ErrRemoved) {
			return err
		}
	}
	return nil
}

// removed says of an error that it means that the group is gone.
func removed(err error) error {
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) {
		return fmt.Errorf("%w: %w", ErrRemoved, err)
	}
	return err
}
