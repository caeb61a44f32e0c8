package gc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// batch is how many names of a folder are read at a time.
const batch = 256

// remover deletes a tree.
type remover struct {
	ctx   context.Context
	root  *os.Root
	mount uint64 // of the file system that is not left
}

// errMount says that something is mounted where something is to be deleted.
var errMount = errors.New("another file system is mounted there")

// remove deletes a file, or a folder with all that is in it. A folder that cannot be emptied is said once for each thing
// that stays, up to the first few.
func (r *remover) remove(name string) error {
	if err := context.Cause(r.ctx); err != nil {
		return err
	}
	info, err := r.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.IsDir() {
		if err := r.empty(name); err != nil {
			return err
		}
	}
	if err := r.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// empty deletes what is in a folder. After a failure it goes on with the others.
func (r *remover) empty(name string) error {
	mount, err := mountOf(r.root, name)
	if err != nil {
		return err
	}
	if mount != r.mount {
		return fmt.Errorf("%s: %w", name, errMount)
	}
	const mostErrors = 5
	var failures []error
	stay := map[string]bool{}
	for {
		names, err := r.names(name, stay)
		if err != nil || len(names) == 0 {
			return errors.Join(append(failures, err)...)
		}
		for _, n := range names {
			err := r.remove(filepath.Join(name, n))
			if cause := context.Cause(r.ctx); cause != nil {
				return cause
			}
			if err == nil {
				continue
			}
			stay[n] = true
			if len(failures) < mostErrors {
				failures = append(failures, err)
			}
		}
	}
}

// names reads names in a folder, but those that stay: some of them, and none only if there are no others.
func (r *remover) names(folder string, stay map[string]bool) ([]string, error) {
	open, err := r.root.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return nil, err
	}
	defer open.Close()
	var found []string
	for len(found) == 0 {
		names, err := open.Readdirnames(batch)
		for _, n := range names {
			if !stay[n] {
				found = append(found, n)
			}
		}
		if errors.Is(err, io.EOF) {
			return found, nil
		}
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// mountOf is the number of the mount that a folder is in. Where the kernel does not tell, older than 5.8, it is the
// number of the device.
func mountOf(root *os.Root, folder string) (uint64, error) {
	open, err := root.OpenFile(folder, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NOFOLLOW, 0)
	if err != nil {
		return 0, err
	}
	defer open.Close()
	var stat unix.Statx_t
	if err := unix.Statx(int(open.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_MNT_ID, &stat); err != nil {
		return 0, err
	}
	if stat.Mask&unix.STATX_MNT_ID != 0 {
		return stat.Mnt_id, nil
	}
	return unix.Mkdev(stat.Dev_major, stat.Dev_minor), nil
}
