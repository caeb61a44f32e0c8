package process

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"syscall"

	"github.com/mesos-modules/mms/manager/vehicle"
)

// leadsTo reports whether a path leads to the file.
func leadsTo(path string, to vehicle.Identity) bool {
	info, err := os.Stat(path)
	return err == nil && identity(info) == to
}

func identity(info os.FileInfo) vehicle.Identity {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return vehicle.Identity{}
	}
	return vehicle.Identity{Device: s.Dev, Inode: s.Ino}
}

// copyOf copies an open file of which f is known, with its permissions.
func copyOf(from *os.File, f vehicle.File, path string) (id vehicle.Identity, err error) {
	to, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return id, err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	if _, err := io.Copy(to, io.NewSectionReader(from, 0, f.Size)); err != nil {
		return id, err
	}
	// Whoever could read the library has to be able to read the copy.
	if err := errors.Join(to.Chmod(f.Mode.Perm()&0o755), os.Chmod(filepath.Dir(path), 0o711)); err != nil {
		return id, err
	}
	info, err := to.Stat()
	if err != nil {
		return id, err
	}
	return identity(info), nil
}
