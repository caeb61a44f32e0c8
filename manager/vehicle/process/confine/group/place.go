package group

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// mount is where control groups are.
const mount = "/sys/fs/cgroup"

// The controllers that are used.
const (
	memory = "memory"
	cpu    = "cpu"
)

// place is where groups are made.
type place struct {
	unified     bool
	controllers []string
	bases       []string // one, or one for each controller
}

// find looks for the place.
//
// Of version 1 that is in the daemon's own group, so that what limits the daemon limits
// its processes as well. In version 2 a group cannot have both processes and groups that
// are limited, unless it is the topmost: there it is beside the daemon's.
func find(l Limits) (place, error) {
	var at place
	if l.Memory > 0 {
		at.controllers = append(at.controllers, memory)
	}
	if l.CPUs > 0 {
		at.controllers = append(at.controllers, cpu)
	}
	own, err := membership()
	if err != nil {
		return at, err
	}
	if is(mount, unix.CGROUP2_SUPER_MAGIC) {
		at.unified = true
		base := below(mount, own[""])
		if base != mount {
			base = filepath.Dir(base)
		}
		at.bases = []string{base}
		return at, nil
	}
	for _, c := range at.controllers {
		top := filepath.Join(mount, c)
		if !is(top, unix.CGROUP_SUPER_MAGIC) {
			return at, fmt.Errorf("there are no control groups with the controller %s in %s", c, mount)
		}
		at.bases = append(at.bases, below(top, own[c]))
	}
	return at, nil
}

// provide sees to it that groups of version 2 get the controllers; really, or only as far
// as that can be known before.
func (at place) provide(really bool) error {
	if !at.unified {
		return nil
	}
	base := at.bases[0]
	has, err := words(filepath.Join(base, "cgroup.controllers"))
	if err != nil {
		return err
	}
	gives, err := words(filepath.Join(base, "cgroup.subtree_control"))
	if err != nil {
		return err
	}
	for _, c := range at.controllers {
		switch {
		case slices.Contains(gives, c):
		case !slices.Contains(has, c):
			return fmt.Errorf("the group %s has not the controller %s", base, c)
		case really:
			if err := write(filepath.Join(base, "cgroup.subtree_control"), "+"+c); err != nil {
				return fmt.Errorf("give the controller %s to groups in %s: %w", c, base, err)
			}
		case len(members(base)) > 0 && base != mount:
			return fmt.Errorf("the group %s has processes of its own, and so gives no controllers to groups in it", base)
		}
	}
	return nil
}

// membership are the groups that this process is in, by controller; that of version 2 by
// the empty name.
func membership() (map[string]string, error) {
	text, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			return nil, errors.New("/proc/self/cgroup makes no sense")
		}
		for c := range strings.SplitSeq(parts[1], ",") {
			all[c] = parts[2]
		}
	}
	return all, nil
}

// below is the folder of a group, or the topmost if that group is not to be seen from
// here, as in a container.
func below(top, path string) string {
	folder := filepath.Join(top, path)
	if _, err := os.Stat(folder); err != nil {
		return top
	}
	return folder
}

func is(path string, magic int64) bool {
	var s unix.Statfs_t
	return unix.Statfs(path, &s) == nil && int64(s.Type) == magic
}

func words(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	return strings.Fields(string(text)), err
}
