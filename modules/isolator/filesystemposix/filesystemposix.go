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
	"strings"
	"sync"
	"syscall"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
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
			c.links[v.link] = v.volume
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
			errs = append(errs, fmt.Errorf("persistent volume %s: %w", v.id, err))
			continue
		}
		c.links[v.link] = v.volume
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

// volume is a persistent volume with where it is seen.
type volume struct {
	id, volume, link string
}

// volumesOf reads the persistent volumes among resources.
func (l *linker) volumesOf(directory string, resources []*mesosv1.Resource) ([]volume, error) {
	var all []volume
	var errs []error
	for _, r := range resources {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		v, err := l.volumeOf(directory, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("persistent volume %q: %w", r.GetDisk().GetPersistence().GetId(), err))
			continue
		}
		all = append(all, v)
	}
	return all, errors.Join(errs...)
}

func (l *linker) volumeOf(directory string, r *mesosv1.Resource) (volume, error) {
	id, path := r.GetDisk().GetPersistence().GetId(), r.GetDisk().GetVolume().GetContainerPath()
	v := volume{id: id, link: filepath.Join(directory, path)}
	switch {
	case l.work == "":
		return v, errors.New("the module has no parameter work_dir, so there are no persistent volumes")
	case !plain(id):
		return v, errors.New("its id is no name for a folder")
	case !plain(path):
		return v, fmt.Errorf("its path %q in the container is not one name: filesystem/posix links volumes right into the sandbox", path)
	}
	root := l.work
	switch source := r.GetDisk().GetSource(); source.GetType() {
	case mesosv1.Resource_DiskInfo_Source_UNKNOWN: // none, or not known: the work folder
	case mesosv1.Resource_DiskInfo_Source_MOUNT:
		v.volume = l.below(source.GetMount().GetRoot())
		return v, nil
	case mesosv1.Resource_DiskInfo_Source_PATH:
		root = l.below(source.GetPath().GetRoot())
	default:
		return v, fmt.Errorf("its disk is of type %v", source.GetType())
	}
	role := roleOf(r)
	if slices.Contains(strings.Split(role, "/"), "..") {
		return v, fmt.Errorf("its role %q leaves the folder of volumes", role)
	}
	// A role with slashes is a folder in a folder, as upstream has it but for the
	// spaces: there "a/b" is "a b", which is never a role.
	v.volume = filepath.Join(root, "volumes", "roles", strings.ReplaceAll(role, "/", " "), id)
	return v, nil
}

// below reads a root that may be relative to the work folder.
func (l *linker) below(root string) string {
	if filepath.IsAbs(root) {
		return root
	}
	return filepath.Join(l.work, root)
}

// roleOf is who the resource is reserved for.
func roleOf(r *mesosv1.Resource) string {
	if n := len(r.GetReservations()); n > 0 {
		return r.GetReservations()[n-1].GetRole()
	}
	return r.GetRole()
}

func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// make makes the folder if there is none, gives it to the owner of the sandbox, and links
// it.
func (v volume) make(directory string) error {
	if err := os.MkdirAll(v.volume, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(directory)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		if err := os.Chown(v.volume, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	if to, err := os.Readlink(v.link); err == nil && to == v.volume {
		return nil
	}
	return os.Symlink(v.volume, v.link)
}
