package shim

import (
	"os"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// kill sends SIGKILL to all that descends from the shim. Whoever is born while it looks
// becomes the shim's child when its parent is gone, and is killed then.
func (s *shim) kill() {
	if os.Getpid() == 1 { // all of a pid namespace
		_ = syscall.Kill(-1, syscall.SIGKILL) // nobody there is as good
		return
	}
	s.processes.killBelow(os.Getpid())
}

// KillBelow sends SIGKILL to the descendants of a process. A process keeps its id until
// its parent reaps it, so each parent is stopped before its children are looked at.
func KillBelow(parent int) {
	proc, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return // nobody can be found
	}
	defer unix.Close(proc)
	processes(proc).killBelow(parent)
}

// processes is an open folder /proc. The shim keeps one: the container's own may be
// another, or none.
type processes int

// ownProcesses opens a /proc with the ids that the shim itself sees, which are not those
// of the host if it was started in another pid namespace.
func ownProcesses() (processes, error) {
	if self, err := os.Readlink("/proc/self"); err == nil && self == strconv.Itoa(os.Getpid()) {
		fd, err := unix.Open("/proc", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		return processes(fd), err
	}
	context, err := unix.Fsopen("proc", unix.FSOPEN_CLOEXEC)
	if err != nil {
		return 0, err
	}
	defer unix.Close(context)
	if err := unix.FsconfigCreate(context); err != nil {
		return 0, err
	}
	fd, err := unix.Fsmount(context, unix.FSMOUNT_CLOEXEC, unix.MOUNT_ATTR_NOSUID|unix.MOUNT_ATTR_NODEV|unix.MOUNT_ATTR_NOEXEC)
	return processes(fd), err
}

func (p processes) killBelow(parent int) {
	for _, child := range p.children(parent) {
		_ = syscall.Kill(child, syscall.SIGSTOP) // it does not reap from here on
		p.killBelow(child)
		_ = syscall.Kill(child, syscall.SIGKILL)
	}
}

// children returns the direct children of a process, those of all its threads.
func (p processes) children(pid int) []int {
	folder := strconv.Itoa(pid) + "/task"
	fd, err := unix.Openat(int(p), folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil // it has ended
	}
	tasks := os.NewFile(uintptr(fd), folder)
	defer tasks.Close()
	threads, err := tasks.Readdirnames(-1)
	if err != nil {
		return nil
	}
	var all []int
	for _, t := range threads {
		text, err := p.read(folder + "/" + t + "/children")
		if err != nil {
			continue
		}
		for _, word := range strings.Fields(text) {
			if child, err := strconv.Atoi(word); err == nil {
				all = append(all, child)
			}
		}
	}
	return all
}

func (p processes) read(name string) (string, error) {
	fd, err := unix.Openat(int(p), name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", err
	}
	f := os.NewFile(uintptr(fd), name)
	defer f.Close()
	var text strings.Builder
	_, err = f.WriteTo(&text)
	return text.String(), err
}
