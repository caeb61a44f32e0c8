package diskdu

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// keptOpen is down to which depth folders stay open while what is in them is
	// walked. Deeper ones are opened anew on the way back, so that no tree takes more
	// files than this.
	keptOpen = 24

	// remembered is how many files with several names are told apart. Of more than
	// these each name counts its share.
	remembered = 1 << 18

	readBytes = 8 << 10
)

// measure returns how many bytes of disk a folder takes with everything below it, as du
// counts: what is allocated, each file once whatever its names. It follows no link, and
// leaves out other mounts and the excluded paths, which are relative and clean. What goes
// away meanwhile is not counted. With errMoved the figure is less than there is.
//
// It needs the same small memory for every tree: its owner could make it as large, wide
// and deep as he likes.
func measure(ctx context.Context, root string, excluded []string) (uint64, error) {
	fd, err := unix.Open(root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("open %s: %w", root, err)
	}
	w := &walk{ctx: ctx, excluded: excluded, seen: map[uint64]struct{}{}}
	defer w.close()
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, &st); err != nil {
		return 0, errors.Join(fmt.Errorf("look at %s: %w", root, err), unix.Close(fd))
	}
	w.major, w.minor = st.Dev_major, st.Dev_minor
	w.used = st.Blocks * blockBytes
	w.levels = []level{{fd: fd, inode: st.Ino}}
	if err := w.run(); err != nil {
		return w.used, fmt.Errorf("measure %s: %w", root, err)
	}
	return w.used, nil
}

const (
	mask       = unix.STATX_TYPE | unix.STATX_INO | unix.STATX_NLINK | unix.STATX_BLOCKS
	blockBytes = 512
)

// walk goes through a tree in depth, one folder after another.
type walk struct {
	ctx          context.Context
	excluded     []string
	major, minor uint32
	seen         map[uint64]struct{}
	used         uint64
	levels       []level // from the root to the folder at hand
}

// level is a folder that is being read. One that is closed is found again by its inode,
// and read on from its position.
type level struct {
	fd       int // -1: closed
	inode    uint64
	name     string
	position int64
	buffer   []byte // of what was read
	rest     []byte // of the buffer, not looked at yet
}

func (w *walk) close() {
	for _, l := range w.levels {
		if l.fd >= 0 {
			_ = unix.Close(l.fd) // it was only read
		}
	}
}

func (w *walk) run() error {
	for len(w.levels) > 0 {
		l := &w.levels[len(w.levels)-1]
		name, err := l.next(w.ctx)
		switch {
		case err != nil:
			return err
		case name == "":
			if err := w.up(); err != nil {
				return err
			}
		default:
			if err := w.look(l, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// look counts an entry, and goes down into a folder.
func (w *walk) look(l *level, name string) error {
	if w.isExcluded(name) {
		return nil
	}
	var st unix.Statx_t
	err := unix.Statx(l.fd, name, unix.AT_SYMLINK_NOFOLLOW|unix.AT_STATX_DONT_SYNC|unix.AT_NO_AUTOMOUNT, mask, &st)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	folder := st.Mode&unix.S_IFMT == unix.S_IFDIR
	if st.Dev_major != w.major || st.Dev_minor != w.minor || st.Attributes&unix.STATX_ATTR_MOUNT_ROOT != 0 {
		return nil // another mount
	}
	w.used += w.bytesOf(&st, folder)
	if !folder {
		return nil
	}
	fd, err := unix.Openat(l.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	switch {
	case errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENOTDIR) || errors.Is(err, unix.ELOOP):
		return nil // it was something else a moment ago
	case err != nil:
		return err
	}
	if len(w.levels) > keptOpen {
		_ = unix.Close(l.fd) // it was only read
		l.fd, l.buffer, l.rest = -1, nil, nil
	}
	w.levels = append(w.levels, level{fd: fd, inode: st.Ino, name: name})
	return nil
}

// bytesOf counts a file with several names once.
func (w *walk) bytesOf(st *unix.Statx_t, folder bool) uint64 {
	size := st.Blocks * blockBytes
	if folder || st.Nlink <= 1 {
		return size
	}
	if _, again := w.seen[st.Ino]; again {
		return 0
	}
	if len(w.seen) == remembered {
		return size / uint64(st.Nlink)
	}
	w.seen[st.Ino] = struct{}{}
	return size
}

// errMoved is a tree that was rearranged while it was measured.
var errMoved = errors.New("a folder was moved meanwhile")

// up leaves the folder at hand, and opens the one above if that was closed.
func (w *walk) up() error {
	last := len(w.levels) - 1
	below := w.levels[last]
	w.levels = w.levels[:last]
	defer unix.Close(below.fd)
	if last == 0 || w.levels[last-1].fd >= 0 {
		return nil
	}
	l := &w.levels[last-1]
	fd, err := unix.Openat(below.fd, "..", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	l.fd = fd
	var st unix.Statx_t
	if err := unix.Statx(fd, "", unix.AT_EMPTY_PATH, mask, &st); err != nil {
		return err
	}
	if st.Ino != l.inode || st.Dev_major != w.major || st.Dev_minor != w.minor {
		return errMoved
	}
	if _, err = unix.Seek(fd, l.position, unix.SEEK_SET); err != nil {
		return errMoved // so much has gone that its position is none any more
	}
	return nil
}

// isExcluded reports whether an entry of the folder at hand is left out. Few paths are,
// so they are compared one by one.
func (w *walk) isExcluded(name string) bool {
	if len(w.excluded) == 0 {
		return false
	}
	var path []byte
	for _, l := range w.levels[1:] {
		path = append(append(path, l.name...), '/')
	}
	return slices.Contains(w.excluded, string(append(path, name...)))
}

// next returns the next entry but "." and ".."; the name is empty at the end.
func (l *level) next(ctx context.Context) (name string, err error) {
	for {
		if len(l.rest) == 0 {
			if err := ctx.Err(); err != nil {
				return "", err
			}
			if l.buffer == nil {
				l.buffer = make([]byte, readBytes)
			}
			n, err := unix.Getdents(l.fd, l.buffer)
			if errors.Is(err, unix.ENOENT) || n == 0 && err == nil {
				return "", nil // a folder that was removed ends here too
			}
			if err != nil {
				return "", fmt.Errorf("read the folder %q: %w", l.name, err)
			}
			l.rest = l.buffer[:n]
		}
		if name = l.entry(); name != "." && name != ".." {
			return name, nil
		}
	}
}

// The parts of a struct linux_dirent64 before the name.
const (
	positionAt = int(unsafe.Offsetof(unix.Dirent{}.Off))
	lengthAt   = int(unsafe.Offsetof(unix.Dirent{}.Reclen))
	nameAt     = int(unsafe.Offsetof(unix.Dirent{}.Name))
)

// entry takes one from the rest. The kernel writes whole ones only.
func (l *level) entry() string {
	length := int(binary.NativeEndian.Uint16(l.rest[lengthAt:]))
	l.position = int64(binary.NativeEndian.Uint64(l.rest[positionAt:]))
	name, _, _ := bytes.Cut(l.rest[nameAt:length], []byte{0})
	l.rest = l.rest[length:]
	return string(name)
}
