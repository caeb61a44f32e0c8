package cgroups

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Controller is what one isolator does with the groups of containers. Calls for
// different groups come from any number of goroutines; for one group, Usage may come at
// any time, all others one at a time.
type Controller interface {
	// Limit sets what a container may use.
	Limit(g *Group, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) error

	// Usage writes what the container uses into out.
	Usage(g *Group, out *mesosv1.ResourceStatistics) error

	// Watch calls sink once when the container breaks a limit or cannot be watched any
	// more; nil if nothing is watched.
	Watch(g *Group, sink func(*slave.ContainerLimitation)) (*Watch, error)
}

// Isolator leads a Controller through the lives of containers.
type Isolator struct {
	isolator.Unimplemented
	word        string
	root        Root
	controllers []string
	controller  Controller
	log         *slog.Logger

	mu         sync.Mutex
	containers map[string]*container
}

// container is one that the isolator knows.
type container struct {
	group *Group // nil if it has none of its own
	watch *Watch // nil if there is none
}

var (
	_ isolator.Isolator = (*Isolator)(nil)
	_ facade.Closer     = (*Isolator)(nil)
)

// New returns an isolator, by the name that it has on --isolation, for controllers that
// the root provides.
func New(word string, root Root, log *slog.Logger, controller Controller, controllers ...string) *Isolator {
	return &Isolator{word: word, root: root, log: log, controller: controller, controllers: controllers, containers: map[string]*container{}}
}

// SupportsNesting is true: nested containers share the group of their parent, or have
// their own.
func (*Isolator) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true.
func (*Isolator) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes over the groups that are there. A container that was launched without
// this isolator stays without its limits.
func (i *Isolator) Recover(ctx context.Context, states []*slave.ContainerState, orphans []*mesosv1.ContainerID) error {
	var known []*mesosv1.ContainerID
	for _, s := range states {
		known = append(known, s.GetContainerId())
	}
	known = append(known, orphans...)
	if err := i.root.Recover(ctx, i.word, known); err != nil {
		return fmt.Errorf("%s: recover control groups: %w", i.word, err)
	}
	for _, id := range known {
		g, err := i.groupOf(id)
		if err != nil {
			return err
		}
		if g == nil && id.GetParent() == nil {
			i.log.Warn("a container was launched without control groups, and is not limited", "isolator", i.word, "container", key(id))
		}
		if g != nil {
			g.Limited = true
		}
		i.put(id, &container{group: g})
	}
	return nil
}

// Prepare makes the group with its limits.
func (i *Isolator) Prepare(ctx context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	if shares(id, config.GetContainerInfo()) {
		i.put(id, &container{})
		return nil, ctx.Err()
	}
	if err := i.root.Take(ctx, i.word, id); err != nil {
		return nil, fmt.Errorf("%s: %w", i.word, err)
	}
	g, err := i.groupOf(id)
	if err != nil {
		return nil, err
	}
	if g == nil {
		return nil, fmt.Errorf("%s: the control group of container %s has gone as soon as it was made", i.word, key(id))
	}
	i.put(id, &container{group: g})
	return nil, i.limit(g, config.GetResources(), config.GetLimits())
}

// shares says whether a container is in its parent's group, which is the default of
// nested ones.
func shares(id *mesosv1.ContainerID, info *mesosv1.ContainerInfo) bool {
	return id.GetParent() != nil && info.GetLinuxInfo().GetShareCgroups()
}

// groupOf returns the container's own group; nil if it has none with these controllers.
func (i *Isolator) groupOf(id *mesosv1.ContainerID) (*Group, error) {
	folders := map[string]string{}
	for _, c := range i.controllers {
		if folder := i.root.Folder(id, c); folder != "" {
			folders[c] = folder
		}
	}
	if len(folders) < len(i.controllers) {
		return nil, nil
	}
	return newGroup(key(id), i.root.Unified(), folders)
}

func (i *Isolator) limit(g *Group, requests []*mesosv1.Resource, limits map[string]*mesosv1.Value_Scalar) error {
	if err := i.controller.Limit(g, requests, limits); err != nil {
		return fmt.Errorf("%s: limit container %s: %w", i.word, g.Container, err)
	}
	g.Limited = true
	return nil
}

// Watch watches what has a group of its own; what shares one is watched with its parent.
func (i *Isolator) Watch(ctx context.Context, id *mesosv1.ContainerID, sink func(*slave.ContainerLimitation)) error {
	c := i.find(id)
	if c == nil || c.group == nil {
		return nil
	}
	watch, err := i.controller.Watch(c.group, func(l *slave.ContainerLimitation) {
		if ctx.Err() == nil {
			sink(l)
		}
	})
	if err != nil {
		return fmt.Errorf("%s: watch container %s: %w", i.word, key(id), err)
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	c.watch = watch
	return nil
}

// Isolate puts the process in.
func (i *Isolator) Isolate(ctx context.Context, id *mesosv1.ContainerID, pid int32) error {
	if i.find(id) == nil {
		return i.unknown(id)
	}
	if err := i.root.Place(ctx, id, pid); err != nil {
		return fmt.Errorf("%s: container %s: %w", i.word, key(id), err)
	}
	return nil
}

// Update sets the limits anew. What shares the group of its parent has none of its own.
func (i *Isolator) Update(_ context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource,
	limits *mesosv1.OfferFilters_ResourceQuantities) error {
	c := i.find(id)
	if c == nil {
		return i.unknown(id)
	}
	if c.group == nil {
		return nil
	}
	return i.limit(c.group, requests, limits.GetQuantities())
}

// Usage measures what has a group of its own.
func (i *Isolator) Usage(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error) {
	c := i.find(id)
	if c == nil || c.group == nil {
		return nil, nil
	}
	out := &mesosv1.ResourceStatistics{Timestamp: proto.Float64(float64(time.Now().UnixNano()) / 1e9)}
	if err := i.controller.Usage(c.group, out); err != nil {
		return nil, fmt.Errorf("%s: measure container %s: %w", i.word, key(id), err)
	}
	return out, nil
}

// Status has nothing to tell. The agent asks for it before it believes an executor that a
// task has failed, and by then it is known whether that came of a limit.
func (i *Isolator) Status(_ context.Context, id *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error) {
	i.look(id)
	return nil, nil
}

// look finds out whether a container has broken a limit.
func (i *Isolator) look(id *mesosv1.ContainerID) {
	i.mu.Lock()
	c := i.containers[key(id)]
	var watch *Watch
	if c != nil {
		watch = c.watch
	}
	i.mu.Unlock()
	if watch != nil {
		watch.Look()
	}
}

// Cleanup looks for the last time, and lets go of the group.
func (i *Isolator) Cleanup(ctx context.Context, id *mesosv1.ContainerID) error {
	i.look(id)
	i.mu.Lock()
	c := i.containers[key(id)]
	delete(i.containers, key(id))
	i.mu.Unlock()
	if c != nil && c.watch != nil {
		c.watch.Stop()
	}
	if err := i.root.Release(ctx, i.word, id); err != nil {
		return fmt.Errorf("%s: container %s: %w", i.word, key(id), err)
	}
	return nil
}

// Close stops watching; the containers and their limits stay.
func (i *Isolator) Close(context.Context) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	for _, c := range i.containers {
		if c.watch != nil {
			c.watch.Stop()
		}
	}
	clear(i.containers)
	return nil
}

func (i *Isolator) find(id *mesosv1.ContainerID) *container {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.containers[key(id)]
}

func (i *Isolator) put(id *mesosv1.ContainerID, c *container) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.containers[key(id)] = c
}

var errUnknown = errors.New("there is no such container")

func (i *Isolator) unknown(id *mesosv1.ContainerID) error {
	return fmt.Errorf("%s: container %s: %w", i.word, key(id), errUnknown)
}

// key tells containers apart.
func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}
