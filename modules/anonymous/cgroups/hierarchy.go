package cgroups

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	lib "github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// The controller by which all processes of a group of version 1 are stopped before they
// are killed.
const freezer = "freezer"

// hierarchy is where the controllers are.
type hierarchy struct {
	mount   string // what --cgroups_hierarchy says
	root    string // the group of all containers, below
	kindOf  func(folder string) (int64, error)
	unified bool

	// tops are the folders of the root group by controller; of version 2, all are one.
	tops map[string]string

	// locks keep another agent from the same root group.
	locks map[string]*os.File
}

// kindOf returns the type of the file system that holds a folder.
func kindOf(folder string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(folder, &s); err != nil {
		return 0, &fs.PathError{Op: "statfs", Path: folder, Err: err}
	}
	return int64(s.Type), nil
}

// provide makes the root group in the hierarchies of controllers. The error says of all
// what is missing.
func (h *hierarchy) provide(controllers ...string) error {
	kind, err := h.kindOf(h.mount)
	if err != nil {
		return fmt.Errorf("no control groups are mounted at %s (--cgroups_hierarchy): %w", h.mount, err)
	}
	h.unified = kind == unix.CGROUP2_SUPER_MAGIC
	if !h.unified && !slices.Contains(controllers, freezer) {
		if kind, err := h.kindOf(filepath.Join(h.mount, freezer)); err == nil && kind == unix.CGROUP_SUPER_MAGIC {
			controllers = append(controllers, freezer) // without it, processes are killed while they run
		}
	}
	var errs []error
	for _, c := range controllers {
		if h.tops[c] != "" {
			continue
		}
		if err := h.provideOne(c); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (h *hierarchy) provideOne(controller string) error {
	mount := h.mount
	find := h.find1
	if h.unified {
		find = h.find2
	} else {
		mount = filepath.Join(h.mount, controller)
	}
	if err := find(controller); err != nil {
		return err
	}
	mount, err := filepath.EvalSymlinks(mount) // cpu and cpuacct are often one
	if err != nil {
		return fmt.Errorf("the controller %s: %w", controller, err)
	}
	top := filepath.Join(mount, h.root)
	if err := h.makeTop(mount, controller); err != nil {
		return explain(fmt.Errorf("make the group %s of --cgroups_root: %w", top, err))
	}
	if err := h.lock(top); err != nil {
		return err
	}
	h.tops[controller] = top
	return nil
}

// find1 looks for a controller of version 1.
func (h *hierarchy) find1(controller string) error {
	folder := filepath.Join(h.mount, controller)
	kind, err := h.kindOf(folder)
	if err == nil && kind == unix.CGROUP_SUPER_MAGIC {
		return nil
	}
	if controllers, err := lib.ReadFile(filepath.Join(h.mount, "unified"), "cgroup.controllers"); err == nil &&
		slices.Contains(strings.Fields(controllers), controller) {
		return fmt.Errorf("the controller %s is with version 2 in %s, and others with version 1: boot with all in one version "+
			"(systemd.unified_cgroup_hierarchy=1 or 0)", controller, filepath.Join(h.mount, "unified"))
	}
	return fmt.Errorf("no control groups with the controller %s are mounted at %s: mount -t cgroup -o %s cgroup %s, "+
		"name the place of all with --cgroups_hierarchy, or leave the isolator out of --isolation", controller, folder, controller, folder)
}

// find2 looks for a controller of version 2.
func (h *hierarchy) find2(controller string) error {
	text, err := lib.ReadFile(h.mount, "cgroup.controllers")
	if err != nil {
		return fmt.Errorf("which controllers there are: %w", err)
	}
	if slices.Contains(strings.Fields(text), controller) {
		return nil
	}
	return fmt.Errorf("the control groups at %s have no controller %s, but %q: the kernel was booted without it (cgroup_disable), "+
		"or it is used by version 1", h.mount, controller, strings.TrimSpace(text))
}

// makeTop makes the root group. Of version 2, each group above hands its controller on.
func (h *hierarchy) makeTop(mount, controller string) error {
	folder := mount
	for name := range strings.SplitSeq(h.root, "/") {
		if err := h.handOn(folder, controller); err != nil {
			return err
		}
		folder = filepath.Join(folder, name)
		if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	if err := unix.Access(folder, unix.W_OK); err != nil {
		return &fs.PathError{Op: "write to", Path: folder, Err: err}
	}
	return h.handOn(folder, controller)
}

// handOn lets the groups below one of version 2 have a controller.
func (h *hierarchy) handOn(folder, controller string) error {
	if !h.unified {
		return nil
	}
	if err := lib.WriteFile(folder, "cgroup.subtree_control", "+"+controller); err != nil {
		return fmt.Errorf("hand on the controller %s below %s: %w", controller, folder, err)
	}
	return nil
}

// lock takes the root group for this agent, until it ends in whatever way.
func (h *hierarchy) lock(top string) error {
	if h.locks[top] != nil {
		return nil
	}
	f, err := os.Open(top)
	if err != nil {
		return err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close() // nothing was written
		if errors.Is(err, unix.EWOULDBLOCK) {
			return fmt.Errorf("another agent on this machine has the group %s: give each its own with --cgroups_root", top)
		}
		return fmt.Errorf("lock %s: %w", top, err)
	}
	h.locks[top] = f
	return nil
}

// folders returns the folders of a group, each once, in the order of their names.
func (h *hierarchy) folders(path string) []string {
	var all []string
	for _, top := range h.tops {
		all = append(all, filepath.Join(top, path))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// explain says of errors what is behind them.
func explain(err error) error {
	switch {
	case errors.Is(err, unix.EROFS):
		return fmt.Errorf("%w: control groups are mounted read-only; mount them anew with rw", err)
	case errors.Is(err, fs.ErrPermission) && os.Geteuid() != 0:
		return fmt.Errorf("%w: the agent runs as user %d, and control groups are root's; run it as root, or leave the isolators cgroups/... out of --isolation", err, os.Geteuid())
	default:
		return err
	}
}
