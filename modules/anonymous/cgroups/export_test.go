package cgroups

import (
	"log/slog"
	"time"
)

// ForTest is what the module exports, with a root group of the test's.
func ForTest(root string) *Groups {
	return newGroups(parameters{Hierarchy: "/sys/fs/cgroup", Root: root, DestroyTimeout: 10 * time.Second}, slog.New(slog.DiscardHandler))
}

// InHierarchy changes what the module takes for a mount: fake, a type of file system by
// folder.
func (g *Groups) InHierarchy(mount string, kindOf func(folder string) (int64, error)) *Groups {
	g.h.mount, g.h.kindOf = mount, kindOf
	return g
}

// Within changes how long what is removed may take.
func (g *Groups) Within(limit time.Duration) *Groups {
	g.timeout = limit
	return g
}

// Close gives up the root group.
func (g *Groups) Close() error { return g.close() }
