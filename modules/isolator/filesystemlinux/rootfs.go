package filesystemlinux

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade/mesos/slave"
)

const (
	bind     = unix.MS_BIND | unix.MS_REC
	readOnly = bind | unix.MS_RDONLY
	harmless = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
)

// layout is what a container's file system is to look like.
type layout struct {
	launch *slave.ContainerLaunchInfo
	root   string // empty: the host's
	lower  string // an image that can only be read; empty: none
}

func newLayout() *layout {
	return &layout{launch: &slave.ContainerLaunchInfo{CloneNamespaces: []int32{unix.CLONE_NEWNS}}}
}

// mount adds one; target is as the container sees it.
func (l *layout) mount(target, source, kind string, flags uint32, options string) {
	m := &slave.ContainerMountInfo{Target: proto.String(filepath.Join("/", l.root, target)), Flags: &flags}
	if source != "" {
		m.Source = &source
	}
	if kind != "" {
		m.Type = &kind
	}
	if options != "" {
		m.Options = &options
	}
	l.launch.Mounts = append(l.launch.Mounts, m)
}

// link adds a link in the container.
func (l *layout) link(at, to string) {
	l.launch.FileOperations = append(l.launch.FileOperations, &slave.ContainerFileOperation{
		Operation: slave.ContainerFileOperation_SYMLINK.Enum(),
		Parameters: &slave.ContainerFileOperation_Symlink_{Symlink: &slave.ContainerFileOperation_Symlink{
			Source: &to, Target: proto.String(filepath.Join(l.root, at))}},
	})
}

// What the kernel shows of itself and the host, and containers may read.
var shown = []string{"bus", "fs", "irq", "sys", "sysrq-trigger"}

// What they may not.
var hidden = []string{
	"/proc/asound", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/latency_stats", "/proc/timer_list",
	"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
}

// devices are those of the host that containers have.
var devices = []string{"full", "null", "random", "tty", "urandom", "zero"}

// names are files of the host by which names are looked up: containers share its network.
var names = []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}

// furnish fills the root file system with what every process expects.
func (l *layout) furnish() {
	l.mount("/proc", "", "proc", harmless, "")
	for _, name := range shown {
		if exists("/proc/" + name) {
			l.mount("/proc/"+name, filepath.Join(l.root, "proc", name), "", readOnly, "")
		}
	}
	l.mount("/sys", "", "sysfs", harmless|unix.MS_RDONLY, "")
	l.mount("/dev", "", "tmpfs", unix.MS_NOSUID|unix.MS_NOEXEC|unix.MS_STRICTATIME, "mode=755,size=4m")
	for _, name := range devices {
		if exists("/dev/" + name) {
			l.mount("/dev/"+name, "/dev/"+name, "", unix.MS_BIND, "")
		}
	}
	l.mount("/dev/pts", "", "devpts", unix.MS_NOSUID|unix.MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620,gid=5")
	l.mount("/dev/shm", "", "tmpfs", harmless, "mode=1777")
	l.link("/dev/ptmx", "pts/ptmx")
	l.link("/dev/fd", "/proc/self/fd")
	for number, name := range []string{"stdin", "stdout", "stderr"} {
		l.link("/dev/"+name, fmt.Sprintf("/proc/self/fd/%d", number))
	}
	for _, path := range hidden {
		l.launch.MaskedPaths = append(l.launch.MaskedPaths, filepath.Join(l.root, path))
	}
}

// imageOf gives the container a root file system, with the sandbox, and the executor if
// it is one of the agent's own.
func (f *filesystem) imageOf(l *layout, c *container, config *slave.ContainerConfig) error {
	lower, err := f.images.find(config.GetContainerInfo().GetMesos().GetImage())
	if err != nil {
		return err
	}
	o := overlay{c.folder}
	if err := o.make(lower); err != nil {
		return err
	}
	l.root = o.root()
	l.launch.Rootfs = proto.String(l.root)
	if f.images.readOnly {
		l.lower = lower
		l.mount("/", lower, "", readOnly, "")
	} else {
		l.mount("/", "overlay", "overlay", 0, o.options(lower))
	}
	l.furnish()
	for _, name := range names {
		// An image that has a link there has its own idea of where names come from.
		in, err := os.Lstat(filepath.Join(lower, name))
		if exists(name) && (err == nil && in.Mode().IsRegular() || errors.Is(err, fs.ErrNotExist) && !f.images.readOnly) {
			l.mount(name, name, "", readOnly, "")
		}
	}
	l.mount(f.sandboxAt, config.GetDirectory(), "", bind, "")
	if program := config.GetCommandInfo().GetValue(); !config.GetCommandInfo().GetShell() && strings.HasPrefix(program, f.launcher+"/") {
		l.mount(program, program, "", readOnly, "")
	}
	c.Root = true
	return nil
}

// complete says what an image lacks that is mounted on and that nobody can make in it.
func (l *layout) complete() error {
	lower := l.lower
	if lower == "" {
		return nil
	}
	var missing []string
	for _, m := range l.launch.GetMounts() {
		inside := strings.TrimPrefix(m.GetTarget(), l.root)
		if strings.HasPrefix(inside, "/proc/") || strings.HasPrefix(inside, "/dev/") || strings.HasPrefix(inside, "/sys/") {
			continue // of file systems that are mounted there
		}
		if fd, err := openBeneath(lower, strings.TrimPrefix(filepath.Clean("./"+inside), "/"), 0, 0); err == nil {
			_ = unix.Close(fd)
		} else if inside != "" {
			missing = append(missing, inside)
		}
	}
	if missing == nil {
		return nil
	}
	return fmt.Errorf("the image %s is read-only, because there is no overlay here, and lacks what is mounted on: make %s in it",
		lower, strings.Join(missing, " "))
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
