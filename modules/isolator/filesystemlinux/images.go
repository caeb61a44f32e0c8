package filesystemlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// images are folders below a folder.
type images struct {
	folder   string
	readOnly bool // there is no overlay
}

// find returns the root file system of an image.
func (i *images) find(image *mesosv1.Image) (string, error) {
	if i == nil {
		return "", errors.New("the container wants an image, and filesystem/linux has no parameter images_dir to look for it in")
	}
	name := image.GetDocker().GetName()
	if image.GetType() == mesosv1.Image_APPC {
		name = image.GetAppc().GetName()
	}
	if name == "" || strings.HasPrefix(name, "/") || slices.Contains(strings.Split(name, "/"), "..") || strings.Contains(name, "\x00") {
		return "", fmt.Errorf("the image is called %q, which is no folder below images_dir", name)
	}
	for _, path := range []string{name + "/rootfs", name} {
		found, err := beneath(i.folder, path)
		switch {
		case err == nil:
			return found, nil
		case errors.Is(err, fs.ErrNotExist):
		default:
			return "", fmt.Errorf("image %s: %w", name, err)
		}
	}
	return "", fmt.Errorf("image %s: there is no folder of this name in %s", name, i.folder)
}

// beneath returns the real name of a folder. A link that leads out of the root is an
// error.
func beneath(root, path string) (string, error) {
	fd, err := openBeneath(root, path, unix.O_DIRECTORY, 0)
	if err != nil {
		return "", err
	}
	defer unix.Close(fd)
	return os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
}

func openBeneath(root, path string, flags, resolve uint64) (int, error) {
	base, err := unix.Open(root, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, &fs.PathError{Op: "open", Path: root, Err: err}
	}
	defer unix.Close(base)
	for range 100 { // the kernel asks for another try when something is renamed meanwhile
		var fd int
		fd, err = unix.Openat2(base, path, &unix.OpenHow{Flags: flags | unix.O_PATH | unix.O_CLOEXEC,
			Resolve: unix.RESOLVE_BENEATH | unix.RESOLVE_NO_MAGICLINKS | resolve})
		if err == nil {
			return fd, nil
		}
		if !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.EINTR) {
			break
		}
	}
	switch {
	case errors.Is(err, unix.EXDEV):
		err = errors.New("a link leads out of " + root)
	case errors.Is(err, unix.ELOOP) && resolve&unix.RESOLVE_NO_SYMLINKS != 0:
		err = errors.New("it goes through a link")
	}
	return -1, &fs.PathError{Op: "open", Path: filepath.Join(root, path), Err: err}
}

// overlay is where a container's changes to an image are kept.
type overlay struct{ folder string }

// make makes the folders; the container's root looks like that of the image.
func (o overlay) make(lower string) error {
	info, err := os.Stat(lower)
	if err != nil {
		return err
	}
	for _, name := range []string{"root", "upper", "work"} {
		if err := os.MkdirAll(filepath.Join(o.folder, name), 0o755); err != nil {
			return err
		}
	}
	upper := filepath.Join(o.folder, "upper")
	if owner, ok := info.Sys().(*syscall.Stat_t); ok {
		if err := os.Chown(upper, int(owner.Uid), int(owner.Gid)); err != nil {
			return err
		}
	}
	return os.Chmod(upper, info.Mode())
}

// root is what the container sees.
func (o overlay) root() string { return filepath.Join(o.folder, "root") }

// separators are what the kernel splits the options of an overlay at.
var separators = strings.NewReplacer(`\`, `\\`, ",", `\,`, ":", `\:`)

// options are those of the mount. Nothing of it outlives the container, so nothing is
// written to the disk for the sake of a crash: without volatile, the end of each container
// writes out the whole file system of the host.
func (o overlay) options(lower string) string {
	return "lowerdir=" + separators.Replace(lower) + ",upperdir=" + separators.Replace(filepath.Join(o.folder, "upper")) +
		",workdir=" + separators.Replace(filepath.Join(o.folder, "work")) + ",volatile"
}

// tryOverlay makes an overlay in a folder that it makes and removes. It is mounted in the
// namespace of a thread that ends.
func tryOverlay(folder string) error {
	if err := os.RemoveAll(folder); err != nil { // of an agent that was killed
		return err
	}
	o, lower := overlay{folder}, filepath.Join(folder, "lower")
	err := os.MkdirAll(lower, 0o755)
	if err == nil {
		err = o.make(lower)
	}
	if err == nil {
		err = apart(func() error {
			if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
				return err
			}
			return unix.Mount("overlay", o.root(), "overlay", 0, o.options(lower))
		})
	}
	return errors.Join(err, os.RemoveAll(folder))
}

// apart calls in a mount namespace of its own, which ends with the call.
func apart(do func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread never ends, and what it sees is what /proc/self shows
			defer runtime.UnlockOSThread()
			done <- apart(do) // on another thread: this one is taken
			return
		}
		err := unix.Unshare(unix.CLONE_NEWNS)
		if err == nil {
			err = do()
		}
		done <- err
		// Still locked: the thread ends with the goroutine.
	}()
	return <-done
}
