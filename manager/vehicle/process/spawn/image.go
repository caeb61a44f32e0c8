package spawn

import (
	"os"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
)

// Image is a file that is open: an executable, or a library that an executable is to
// open. It stays the same file whatever happens to its path. It is safe for concurrent
// use.
type Image struct {
	path  string
	file  *os.File
	known vehicle.File // zero for one that is trusted
}

// Open opens the file at f.Path, once, and sees to it that it is f by identity and
// content. An error is a *vehicle.Refusal.
func Open(f vehicle.File) (*Image, error) {
	opened, err := file.Open(f)
	if err != nil {
		return nil, err
	}
	return &Image{path: f.Path, file: opened, known: f}, nil
}

// Own opens the binary at path, or the one that is running if path is empty, also where
// another lies in its place meanwhile. Nobody has looked at it before: it is trusted.
func Own(path string) (*Image, error) {
	shown, opened := path, path
	if path == "" {
		shown, opened = "the daemon's own binary", "/proc/self/exe"
	}
	f, err := os.Open(opened)
	if err != nil {
		return nil, err
	}
	return &Image{path: shown, file: f}, nil
}

// File is the open file, to be passed to a process. It is not to be closed, nor read or
// sought without an offset.
func (i *Image) File() *os.File { return i.file }

// Unchanged reports how the content differs from what was opened. It is cheap while the
// system notes no change of the file; else it reads all of it. An error is a
// *vehicle.Refusal.
func (i *Image) Unchanged() error {
	if i.known.Path == "" {
		return nil
	}
	return file.Unchanged(i.known, i.file)
}

// Close closes it. Processes that run it are not concerned.
func (i *Image) Close() error { return i.file.Close() }
