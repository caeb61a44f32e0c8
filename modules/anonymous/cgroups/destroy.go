package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	lib "github.com/opencontainers/cgroups"
	libfs "github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"
)

// What is killed takes a moment to go; the waits between two looks grow from the first
// to the second.
const (
	firstLook = time.Millisecond
	lastLook  = 100 * time.Millisecond
)

// destroy kills what is in a group and in those below, and removes them. It tries until
// it works, ctx ends or the limit is reached.
func (g *Groups) destroy(ctx context.Context, path string) error {
	g.mu.Lock()
	folders, unified, freeze := g.h.folders(path), g.h.unified, g.h.tops[freezer]
	g.mu.Unlock()
	if freeze != "" {
		freeze = filepath.Join(freeze, path)
	}
	ctx, cancel := context.WithTimeoutCause(ctx, g.timeout, fmt.Errorf("%v have passed (--cgroups_destroy_timeout)", g.timeout))
	defer cancel()
	for wait := firstLook; ; wait = min(2*wait, lastLook) {
		pids, err := inAny(folders)
		if err == nil && len(pids) == 0 {
			if err = removeAll(folders); err == nil {
				return nil
			}
		}
		if unified {
			killUnified(folders[0], pids)
		} else {
			killFrozen(freeze, pids)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			if len(pids) > 0 {
				err = errors.Join(err, fmt.Errorf("processes %v do not end", pids))
			}
			return fmt.Errorf("remove the control group %s: %w; the next agent tries again: %w", path, context.Cause(ctx), err)
		}
	}
}

// inAny returns the processes in groups and in those below, sorted, each once.
func inAny(folders []string) ([]int, error) {
	var all []int
	for _, folder := range folders {
		pids, err := lib.GetAllPids(folder)
		if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, unix.ENODEV) {
			return nil, err
		}
		all = append(all, pids...)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

func removeAll(folders []string) error {
	var errs []error
	for _, folder := range folders {
		errs = append(errs, lib.RemovePath(folder))
	}
	return errors.Join(errs...)
}

// killFrozen stops all processes first, where it can, so that none makes another while
// they are killed, and no process id becomes another's.
func killFrozen(freeze string, pids []int) {
	if len(pids) == 0 {
		return
	}
	if freeze == "" {
		kill(pids)
		return
	}
	stop := &libfs.FreezerGroup{}
	// What cannot be stopped is killed all the same, and looked for again.
	_ = stop.Set(freeze, &lib.Resources{Freezer: lib.Frozen})
	now, err := lib.GetAllPids(freeze)
	if err == nil {
		pids = append(now, pids...)
	}
	kill(pids)
	_ = stop.Set(freeze, &lib.Resources{Freezer: lib.Thawed})
}

// killUnified kills all at once, or, where the kernel is older than 5.14, as of version 1.
func killUnified(folder string, pids []int) {
	if len(pids) == 0 || lib.WriteFile(folder, "cgroup.kill", "1") == nil {
		return
	}
	stop, err := fs2.NewManager(&lib.Cgroup{Resources: &lib.Resources{}}, folder)
	if err != nil {
		kill(pids)
		return
	}
	_ = stop.Freeze(lib.Frozen) // as above
	if now, err := lib.GetAllPids(folder); err == nil {
		pids = now
	}
	kill(pids)
	_ = stop.Freeze(lib.Thawed)
}

// kill spares the agent itself, which somebody may have put there, and what is no process
// of this namespace.
func kill(pids []int) {
	for _, pid := range pids {
		if pid > 1 && pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL) // gone is as good
		}
	}
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
