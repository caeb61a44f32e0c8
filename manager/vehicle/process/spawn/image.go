package spawn

import (
	"os"
	"sync"
	"syscall"
	"time"

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

	mu    sync.Mutex
	stamp stamp // when the content was last known to be that of known
}

// Open opens the file at f.Path, once, and sees to it that it is f by identity and
// content. An error is a *vehicle.Refusal.
func Open(f vehicle.File) (*Image, error) {
	begin := time.Now()
	opened, err := file.Open(f)
	if err != nil {
		return nil, err
	}
	i := &Image{path: f.Path, file: opened, known: f}
	if now, err := stampOf(opened); err == nil && now.settled(begin) {
		i.stamp = now
	}
	return i, nil
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
	i.mu.Lock()
	defer i.mu.Unlock()
	begin := time.Now()
	now, err := stampOf(i.file)
	if err == nil && now == i.stamp {
		return nil
	}
	if err := file.Unchanged(i.known, i.file); err != nil {
		return err
	}
	if err == nil && now.settled(begin) {
		i.stamp = now
	}
	return nil
}

// Close closes it. Processes that run it are not concerned.
func (i *Image) Close() error { return i.file.Close() }

// stamp is what changes in a file with its content: the system sets ctime, and nobody
// can set it back.
type stamp struct {
	size  int64
	mtime syscall.Timespec
	ctime syscall.Timespec
}

func stampOf(f *os.File) (stamp, error) {
	info, err := f.Stat()
	if err != nil {
		return stamp{}, err
	}
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return stamp{}, syscall.ENOTSUP
	}
	return stamp{s.Size, s.Mtim, s.Ctim}, nil
}

// settled is whether the last change was before then, so that any later one has changed
// the stamp: the system's clock for files goes in steps of some milliseconds.
func (s stamp) settled(then time.Time) bool {
	const step = 100 * time.Millisecond
	return time.Unix(s.ctime.Unix()).Before(then.Add(-step))
}
