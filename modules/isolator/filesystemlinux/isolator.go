package filesystemlinux

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/persistent"
	"github.com/mesos-modules/mms/roles/isolator"
)

// filesystem knows the containers that it has prepared.
type filesystem struct {
	isolator.Unimplemented
	work, sandboxAt, launcher string
	state                     string // a folder for each container
	images                    *images
	taker                     imageTaker // nil: none, or no images
	log                       *slog.Logger

	mu         sync.Mutex
	bound      bool // a site of the daemon uses the instance
	containers map[string]*container
}

var (
	_ isolator.Isolator = (*filesystem)(nil)
	_ facade.Exporter   = (*filesystem)(nil)
)

// container is what is known of one; the record of that name keeps it over a restart.
type container struct {
	Directory  string            // the sandbox
	Root       bool              // it has a root file system of its own
	Volumes    map[string]string // by their paths in the sandbox: where they are on the host
	Persistent []string          // the paths of those that come and go with resources

	folder string
	pid    int32
}

const record = "container"

// SupportsNesting is true: a nested container has mounts of its own.
func (*filesystem) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (*filesystem) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Export hands out what namespaces/pid has to know.
func (f *filesystem) Export() any { return exported{f} }

type exported struct{ f *filesystem }

// IsBound says whether containers get their mount namespaces from the module: it may have
// been made only because another one requires it. It is known once Recover has been
// called.
func (e exported) IsBound() bool {
	e.f.mu.Lock()
	defer e.f.mu.Unlock()
	return e.f.bound
}

// Recover takes up the containers that live, and takes away what is left of those whose
// launch was never finished.
func (f *filesystem) Recover(_ context.Context, states []*slave.ContainerState, orphans []*mesosv1.ContainerID) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bound = true
	if f.taker != nil {
		f.taker.TakeImages()
	}
	keep := map[string]bool{}
	for _, s := range states {
		c, err := f.recovered(s)
		if err != nil {
			return fmt.Errorf("container %s: %w", s.GetContainerId().GetValue(), err)
		}
		f.containers[key(s.GetContainerId())] = c
		keep[filepath.Base(c.folder)] = true
	}
	for _, id := range orphans {
		keep[filepath.Base(f.folderOf(id))] = true // Cleanup follows
	}
	entries, err := os.ReadDir(f.state)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	var errs []error
	for _, e := range entries {
		if !keep[e.Name()] {
			errs = append(errs, clear(filepath.Join(f.state, e.Name())))
		}
	}
	return errors.Join(errs...)
}

// recovered reads the record of a container. One without was launched with another
// isolator of the file system.
func (f *filesystem) recovered(s *slave.ContainerState) (*container, error) {
	c := &container{Directory: s.GetDirectory(), Volumes: map[string]string{}, folder: f.folderOf(s.GetContainerId()), pid: int32(s.GetPid())}
	text, err := os.ReadFile(filepath.Join(c.folder, record))
	if errors.Is(err, fs.ErrNotExist) {
		return c, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", filepath.Join(c.folder, record), err)
	}
	return c, nil
}

// Prepare says what the container's file system is to look like.
func (f *filesystem) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	parent := f.containers[key(id.GetParent())]
	if config.GetContainerClass() == slave.ContainerClass_DEBUG {
		for up := id.GetParent(); up != nil && parent == nil; up = up.GetParent() {
			parent = f.containers[key(up)] // one of the class DEBUG is where its own parent is
		}
		if parent == nil || !isFolder(parent.folder) {
			return nil, nil // the parent has the host's mount namespace
		}
		return &slave.ContainerLaunchInfo{EnterNamespaces: []int32{unix.CLONE_NEWNS}}, nil
	}
	if config.Rootfs != nil {
		return nil, errors.New("the container has a root file system already; filesystem/linux takes the name of an image")
	}
	c := &container{Directory: config.GetDirectory(), Volumes: map[string]string{}, folder: f.folderOf(id)}
	if err := os.MkdirAll(c.folder, 0o700); err != nil {
		return nil, err
	}
	f.containers[key(id)] = c
	l := newLayout()
	if config.GetContainerInfo().GetMesos().GetImage() != nil {
		if err := f.imageOf(l, c, config); err != nil {
			return nil, err
		}
	}
	if err := f.volumes(l, c, parent, config); err != nil {
		return nil, err
	}
	if err := l.complete(); err != nil {
		return nil, err
	}
	return l.launch, c.write()
}

// Isolate takes note of the process: volumes that come later are mounted in its
// namespace.
func (f *filesystem) Isolate(_ context.Context, id *mesosv1.ContainerID, pid int32) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.containers[key(id)]; c != nil {
		c.pid = pid
	}
	return nil
}

// Update mounts the persistent volumes that are new and unmounts those that are gone.
func (f *filesystem) Update(ctx context.Context, id *mesosv1.ContainerID, requests []*mesosv1.Resource, _ *mesosv1.OfferFilters_ResourceQuantities) error {
	f.mu.Lock()
	c := f.containers[key(id)]
	f.mu.Unlock() // others go on; for this container, nobody else changes anything
	if c == nil || !isFolder(c.folder) {
		return nil // of the class DEBUG, or launched with another isolator
	}
	wanted, err := persistent.Volumes(f.work, requests)
	if err != nil {
		return err
	}
	var errs []error
	keep := map[string]bool{}
	for _, v := range wanted {
		keep[v.Container] = true
		if slices.Contains(c.Persistent, v.Container) {
			continue
		}
		if err := f.bring(ctx, c, v); err != nil {
			errs = append(errs, fmt.Errorf("persistent volume %s: %w", v.ID, err))
		}
	}
	for _, path := range slices.Clone(c.Persistent) {
		if keep[path] {
			continue
		}
		if err := f.take(ctx, c, path); err != nil {
			errs = append(errs, fmt.Errorf("the persistent volume at %s: %w", path, err))
		}
	}
	return errors.Join(append(errs, c.write())...)
}

// Cleanup takes away what the container has changed of its image.
func (f *filesystem) Cleanup(_ context.Context, id *mesosv1.ContainerID) error {
	f.mu.Lock()
	delete(f.containers, key(id))
	f.mu.Unlock()
	return clear(f.folderOf(id))
}

// write writes the record.
func (c *container) write() error {
	text, err := json.Marshal(c)
	if err != nil {
		return err
	}
	path := filepath.Join(c.folder, record)
	if err := os.WriteFile(path+".part", text, 0o600); err != nil {
		return err
	}
	return os.Rename(path+".part", path)
}

// folderOf is the container's folder; an id is no path.
func (f *filesystem) folderOf(id *mesosv1.ContainerID) string {
	return filepath.Join(f.state, "container-"+url.PathEscape(key(id)))
}

// key tells containers apart: the values of the id, the root's first.
func key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return key(id.GetParent()) + "/" + id.GetValue()
}

func isFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// clear removes a folder. What is mounted in it, whoever did that, is not removed but
// unmounted first; a mount that stays keeps the folder.
func clear(folder string) error {
	if !exists(folder) {
		return nil
	}
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return err
	}
	var mounts []string
	for line := range strings.Lines(string(text)) {
		if fields := strings.Fields(line); len(fields) > 4 {
			if at := unescape.Replace(fields[4]); at == folder || strings.HasPrefix(at, folder+"/") {
				mounts = append(mounts, at)
			}
		}
	}
	for _, at := range slices.Backward(mounts) {
		if err := unix.Unmount(at, unix.MNT_DETACH|unix.UMOUNT_NOFOLLOW); err != nil {
			return fmt.Errorf("unmount %s, which was left there: %w", at, err)
		}
	}
	return os.RemoveAll(folder)
}

// unescape reads a path of mountinfo.
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
