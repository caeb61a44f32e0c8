package cgroups

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	lib "github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// The folder of nested containers within their parent's group of version 1, and that of
// the processes of version 2.
const (
	nested = "mesos"
	leaf   = "leaf"
)

// Groups gives out the groups of containers. A container has one as long as one isolator
// holds it, with all controllers that isolators want. All methods may be called from any
// goroutine; calls of one container but Place come one at a time, as the isolators' own.
type Groups struct {
	timeout time.Duration
	log     *slog.Logger

	mu     sync.Mutex
	h      hierarchy
	groups map[string]*group // by the container's key
}

// group is that of one container.
type group struct {
	path    string // below the root group
	holders map[string]bool

	mu     sync.Mutex // held while processes are put in
	placed placed     // the last that was
}

// placed is a process of a container: of the group's own, or of one that shares it.
type placed struct {
	container string
	pid       int32
}

func newGroups(p parameters, log *slog.Logger) *Groups {
	return &Groups{
		timeout: p.DestroyTimeout, log: log, groups: map[string]*group{},
		h: hierarchy{mount: filepath.Clean(p.Hierarchy), root: p.Root, kindOf: kindOf, tops: map[string]string{}, locks: map[string]*os.File{}},
	}
}

// Provide makes controllers ready for use; an isolator names what it works with when it
// is made. The error says of all controllers what is missing, and what can be done.
func (g *Groups) Provide(controllers ...string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.h.provide(controllers...)
}

// Unified says whether the groups are of version 2. It is known after Provide.
func (g *Groups) Unified() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.h.unified
}

// Top returns the folder of the group of all containers; empty before the controller is
// provided.
func (g *Groups) Top(controller string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.h.tops[controller]
}

// Take makes the group of a container, unless another isolator has, and keeps it until
// the holder releases it. The parent of a nested container has one already. A group that
// nobody here has made is somebody else's, and an error.
func (g *Groups) Take(ctx context.Context, holder string, container *mesosv1.ContainerID) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if known := g.groups[key(container)]; known != nil {
		known.holders[holder] = true
		return nil
	}
	path, err := g.pathOf(container)
	if err != nil {
		return err
	}
	if container.GetParent() != nil && g.groups[key(container.GetParent())] == nil {
		return fmt.Errorf("container %s cannot have a control group: its parent has none", key(container))
	}
	if err := g.make(path); err != nil {
		return err
	}
	g.groups[key(container)] = &group{path: path, holders: map[string]bool{holder: true}}
	return nil
}

// make makes all folders of a group, or none.
func (g *Groups) make(path string) error {
	var made []string
	for _, folder := range g.h.folders(path) {
		err := g.makeOne(folder, path)
		if err == nil {
			made = append(made, folder)
			continue
		}
		if errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("%w: somebody else has made it, or has the same --cgroups_root", err)
		}
		for _, f := range made {
			err = errors.Join(err, lib.RemovePath(f))
		}
		return fmt.Errorf("make the control group: %w", err)
	}
	return nil
}

func (g *Groups) makeOne(folder, path string) error {
	if !g.h.unified {
		if between := filepath.Dir(folder); filepath.Base(between) == nested {
			if err := os.Mkdir(between, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
				return err
			}
		}
		return os.Mkdir(folder, 0o755)
	}
	if strings.Contains(path, "/") { // what is nested is limited on its own as well
		for _, controller := range sortedKeys(g.h.tops) {
			if err := g.h.handOn(filepath.Dir(folder), controller); err != nil {
				return err
			}
		}
	}
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	if err := os.Mkdir(filepath.Join(folder, leaf), 0o755); err != nil {
		return errors.Join(err, os.Remove(folder))
	}
	return nil
}

// Folder returns where a controller's files of a container are; empty if the container
// has no group of its own there.
func (g *Groups) Folder(container *mesosv1.ContainerID, controller string) string {
	g.mu.Lock()
	defer g.mu.Unlock()
	known, top := g.groups[key(container)], g.h.tops[controller]
	if known == nil || top == "" {
		return ""
	}
	folder := filepath.Join(top, known.path)
	if _, err := os.Stat(folder); err != nil {
		return "" // it was recovered without this controller
	}
	return folder
}

// Place puts a process with all its threads in the group of its container, or of the
// nearest parent that has one. Several isolators may ask for the same; it is done once.
func (g *Groups) Place(ctx context.Context, container *mesosv1.ContainerID, pid int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if pid <= 1 {
		return fmt.Errorf("process %d is none of a container", pid)
	}
	g.mu.Lock()
	in := g.nearest(container)
	var folders []string
	if in != nil {
		folders = g.h.folders(in.path)
	}
	unified := g.h.unified
	g.mu.Unlock()
	if in == nil {
		return nil
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	now := placed{key(container), pid}
	if in.placed == now {
		return nil
	}
	writes := 0
	for _, folder := range folders {
		if _, err := os.Stat(folder); errors.Is(err, fs.ErrNotExist) {
			continue // it was recovered without this controller
		}
		if unified {
			folder = filepath.Join(folder, leaf)
		}
		if err := lib.WriteCgroupProc(folder, int(pid)); err != nil {
			if errors.Is(err, unix.ESRCH) {
				err = fmt.Errorf("the process has ended: %w", err)
			}
			return fmt.Errorf("put process %d into the control group %s: %w", pid, folder, err)
		}
		writes++
	}
	if writes == 0 {
		return fmt.Errorf("put process %d into its control group %s: somebody has removed it", pid, in.path)
	}
	in.placed = now
	return nil
}

// nearest returns the group that a container's processes are in; nil if there is none.
// The lock is held.
func (g *Groups) nearest(container *mesosv1.ContainerID) *group {
	for ; container != nil; container = container.GetParent() {
		if known := g.groups[key(container)]; known != nil {
			return known
		}
	}
	return nil
}

// Release lets go of a container's group. With the last holder, all that is in it is
// killed, what has escaped from its session too, and the group removed. A group that
// cannot be within the limit of the module is an error, and left to the next agent.
func (g *Groups) Release(ctx context.Context, holder string, container *mesosv1.ContainerID) error {
	g.mu.Lock()
	known := g.groups[key(container)]
	if known == nil || !known.holders[holder] {
		g.mu.Unlock()
		return nil
	}
	delete(known.holders, holder)
	if len(known.holders) > 0 {
		g.mu.Unlock()
		return nil
	}
	delete(g.groups, key(container))
	g.mu.Unlock()
	return g.destroy(ctx, known.path)
}

// close gives up the root group.
func (g *Groups) close() error {
	g.mu.Lock()
	defer g.mu.Unlock()
	var errs []error
	for _, top := range sortedKeys(g.h.locks) {
		errs = append(errs, g.h.locks[top].Close())
	}
	clear(g.h.locks)
	clear(g.h.tops)
	return errors.Join(errs...)
}

// pathOf is where a container's group is below the root group.
func (g *Groups) pathOf(container *mesosv1.ContainerID) (string, error) {
	value := container.GetValue()
	if !isName(value) || value == leaf && g.h.unified {
		return "", fmt.Errorf("a container is called %q, which is no name for a control group", value)
	}
	if container.GetParent() == nil {
		return value, nil
	}
	parent, err := g.pathOf(container.GetParent())
	if err != nil {
		return "", err
	}
	if g.h.unified {
		return parent + "/" + value, nil
	}
	return parent + "/" + nested + "/" + value, nil
}

// key tells containers apart.
func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}
