package held

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"google.golang.org/protobuf/proto"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// What a container's folder holds; see the package.
const (
	containersFolder = "containers"
	configFile       = "config"
	launchInfoFile   = "launch_info"
	pidFile          = "pid"
	socketFile       = "socket"
	statusFile       = "status"
	terminationFile  = "termination"
)

// Key tells containers apart: the values of the id, the root's first, with slashes
// between.
func Key(id *mesosv1.ContainerID) string {
	if id.GetParent() == nil {
		return id.GetValue()
	}
	return Key(id.GetParent()) + "/" + id.GetValue()
}

// FolderOf is where a container's things are, below the module's folder. An id whose
// values could leave that is an error.
func FolderOf(folder string, id *mesosv1.ContainerID) (string, error) {
	value := id.GetValue()
	if value == "" || value == "." || value == ".." || strings.ContainsAny(value, "/\x00") {
		return "", fmt.Errorf("a container is called %q, which is no name for a folder", value)
	}
	if id.GetParent() != nil {
		parent, err := FolderOf(folder, id.GetParent())
		if err != nil {
			return "", err
		}
		folder = parent
	}
	return filepath.Join(folder, containersFolder, value), nil
}

// Replace writes a file that is there as a whole or not at all, for the daemon's user
// alone.
func Replace(path string, data []byte) error {
	part := path + ".part"
	if err := os.WriteFile(part, data, 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

func writeMessage(path string, m proto.Message) error {
	data, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return Replace(path, data)
}

// readMessage says whether there is one.
func readMessage(path string, m proto.Message) (bool, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if err := proto.Unmarshal(data, m); err != nil {
		return false, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return true, nil
}

// ReadNumber says whether there is one: the process that should have written it may
// have been killed.
func ReadNumber(path string) (int, bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(data)))
	return n, err == nil
}
