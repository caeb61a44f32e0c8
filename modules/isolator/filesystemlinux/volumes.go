package filesystemlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/isolator/persistent"
)

// volumes adds the volumes that the container asks for, and those of its resources, which
// come first: others may be mounted in them.
func (f *filesystem) volumes(l *layout, c *container, parent *container, config *slave.ContainerConfig) error {
	found, err := persistent.Volumes(f.work, config.GetResources())
	if err != nil {
		return err
	}
	var errs []error
	for _, v := range found {
		if err := f.persistent(l, c, v); err != nil {
			errs = append(errs, fmt.Errorf("persistent volume %s: %w", v.ID, err))
		}
	}
	for _, v := range config.GetContainerInfo().GetVolumes() {
		source, err := f.source(c, parent, v)
		if err == nil {
			err = f.see(l, c, v.GetContainerPath(), source, v.GetMode() == mesosv1.Volume_RO)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("volume %s: %w", v.GetContainerPath(), err))
		}
	}
	return errors.Join(errs...)
}

func (f *filesystem) persistent(l *layout, c *container, v persistent.Volume) error {
	if err := v.Make(c.Directory); err != nil {
		return err
	}
	if err := f.see(l, c, v.Container, v.Path, v.ReadOnly); err != nil {
		return err
	}
	c.Persistent = append(c.Persistent, v.Container)
	return nil
}

// see mounts a source where the container wants to see it.
func (f *filesystem) see(l *layout, c *container, path, source string, ro bool) error {
	flags := uint32(bind)
	if ro {
		flags = readOnly
	}
	at, err := f.placeOf(c, path)
	if err != nil {
		return err
	}
	if l.root == "" && filepath.IsAbs(path) && !exists(path) {
		return fmt.Errorf("the host has no %s, and the container no image, in which it would be made", path)
	}
	l.mount(at, source, "", flags, "")
	if !filepath.IsAbs(path) {
		c.Volumes[filepath.Clean(path)] = source
	}
	return nil
}

// placeOf is where the container sees a path: relative ones are in its sandbox.
func (f *filesystem) placeOf(c *container, path string) (string, error) {
	if path == "" || strings.Contains(path, "\x00") || slices.Contains(strings.Split(path, "/"), "..") {
		return "", fmt.Errorf("its path %q in the container is none", path)
	}
	if filepath.IsAbs(path) {
		if filepath.Clean(path) == "/" {
			return "", errors.New("it would hide the container's root")
		}
		return path, nil
	}
	if filepath.Clean(path) == "." {
		return "", errors.New("it would hide the sandbox")
	}
	if err := straight(c.Directory, path); err != nil {
		return "", err
	}
	return filepath.Join(f.seenSandbox(c), path), nil
}

// seenSandbox is the sandbox as the container sees it.
func (f *filesystem) seenSandbox(c *container) string {
	if c.Root {
		return f.sandboxAt
	}
	return c.Directory
}

// straight refuses a path in a sandbox that goes through links. What is not there yet is
// no link.
func straight(sandbox, path string) error {
	fd, err := openBeneath(sandbox, filepath.Clean(path), 0, unix.RESOLVE_NO_SYMLINKS)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// source finds what a volume shows.
func (f *filesystem) source(c, parent *container, v *mesosv1.Volume) (string, error) {
	if v.GetImage() != nil {
		if v.GetMode() != mesosv1.Volume_RO {
			return "", errors.New("an image is a volume that can only be read: its mode is RO")
		}
		return f.images.find(v.GetImage())
	}
	path := v.GetHostPath()
	switch source := v.GetSource(); {
	case source == nil && v.HostPath == nil:
		return "", errors.New("it has no source")
	case source == nil:
	case source.GetType() == mesosv1.Volume_Source_HOST_PATH:
		if p := source.GetHostPath().GetMountPropagation().GetMode(); p == mesosv1.MountPropagation_BIDIRECTIONAL {
			return "", errors.New("what a container mounts is not shown to the host: no mount propagation BIDIRECTIONAL")
		}
		path = source.GetHostPath().GetPath()
	case source.GetType() == mesosv1.Volume_Source_SANDBOX_PATH:
		return sandboxPath(c, parent, source.GetSandboxPath())
	default:
		return "", fmt.Errorf("filesystem/linux knows no sources of type %v", source.GetType())
	}
	if !filepath.IsAbs(path) {
		return within(c.Directory, path)
	}
	if !exists(path) {
		return "", fmt.Errorf("the host has no %s", path)
	}
	return path, nil
}

// sandboxPath finds a folder of the container's own sandbox or its parent's, where it may
// be a volume that the host does not see.
func sandboxPath(c, parent *container, source *mesosv1.Volume_Source_SandboxPath) (string, error) {
	of := c
	switch source.GetType() {
	case mesosv1.Volume_Source_SandboxPath_SELF:
	case mesosv1.Volume_Source_SandboxPath_PARENT:
		if of = parent; of == nil {
			return "", errors.New("its source is in the sandbox of the parent, and there is no parent that is known")
		}
	default:
		return "", fmt.Errorf("a path in a sandbox is of type SELF or PARENT, not %v", source.GetType())
	}
	path := filepath.Clean(source.GetPath())
	if volume, ok := of.Volumes[path]; ok {
		return volume, nil
	}
	for at := range of.Volumes {
		if strings.HasPrefix(path, at+"/") {
			return "", fmt.Errorf("%s is in the volume %s: ask for the volume as a whole", path, at)
		}
	}
	return within(of.Directory, path)
}

// within returns a folder or file in a sandbox; a folder is made, for the sandbox's owner,
// where nothing is.
func within(sandbox, path string) (string, error) {
	if path == "" || filepath.IsAbs(path) || slices.Contains(strings.Split(path, "/"), "..") {
		return "", fmt.Errorf("%q is no path in a sandbox", path)
	}
	if err := straight(sandbox, path); err != nil {
		return "", err
	}
	root, err := os.OpenRoot(sandbox)
	if err != nil {
		return "", err
	}
	defer root.Close()
	info, err := root.Stat(".")
	if err != nil {
		return "", err
	}
	owner, _ := info.Sys().(*syscall.Stat_t)
	at := ""
	for name := range strings.SplitSeq(filepath.Clean(path), "/") {
		at = filepath.Join(at, name)
		err := root.Mkdir(at, 0o755)
		if err == nil && owner != nil {
			err = root.Lchown(at, int(owner.Uid), int(owner.Gid))
		}
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return "", err
		}
	}
	return filepath.Join(sandbox, path), nil
}
