package shim

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// String is how errors name it.
func (p Place) String() string { return filepath.Join("/", p.Base, p.Path) }

// open returns a descriptor of the place that says where it is and reads nothing.
func (p Place) open(flags int) (int, error) {
	flags |= unix.O_PATH | unix.O_CLOEXEC
	if p.Base == "" {
		fd, err := unix.Open(p.Path, flags, 0)
		return fd, p.failed("open", err)
	}
	base, err := unix.Open(p.Base, unix.O_PATH|unix.O_CLOEXEC|unix.O_DIRECTORY, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: p.Base, Err: err}
	}
	defer unix.Close(base)
	// The kernel asks for another try when something is renamed meanwhile; somebody
	// who does that without end gets an error.
	for range 100 {
		fd, err := unix.Openat2(base, filepath.Join("/", p.Path), &unix.OpenHow{
			Flags: uint64(flags), Resolve: unix.RESOLVE_IN_ROOT | unix.RESOLVE_NO_MAGICLINKS})
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			return fd, p.failed("open", err)
		}
	}
	return -1, p.failed("open", unix.EAGAIN)
}

func (p Place) failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return &fs.PathError{Op: what, Path: p.String(), Err: err}
}

func (p Place) parent() Place {
	return Place{Base: p.Base, Path: filepath.Dir(filepath.Join("/", p.Path))}
}

// make opens the place, and makes what is missing of it if it has a base.
func (p Place) make(folder bool) (int, error) {
	fd, err := p.open(0)
	if p.Base == "" || !errors.Is(err, fs.ErrNotExist) {
		return fd, err
	}
	if filepath.Join("/", p.Path) == "/" {
		return -1, err
	}
	above, err := p.parent().make(true)
	if err != nil {
		return -1, err
	}
	defer unix.Close(above)
	name := filepath.Base(p.Path)
	if folder {
		err = unix.Mkdirat(above, name, 0o755)
	} else {
		var made int
		if made, err = unix.Openat(above, name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY|unix.O_CLOEXEC, 0o644); err == nil {
			err = unix.Close(made)
		}
	}
	if errors.Is(err, unix.EEXIST) {
		return -1, p.failed("make", errors.New("a link that leads nowhere is there"))
	}
	if err != nil {
		return -1, p.failed("make", err)
	}
	flags := unix.O_PATH | unix.O_CLOEXEC | unix.O_NOFOLLOW
	if fd, err = unix.Openat(above, name, flags, 0); err != nil {
		return -1, p.failed("open", err)
	}
	return fd, nil
}

// isFolder says what a descriptor is of.
func isFolder(fd int) (bool, error) {
	var s unix.Stat_t
	if err := unix.Fstat(fd, &s); err != nil {
		return false, err
	}
	return s.Mode&unix.S_IFMT == unix.S_IFDIR, nil
}

// path names an open file for calls that take no descriptor.
func path(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }

// do does the operation.
func (o Operation) do() error {
	switch o.Do {
	case Mkdir:
		return o.mkdir()
	case Symlink:
		return o.at(func(folder int, name string) error {
			err := unix.Symlinkat(o.Text, folder, name)
			if errors.Is(err, unix.EEXIST) {
				if at, _ := os.Readlink(path(folder) + "/" + name); at == o.Text {
					return nil
				}
			}
			return err
		})
	case Rename:
		return o.at(func(folder int, name string) error {
			from, err := o.Source.parent().open(unix.O_DIRECTORY)
			if err != nil {
				return err
			}
			defer unix.Close(from)
			return unix.Renameat(from, filepath.Base(o.Source.Path), folder, name)
		})
	case Bind:
		if o.Mount == nil {
			return errors.New("there is no mount")
		}
		return o.Mount.do()
	default:
		return fmt.Errorf("there is no operation %q on files", o.Do)
	}
}

func (o Operation) mkdir() error {
	if o.All {
		fd, err := o.Target.make(true)
		if err != nil {
			return err
		}
		return unix.Close(fd)
	}
	return o.at(func(folder int, name string) error { return unix.Mkdirat(folder, name, 0o755) })
}

// at calls with the folder of the target and its name there.
func (o Operation) at(do func(folder int, name string) error) error {
	folder, err := o.Target.parent().open(unix.O_DIRECTORY)
	if err != nil {
		return err
	}
	defer unix.Close(folder)
	return o.Target.failed(o.Do, do(folder, filepath.Base(o.Target.Path)))
}
