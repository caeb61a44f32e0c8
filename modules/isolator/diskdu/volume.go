package diskdu

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// volumeOf returns where a persistent volume lies on the host. That it is not looked up
// in the sandbox is on purpose: there its owner could put a link to anything.
func volumeOf(work string, r *mesosv1.Resource) (string, error) {
	if work == "" {
		return "", errors.New("the module has no parameter work_dir")
	}
	root := work
	switch source := r.GetDisk().GetSource(); source.GetType() {
	case mesosv1.Resource_DiskInfo_Source_UNKNOWN: // none: the work folder
	case mesosv1.Resource_DiskInfo_Source_MOUNT:
		return below(work, source.GetMount().GetRoot()), nil
	case mesosv1.Resource_DiskInfo_Source_PATH:
		root = below(work, source.GetPath().GetRoot())
	default:
		return "", fmt.Errorf("its disk is of type %v", source.GetType())
	}
	role := r.GetRole()
	if n := len(r.GetReservations()); n > 0 {
		role = r.GetReservations()[n-1].GetRole()
	}
	id := r.GetDisk().GetPersistence().GetId()
	if slices.Contains(strings.Split(role, "/"), "..") || id == "" || id == "." || id == ".." || strings.Contains(id, "/") {
		return "", fmt.Errorf("its role %q or id leaves the folder of volumes", role)
	}
	return filepath.Join(root, "volumes", "roles", strings.ReplaceAll(role, "/", " "), id), nil
}

// below reads a root that may be relative to the work folder.
func below(work, root string) string {
	if filepath.IsAbs(root) {
		return root
	}
	return filepath.Join(work, root)
}
