// Package filesystemposix is the isolator filesystem/posix: containers see the host's
// files, and their persistent volumes as links in their sandboxes.
package filesystemposix

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/persistent"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_PosixFilesystemIsolator"
	Word = "filesystem/posix"
)

type parameters struct {
	WorkDir string `mms:"work_dir" doc:"the agent's work folder, which holds persistent volumes; without it there are none"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Links persistent volumes into sandboxes; containers see the host's files.",
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, _ facade.Host, given facade.Parameters) (isolator.Isolator, error) {
			p, err := facade.Decode[parameters](given)
			if err != nil {
				return nil, err
			}
			return &linker{work: p.WorkDir, containers: map[string]*container{}}, nil
		},
	},
}}

// linker knows which links it has made.
type linker struct {
	isolator.Unimplemented
	work string

	mu         sync.Mutex
	containers map[string]*container
}

var _ isolator.Isolator = (*linker)(nil)

type container struct {
	directory string
	links     map[string]string // path -> volume
}

// SupportsStandalone is true: such a container has a sandbox too.
func (*linker) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover takes up the containers with the volumes of their executors.
func (l *linker) Recover(_ context.Context, states []*slave.ContainerState, _ []*mesosv1.ContainerID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var errs []error
	for _, s := range states {
		c := &container{directory: s.GetDirectory(), links: map[string]string{}}
		volumes, err := l.volumesOf(c.directory, s.GetExecutorInfo().GetResources())
		if err != nil {
			errs = append(errs, fmt.Errorf("container %s: %w", s.GetContainerId().GetValue(), err))
			continue
		}
		for _, v := range volumes {
			c.links[v.link] = v.Path
		}
		l.containers[s.GetContainerId().GetValue()] = c
	}
	return errors.Join(errs...)
}

// Prepare links the volumes of the container's resources.
func (l *linker) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	if config.Rootfs != nil {
		return nil, fmt.Errorf("the container wants a root file system of its own; --isolation=filesystem/linux makes those")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &container{directory: config.GetDirectory(), links: map[string]string{}}
	l.containers[id.GetValue()] = c
	return nil, l.link(c, config.GetResources())
}

// Update links the volumes that are new and takes away the links of those that are gone.
func (l *linker) Update(_ context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource, _ *mesosv1.OfferFilters_ResourceQuantities) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := l.containers[id.GetValue()]
	if c == nil {
		return fmt.Errorf("container %s is not known", id.GetValue())
	}
	return l.link(c, requests)
}

// Cleanup forgets: the links go with the sandbox.
func (l *linker) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.containers, id.GetValue())
	return nil
}

// link makes the links what the resources say.
func (l *linker) link(c *container, resources []*mesosv1.Resource) error {
	wanted, err := l.volumesOf(c.directory, resources)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	var errs []error
	for _, v := range wanted {
		keep[v.link] = true
		if err := v.make(c.directory); err != nil {
			errs = append(errs, fmt.Errorf("persistent volume %s: %w", v.ID, err))
			continue
		}
		c.links[v.link] = v.Path
	}
	gone := make([]string, 0, len(c.links))
	for path := range c.links {
		if !keep[path] {
			gone = append(gone, path)
		}
	}
	slices.Sort(gone)
	for _, path := range gone {
		delete(c.links, path)
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// volume is a persistent volume with where it is linked.
type volume struct {
	persistent.Volume
	link string
}

// volumesOf reads the persistent volumes among resources.
func (l *linker) volumesOf(directory string, resources []*mesosv1.Resource) ([]volume, error) {
	found, err := persistent.Volumes(l.work, resources)
	errs := []error{err}
	var all []volume
	for _, v := range found {
		if !persistent.Plain(v.Container) {
			errs = append(errs, fmt.Errorf("persistent volume %q: its path %q in the container is not one name: filesystem/posix links volumes right into the sandbox", v.ID, v.Container))
			continue
		}
		all = append(all, volume{v, filepath.Join(directory, v.Container)})
	}
	return all, errors.Join(errs...)
}

// make makes the volume's folder and links it.
func (v volume) make(directory string) error {
	if err := v.Make(directory); err != nil {
		return err
	}
	if to, err := os.Readlink(v.link); err == nil && to == v.Path {
		return nil
	}
	return os.Symlink(v.Path, v.link)
}
