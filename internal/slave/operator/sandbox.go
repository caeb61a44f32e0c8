package operator

import (
	"os"
	"os/user"
	"path/filepath"
	"strconv"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// containersFolder holds the sandboxes of what is nested in a container.
const containersFolder = "containers"

// below is where the sandbox of a nested container is in that of its root.
func below(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return "."
	}
	return filepath.Join(below(id.GetParent()), containersFolder, id.GetValue())
}

// makeSandbox makes the sandbox of a nested container within that of its root, for its
// user. Tasks may have put links there: none is followed out of the root's sandbox.
func makeSandbox(root string, id *mesosv1.ContainerID, owner string) (string, error) {
	within, err := os.OpenRoot(root)
	if err != nil {
		return "", err
	}
	defer within.Close()
	path := below(id)
	if err := within.MkdirAll(path, 0o755); err != nil {
		return "", err
	}
	if owner != "" && os.Geteuid() == 0 {
		if err := give(within, path, owner); err != nil {
			return "", err
		}
	}
	return filepath.Join(root, path), nil
}

// give makes a folder somebody's own.
func give(within *os.Root, path, owner string) error {
	u, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return err
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return err
	}
	return within.Lchown(path, uid, gid)
}

// removeSandbox deletes the sandbox of a nested container; one that is gone is gone.
func removeSandbox(root string, id *mesosv1.ContainerID) error {
	within, err := os.OpenRoot(root)
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		return err
	}
	defer within.Close()
	return within.RemoveAll(below(id))
}
