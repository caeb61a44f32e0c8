package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"

	"golang.org/x/sys/unix"
)

// furniture is what a process in the container's mount namespace does to it before
// anything else runs there.
type furniture struct {
	Root       string `json:",omitempty"`
	Mounts     []Mount
	Operations []Operation
	Masked     []Place
}

// furnish is the program "furnish".
func furnish() int {
	runtime.LockOSThread()
	var f furniture
	if err := described(&f); err != nil {
		return complain("read what the container's files look like", err)
	}
	// What the host mounts comes in; nothing that is mounted here goes out.
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return complain("keep the container's mounts from the host", err)
	}
	if f.Root != "" { // only a mount can become the root of a namespace
		root := Mount{Source: Place{Path: f.Root}, Target: Place{Path: f.Root}, Flags: unix.MS_BIND | unix.MS_REC}
		if err := root.do(); err != nil {
			return complain("prepare the root file system "+f.Root, err)
		}
	}
	for _, m := range f.Mounts {
		if err := m.do(); err != nil {
			return complain("mount "+m.what()+" at "+m.Target.String(), err)
		}
	}
	for _, o := range f.Operations {
		if err := o.do(); err != nil {
			return complain(o.Do+" "+o.Target.String(), err)
		}
	}
	for _, p := range f.Masked {
		if err := mask(p); err != nil {
			return complain("hide "+p.String(), err)
		}
	}
	return 0
}

// what names what is mounted.
func (m Mount) what() string {
	if m.Flags&unix.MS_BIND != 0 {
		return m.Source.String()
	}
	return m.Type
}

// propagation are the flags that say who sees the mounts below.
const propagation = unix.MS_SHARED | unix.MS_PRIVATE | unix.MS_SLAVE | unix.MS_UNBINDABLE

// do makes the mount.
func (m Mount) do() error {
	switch {
	case m.Flags&unix.MS_MOVE != 0:
		return errors.New("mounts are not moved")
	case m.Flags&unix.MS_REMOUNT != 0, m.Flags&propagation != 0:
		fd, err := m.Target.open(0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		return unix.Mount("", path(fd), "", uintptr(m.Flags), m.Options)
	case m.Flags&unix.MS_BIND != 0:
		return m.bind()
	default:
		return m.filesystem()
	}
}

func (m Mount) filesystem() error {
	if m.Type == "" {
		return errors.New("it has no type, and is no bind mount")
	}
	target, err := m.Target.make(true)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	device := m.Device
	if device == "" {
		device = m.Type
	}
	return unix.Mount(device, path(target), m.Type, uintptr(m.Flags), m.Options)
}

// attributes are what mount flags are for a mount that is there.
var attributes = []struct {
	flag      uint
	attribute uint64
}{
	{unix.MS_RDONLY, unix.MOUNT_ATTR_RDONLY}, {unix.MS_NOSUID, unix.MOUNT_ATTR_NOSUID},
	{unix.MS_NODEV, unix.MOUNT_ATTR_NODEV}, {unix.MS_NOEXEC, unix.MOUNT_ATTR_NOEXEC},
}

// bind goes by descriptors, so that no name is looked up twice, and is not seen before
// it is what it should be.
func (m Mount) bind() error {
	source, err := m.Source.open(0)
	if err != nil {
		return err
	}
	defer unix.Close(source)
	var recursive uint
	if m.Flags&unix.MS_REC != 0 {
		recursive = unix.AT_RECURSIVE
	}
	tree, err := unix.OpenTree(source, "", unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_EMPTY_PATH|recursive)
	if err != nil {
		return m.Source.failed("take", err)
	}
	defer unix.Close(tree)
	var set unix.MountAttr
	for _, a := range attributes {
		if m.Flags&a.flag != 0 {
			set.Attr_set |= a.attribute
		}
	}
	if set.Attr_set != 0 {
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|recursive, &set); err != nil {
			return fmt.Errorf("restrict it, which needs Linux 5.12: %w", err)
		}
	}
	folder, err := isFolder(source)
	if err != nil {
		return err
	}
	target, err := m.Target.make(folder)
	if err != nil {
		return err
	}
	defer unix.Close(target)
	return unix.MoveMount(tree, "", target, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
}

// mask hides a file behind one that is empty, and a folder likewise. What is not there
// is hidden.
func mask(p Place) error {
	fd, err := p.open(0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	folder, err := isFolder(fd)
	if err != nil {
		return err
	}
	if folder {
		return Mount{Target: p, Type: "tmpfs", Flags: unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC, Options: "size=0"}.do()
	}
	return Mount{Target: p, Source: Place{Path: "/dev/null"}, Flags: unix.MS_BIND}.do()
}

// pivot makes a folder, which is a mount, the root of the mount namespace, and what was
// the root before cannot be reached any more. That moves the shim too.
func pivot(root string) error {
	if err := unix.Chdir(root); err != nil {
		return err
	}
	if err := unix.PivotRoot(".", "."); err != nil {
		return fmt.Errorf("pivot_root: %w", err)
	}
	// The old root lies over the new one now, and is the working directory.
	if err := unix.Unmount(".", unix.MNT_DETACH); err != nil {
		return fmt.Errorf("unmount the old root: %w", err)
	}
	return unix.Chdir("/")
}
