package cgroups

import (
	"fmt"
	"os"

	lib "github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"github.com/opencontainers/cgroups/fs2"
	"golang.org/x/sys/unix"
)

// Group is the control group of one container, as one isolator sees it.
type Group struct {
	Container string // its id, for messages
	Unified   bool   // of version 2

	// Limited says that the container's limits were set before: by an earlier call of
	// Controller.Limit, or by the agent that launched it.
	Limited bool

	folders map[string]string
	files   lib.Manager
}

// newGroup finds the files of a group. They belong to the controllers named.
func newGroup(container string, unified bool, folders map[string]string) (*Group, error) {
	g := &Group{Container: container, Unified: unified, folders: folders}
	config := &lib.Cgroup{Resources: &lib.Resources{}}
	var err error
	if unified {
		for _, folder := range folders { // all are one
			g.files, err = fs2.NewManager(config, folder)
		}
	} else {
		g.files, err = fs.NewManager(config, folders)
	}
	if err != nil {
		return nil, fmt.Errorf("control group of container %s: %w", container, err)
	}
	return g, nil
}

// Folder returns where a controller's files are.
func (g *Group) Folder(controller string) string { return g.folders[controller] }

// Set writes limits; what is zero is left as it is.
func (g *Group) Set(r *lib.Resources) error { return g.files.Set(r) }

// Kill ends all processes in the group and in those below it, but for this one. What
// they start meanwhile is left to whoever removes the group.
func (g *Group) Kill(controller string) error {
	pids, err := lib.GetAllPids(g.folders[controller])
	for _, pid := range pids {
		if pid > 1 && pid != os.Getpid() {
			_ = unix.Kill(pid, unix.SIGKILL) // gone is as good
		}
	}
	return err
}
