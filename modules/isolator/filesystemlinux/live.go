package filesystemlinux

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/modules/isolator/persistent"
)

// bring mounts a volume in a container that runs.
func (f *filesystem) bring(ctx context.Context, c *container, v persistent.Volume) error {
	if filepath.IsAbs(v.Container) {
		return fmt.Errorf("its path %q is outside the sandbox, where a container that runs gets none", v.Container)
	}
	if _, err := f.placeOf(c, v.Container); err != nil {
		return err
	}
	if err := v.Make(c.Directory); err != nil {
		return err
	}
	tree, err := unix.OpenTree(unix.AT_FDCWD, v.Path, unix.OPEN_TREE_CLONE|unix.OPEN_TREE_CLOEXEC|unix.AT_RECURSIVE)
	if err != nil {
		return &fs.PathError{Op: "take", Path: v.Path, Err: err}
	}
	defer unix.Close(tree)
	if v.ReadOnly {
		attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_RDONLY}
		if err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr); err != nil {
			return err
		}
	}
	err = f.inside(ctx, c, func(sandbox string) error {
		at, err := makeBeneath(sandbox, v.Container)
		if err != nil {
			return err
		}
		defer unix.Close(at)
		return unix.MoveMount(tree, "", at, "", unix.MOVE_MOUNT_F_EMPTY_PATH|unix.MOVE_MOUNT_T_EMPTY_PATH)
	})
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.Persistent = append(c.Persistent, v.Container)
	c.Volumes[filepath.Clean(v.Container)] = v.Path
	return nil
}

// take unmounts a volume in a container that runs; whoever has a file of it open keeps
// that.
func (f *filesystem) take(ctx context.Context, c *container, path string) error {
	err := f.inside(ctx, c, func(sandbox string) error {
		at, err := openBeneath(sandbox, filepath.Clean(path), unix.O_DIRECTORY, unix.RESOLVE_NO_SYMLINKS)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		defer unix.Close(at)
		if err := unix.Fchdir(at); err != nil {
			return err
		}
		return unix.Unmount(".", unix.MNT_DETACH)
	})
	if err != nil && !errors.Is(err, unix.EINVAL) { // the container has unmounted it itself
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	c.Persistent = slices.DeleteFunc(c.Persistent, func(p string) bool { return p == path })
	delete(c.Volumes, filepath.Clean(path))
	return nil
}

// errEarly: the container has not changed its root yet.
var errEarly = errors.New("the container's root file system is not there yet")

// soon is how long somebody waits who comes early.
const soon = 10 * time.Millisecond

// inside calls in the container's mount namespace, with the sandbox as it is there. A
// container that is just about to run is waited for.
func (f *filesystem) inside(ctx context.Context, c *container, do func(sandbox string) error) error {
	for {
		err := f.insideNow(c, do)
		if !errors.Is(err, errEarly) {
			return err
		}
		select {
		case <-time.After(soon):
		case <-ctx.Done():
			return errors.Join(err, ctx.Err())
		}
	}
}

func (f *filesystem) insideNow(c *container, do func(sandbox string) error) error {
	if c.pid <= 0 {
		return errors.New("the container has no process")
	}
	namespace := fmt.Sprintf("/proc/%d/ns/mnt", c.pid)
	theirs, err := os.Readlink(namespace)
	if err != nil {
		return err
	}
	ours, err := os.Readlink("/proc/self/ns/mnt")
	if err != nil {
		return err
	}
	if theirs == ours {
		return fmt.Errorf("process %d has no mount namespace of its own", c.pid)
	}
	file, err := os.Open(namespace)
	if err != nil {
		return err
	}
	defer file.Close()
	return apart(func() error {
		if err := unix.Setns(int(file.Fd()), unix.CLONE_NEWNS); err != nil {
			return fmt.Errorf("enter the mount namespace of process %d: %w", c.pid, err)
		}
		if c.Root && exists(c.folder) { // a folder of the host
			return errEarly
		}
		// As the container does first of all, and may not have done: else the host sees it.
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
			return err
		}
		return do(f.seenSandbox(c))
	})
}

// makeBeneath opens a folder in a sandbox, and makes what is missing of it.
func makeBeneath(sandbox, path string) (int, error) {
	at := ""
	for name := range strings.SplitSeq(filepath.Clean(path), "/") {
		above, err := openBeneath(sandbox, filepath.Clean("./"+at), unix.O_DIRECTORY, unix.RESOLVE_NO_SYMLINKS)
		if err != nil {
			return -1, err
		}
		err = unix.Mkdirat(above, name, 0o755)
		_ = unix.Close(above) // it was not written to
		if err != nil && !errors.Is(err, unix.EEXIST) {
			return -1, err
		}
		at = filepath.Join(at, name)
	}
	return openBeneath(sandbox, at, unix.O_DIRECTORY, unix.RESOLVE_NO_SYMLINKS)
}
