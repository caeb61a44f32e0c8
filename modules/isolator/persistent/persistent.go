// Package persistent knows where persistent volumes are. Isolators of the file system
// share it.
package persistent

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Volume is a persistent volume.
type Volume struct {
	ID        string // as its framework calls it
	Path      string // the folder on the host
	Container string // where the container sees it, as it was asked for
	ReadOnly  bool
}

// Volumes reads the persistent volumes among resources. Work is the agent's work folder;
// empty if that is not known. All that is wrong comes in one error, with those that are
// right.
func Volumes(work string, resources []*mesosv1.Resource) ([]Volume, error) {
	var all []Volume
	var errs []error
	for _, r := range resources {
		if r.GetDisk().GetPersistence() == nil {
			continue
		}
		v, err := volumeOf(work, r)
		if err != nil {
			errs = append(errs, fmt.Errorf("persistent volume %q: %w", r.GetDisk().GetPersistence().GetId(), err))
			continue
		}
		all = append(all, v)
	}
	return all, errors.Join(errs...)
}

func volumeOf(work string, r *mesosv1.Resource) (Volume, error) {
	v := Volume{
		ID:        r.GetDisk().GetPersistence().GetId(),
		Container: r.GetDisk().GetVolume().GetContainerPath(),
		ReadOnly:  r.GetDisk().GetVolume().GetMode() == mesosv1.Volume_RO,
	}
	switch {
	case work == "":
		return v, errors.New("the module has no parameter work_dir, so there are no persistent volumes")
	case !Plain(v.ID):
		return v, errors.New("its id is no name for a folder")
	}
	root := work
	switch source := r.GetDisk().GetSource(); source.GetType() {
	case mesosv1.Resource_DiskInfo_Source_UNKNOWN: // none, or not known: the work folder
	case mesosv1.Resource_DiskInfo_Source_MOUNT:
		v.Path = below(work, source.GetMount().GetRoot())
		return v, nil
	case mesosv1.Resource_DiskInfo_Source_PATH:
		root = below(work, source.GetPath().GetRoot())
	default:
		return v, fmt.Errorf("its disk is of type %v", source.GetType())
	}
	role := roleOf(r)
	if slices.Contains(strings.Split(role, "/"), "..") {
		return v, fmt.Errorf("its role %q leaves the folder of volumes", role)
	}
	// A role with slashes is one folder, as upstream has it: there "a/b" is "a b", which
	// is never a role.
	v.Path = filepath.Join(root, "volumes", "roles", strings.ReplaceAll(role, "/", " "), v.ID)
	return v, nil
}

// Make makes the folder if there is none, and gives it to the owner of the sandbox.
func (v Volume) Make(sandbox string) error {
	if err := os.MkdirAll(v.Path, 0o755); err != nil {
		return err
	}
	info, err := os.Stat(sandbox)
	if err != nil {
		return err
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && os.Geteuid() == 0 {
		return os.Chown(v.Path, int(owner.Uid), int(owner.Gid))
	}
	return nil
}

// Plain says whether a text names a file right in a folder.
func Plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.ContainsAny(name, "/\x00")
}

// below reads a root that may be relative to the work folder.
func below(work, root string) string {
	if filepath.IsAbs(root) {
		return root
	}
	return filepath.Join(work, root)
}

// roleOf is who the resource is reserved for.
func roleOf(r *mesosv1.Resource) string {
	if n := len(r.GetReservations()); n > 0 {
		return r.GetReservations()[n-1].GetRole()
	}
	return r.GetRole()
}
