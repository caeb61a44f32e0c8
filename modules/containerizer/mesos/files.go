package mesos

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	"github.com/mesos-modules/mms/modules/containerizer/mesos/shim"
)

// places knows which folders the container's own tasks, or others like them, may have
// laid links in: paths below them must not lead out.
type places []string

// placesOf are the root file system and the sandboxes, a nested container's behind those
// of its parents, which hold it.
func placesOf(rootfs string, sandboxes []string) (all places) {
	if rootfs != "" {
		all = append(all, filepath.Clean(rootfs))
	}
	for _, s := range sandboxes {
		if s != "" {
			all = append(all, filepath.Clean(s))
		}
	}
	return all
}

// of finds the place that a path names.
func (all places) of(path string) shim.Place {
	path = filepath.Clean(path)
	for _, base := range all {
		if path == base {
			return shim.Place{Path: path}
		}
		if rest, below := strings.CutPrefix(path, base+"/"); below {
			return shim.Place{Base: base, Path: rest}
		}
	}
	return shim.Place{Path: path}
}

// furnish adds to the run what the container's files are to look like.
func furnish(run *shim.Config, launch *slave.ContainerLaunchInfo, all places) error {
	if !run.MountNamespace {
		if len(launch.GetMounts())+len(launch.GetMaskedPaths())+len(launch.GetFileOperations()) > 0 {
			return errors.New("an isolator wants mounts, masked paths or file operations, and none a mount namespace to make them in")
		}
		return nil
	}
	var errs []error
	for _, m := range launch.GetMounts() {
		mount, err := all.mount(m)
		run.Mounts, errs = append(run.Mounts, mount), append(errs, err)
	}
	for _, o := range launch.GetFileOperations() {
		operation, err := all.operation(o)
		run.Operations, errs = append(run.Operations, operation), append(errs, err)
	}
	for _, path := range launch.GetMaskedPaths() {
		errs = append(errs, absolute("masked path", path))
		run.Masked = append(run.Masked, all.of(path))
	}
	return errors.Join(errs...)
}

func absolute(what, path string) error {
	if !filepath.IsAbs(path) {
		return fmt.Errorf("the %s %q is not absolute", what, path)
	}
	return nil
}

func (all places) mount(m *slave.ContainerMountInfo) (shim.Mount, error) {
	out := shim.Mount{Target: all.of(m.GetTarget()), Type: m.GetType(), Options: m.GetOptions(), Flags: uint(m.GetFlags())}
	err := absolute("target of a mount", m.GetTarget())
	if out.Flags&unix.MS_BIND != 0 && out.Flags&unix.MS_REMOUNT == 0 {
		out.Source = all.of(m.GetSource())
		err = errors.Join(err, absolute("source of a bind mount", m.GetSource()))
	} else {
		out.Device = m.GetSource()
	}
	return out, err
}

func (all places) operation(o *slave.ContainerFileOperation) (shim.Operation, error) {
	switch kind := o.GetOperation(); kind {
	case slave.ContainerFileOperation_SYMLINK:
		return shim.Operation{Do: shim.Symlink, Text: o.GetSymlink().GetSource(), Target: all.of(o.GetSymlink().GetTarget())},
			absolute("target of a link", o.GetSymlink().GetTarget())
	case slave.ContainerFileOperation_RENAME:
		return shim.Operation{Do: shim.Rename, Source: all.of(o.GetRename().GetSource()), Target: all.of(o.GetRename().GetTarget())},
			errors.Join(absolute("source of a rename", o.GetRename().GetSource()), absolute("target of a rename", o.GetRename().GetTarget()))
	case slave.ContainerFileOperation_MKDIR:
		return shim.Operation{Do: shim.Mkdir, All: o.GetMkdir().GetRecursive(), Target: all.of(o.GetMkdir().GetTarget())},
			absolute("folder to be made", o.GetMkdir().GetTarget())
	case slave.ContainerFileOperation_MOUNT:
		m, err := all.mount(o.GetMount())
		return shim.Operation{Do: shim.Bind, Target: m.Target, Mount: &m}, err
	default:
		return shim.Operation{}, fmt.Errorf("an isolator wants the operation %v on files, which this containerizer does not know", kind)
	}
}
