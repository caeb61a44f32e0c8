// Package file looks at library files before anything is read out of them. A file
// is what its device, inode and content are, however its path is spelled; Same
// says whether it still is when it is about to be opened.
package file

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// MaxSize is the largest library that is taken for one, in bytes. The largest
// known C++ libraries with all their debug information stay below it.
const MaxSize = 2 << 30

const copyBuffer = 256 << 10

// Options are what an operator accepts.
type Options struct {
	// AllowWorldWritable accepts a file, or a folder, that everybody may write
	// to.
	AllowWorldWritable bool

	// NoDigest leaves the digest out, which takes a while to compute: for a file
	// that is not going to be opened.
	NoDigest bool
}

// Look looks at the file at path, relative to the working folder if it is not
// absolute. An error is a *vehicle.Refusal.
func Look(path string, o Options) (vehicle.File, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return vehicle.File{}, refuse(err, "name an absolute path", "the path %q cannot be made absolute: %v", path, err)
	}
	f, opened, err := open(absolute, o)
	if err != nil {
		return vehicle.File{}, err
	}
	defer opened.Close() //nolint:errcheck // nothing was written
	if o.NoDigest {
		return f, nil
	}
	begin := time.Now()
	if f.Digest, err = digest(opened, f.Size); err != nil {
		return vehicle.File{}, refuse(err, "see whether it is still being written", "%s cannot be read: %v", absolute, err)
	}
	f.Changed = settledAt(opened, begin)
	return f, nil
}

// Same reports how the file at f.Path differs from f, by identity and content;
// nil if it is still the same. An error is a *vehicle.Refusal.
func Same(f vehicle.File) error {
	opened, err := Open(f)
	if err != nil {
		return err
	}
	_ = opened.Close() // nothing was written
	return nil
}

// Open opens the file at f.Path for reading if Same has nothing to say. What is in it
// was read through this very descriptor. An error is a *vehicle.Refusal.
func Open(f vehicle.File) (*os.File, error) {
	// Who may write to it was decided by Look.
	now, opened, err := open(f.Path, Options{AllowWorldWritable: true})
	if err != nil {
		return nil, err
	}
	if now.Identity != f.Identity {
		err = refuse(nil, again, "%s is another file now than the one that was verified", f.Path)
	} else {
		err = Unchanged(f, opened)
	}
	if err != nil {
		_ = opened.Close() // nothing was written
		return nil, err
	}
	return opened, nil
}

const again = "load it again, and replace libraries by renaming a new file over the old one"

// Unchanged reports whether the content of an open file is not that of f any more. An
// error is a *vehicle.Refusal.
func Unchanged(f vehicle.File, opened *os.File) error {
	info, err := opened.Stat()
	if err != nil {
		return refuse(err, again, "%s cannot be read: %v", f.Path, err)
	}
	if f.Changed != 0 && info.Size() == f.Size && changedAt(opened) == f.Changed {
		return nil
	}
	var now [32]byte
	if info.Size() == f.Size {
		if now, err = digest(io.NewSectionReader(opened, 0, f.Size+1), f.Size); err != nil {
			return refuse(err, again, "%s cannot be read: %v", f.Path, err)
		}
	}
	if info.Size() != f.Size || now != f.Digest {
		return refuse(nil, again, "%s has another content now than when it was verified", f.Path)
	}
	return nil
}

// step is more than the clock goes by at a time that the system has for files: a change
// may be noted with the time of the last step.
const step = 100 * time.Millisecond

// settledAt is changedAt if a change after begin would be seen in it, else 0.
func settledAt(opened *os.File, begin time.Time) int64 {
	if changed := changedAt(opened); changed < begin.Add(-step).UnixNano() {
		return changed
	}
	return 0
}

// changedAt is when the system last noted a change of the file (its ctime, which nobody
// can set back); 0 if it does not say.
func changedAt(opened *os.File) int64 {
	info, err := opened.Stat()
	if err != nil {
		return 0
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return 0
	}
	return syscall.TimespecToNsec(sys.Ctim)
}

// open opens a regular file and says what it is. Anything else is not opened at
// all: that alone can move a tape, or wait for ever at a pipe. Should the file be
// exchanged meanwhile, opening still does not wait.
func open(path string, o Options) (vehicle.File, *os.File, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		return vehicle.File{}, nil, refuse(nil, "name a library file", "%s is %s and not a library", path, kind(info.Mode()))
	}
	if err != nil {
		return vehicle.File{}, nil, unopened(path, err)
	}
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK|syscall.O_NOCTTY, 0)
	if err != nil {
		return vehicle.File{}, nil, unopened(path, err)
	}
	if info, err = f.Stat(); err == nil {
		err = check(path, info, o)
	}
	if err != nil {
		_ = f.Close()
		return vehicle.File{}, nil, err
	}
	sys, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		_ = f.Close()
		return vehicle.File{}, nil, refuse(nil, "put it on a local disk", "%s: the system does not say which file it is", path)
	}
	return vehicle.File{
		Path: path, Mode: info.Mode(), Size: info.Size(),
		Identity: vehicle.Identity{Device: sys.Dev, Inode: sys.Ino},
	}, f, nil
}

// unopened explains why a file could not be opened.
func unopened(path string, cause error) error {
	switch {
	case errors.Is(cause, fs.ErrNotExist):
		if _, err := os.Lstat(path); err == nil {
			return refuse(cause, "correct the link", "%s is a symbolic link that leads nowhere", path)
		}
		return refuse(cause, "correct the path", "%s does not exist", path)
	case errors.Is(cause, fs.ErrPermission):
		return unreadable(path, cause)
	default:
		return refuse(cause, "correct the path", "%s cannot be opened: %v", path, cause)
	}
}

// check refuses what is no library or not safe to be one.
func check(path string, info fs.FileInfo, o Options) error {
	mode := info.Mode()
	switch {
	case !mode.IsRegular():
		return refuse(nil, "name a library file", "%s is %s and not a library", path, kind(mode))
	case mode.Perm()&0o444 == 0:
		// The superuser could read it. Whoever took all read permission from a
		// file did not mean it to be loaded, and a daemon started by another
		// user would not load it.
		return unreadable(path, nil)
	case info.Size() == 0:
		return refuse(nil, "build or copy it again", "%s is empty", path)
	case info.Size() > MaxSize:
		return refuse(nil, "name a library file; strip debug information from it", "%s has %d bytes, and more than %d are not read", path, info.Size(), int64(MaxSize))
	case o.AllowWorldWritable:
		return nil
	case mode.Perm()&0o002 != 0:
		return refuse(nil, "run chmod o-w on it, or allow it with --allow_world_writable", "%s can be written by everybody: whoever does so runs code as this daemon", path)
	}
	return checkFolder(path)
}

// checkFolder looks at the folder that holds the file itself: in one that
// everybody may write to, anybody can put another file in its place, unless the
// sticky bit keeps files to their owners.
func checkFolder(path string) error {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return unopened(path, err)
	}
	for _, folder := range folders(path, real) {
		info, err := os.Stat(folder)
		if err != nil {
			return unopened(path, err)
		}
		if info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0 {
			return refuse(nil, "run chmod o-w on the folder, or allow it with --allow_world_writable",
				"%s lies in the folder %s, which can be written by everybody: whoever does so runs code as this daemon", path, folder)
		}
	}
	return nil
}

// folders of the name and of what it leads to.
func folders(path, real string) []string {
	first, second := filepath.Dir(path), filepath.Dir(real)
	if first == second {
		return []string{first}
	}
	return []string{first, second}
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "a folder"
	case mode&fs.ModeNamedPipe != 0:
		return "a named pipe"
	case mode&fs.ModeSocket != 0:
		return "a socket"
	case mode&fs.ModeDevice != 0:
		return "a device"
	default:
		return "no regular file"
	}
}

// digest reads size bytes and sees to it that there are no more.
func digest(r io.Reader, size int64) (sum [32]byte, err error) {
	h := sha256.New()
	n, err := io.CopyBuffer(h, struct{ io.Reader }{io.LimitReader(r, size+1)}, make([]byte, min(size+1, copyBuffer)))
	if err != nil {
		return sum, err
	}
	if n != size {
		return sum, fmt.Errorf("it changes while it is read: %d bytes instead of %d", n, size)
	}
	h.Sum(sum[:0])
	return sum, nil
}

func unreadable(path string, cause error) error {
	return refuse(cause, "give the daemon's user permission to read it and to enter its folders", "%s must not be read: its permissions forbid it", path)
}

func refuse(cause error, mend, format string, args ...any) error {
	return &vehicle.Refusal{Rule: finding.LibraryFile, Problem: fmt.Sprintf(format, args...), Mend: mend, Cause: cause}
}
