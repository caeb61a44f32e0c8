package cgroups

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Recover takes the groups of the containers that an agent before this one has left, for
// a holder who will release them, and removes all others: nobody knows their containers
// any more. Known are the containers that live or are to be cleaned up. Those without a
// group stay without. Each isolator calls it once, before any Take, with the same ids.
func (g *Groups) Recover(ctx context.Context, holder string, known []*mesosv1.ContainerID) error {
	stray, err := g.recover(holder, known)
	if err != nil {
		return err
	}
	all, cancel := context.WithTimeout(ctx, g.timeout) // for all: what is stuck keeps no agent from its work
	defer cancel()
	for _, path := range stray {
		g.log.Info("a control group whose container nobody knows is removed", "group", path)
		err := g.destroy(all, path)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			g.log.Error("a control group whose container nobody knows is left", "group", path, "error", err)
		}
	}
	return nil
}

// recover returns the paths of the groups that nobody knows.
func (g *Groups) recover(holder string, known []*mesosv1.ContainerID) (stray []string, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	there := map[string]bool{}
	for _, path := range g.found() {
		there[path] = true
	}
	for _, id := range known {
		path, err := g.pathOf(id)
		if err != nil || !there[path] {
			continue
		}
		delete(there, path)
		if g.groups[key(id)] == nil {
			g.groups[key(id)] = &group{path: path, holders: map[string]bool{}}
		}
		g.groups[key(id)].holders[holder] = true
	}
	for _, path := range sortedKeys(there) {
		if !slices.ContainsFunc(stray, func(above string) bool { return strings.HasPrefix(path, above+"/") }) {
			stray = append(stray, path) // those below go with it
		}
	}
	return stray, nil
}

// found returns the paths of all groups of containers, sorted. The lock is held.
func (g *Groups) found() []string {
	var all []string
	for _, top := range g.h.folders("") {
		all = append(all, g.below(top, "")...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// below returns the groups in one and in those nested in it. What cannot be read is gone.
func (g *Groups) below(top, path string) []string {
	entries, err := os.ReadDir(filepath.Join(top, path))
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if !e.IsDir() || g.h.unified && e.Name() == leaf {
			continue
		}
		one := filepath.Join(path, e.Name())
		all = append(all, one)
		if g.h.unified {
			all = append(all, g.below(top, one)...)
		} else {
			all = append(all, g.below(top, filepath.Join(one, nested))...)
		}
	}
	return all
}
