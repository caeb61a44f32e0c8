package mesos

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/modules/containerizer/held"
)

// The launchers.
const (
	linuxLauncher = "linux"
	posixLauncher = "posix"
)

// kinds are the namespaces by their flag, as /proc/PID/ns calls them. There are no user
// namespaces here: the ids of users are the host's.
var kinds = []struct {
	flag int32
	name string
}{
	{unix.CLONE_NEWIPC, "ipc"}, {unix.CLONE_NEWUTS, "uts"}, {unix.CLONE_NEWNET, "net"},
	{unix.CLONE_NEWCGROUP, "cgroup"}, {unix.CLONE_NEWPID, "pid"}, {unix.CLONE_NEWNS, "mnt"},
}

// namespaces are what a shim is started in.
type namespaces struct {
	clone  uintptr
	enter  []*os.File // all but a mount namespace
	mounts *os.File   // what the command enters: the shim itself keeps to the host's files; nil: none
	root   string     // where the host sees the root of that; empty: it is the host's
}

func (n *namespaces) close() {
	for _, f := range n.enter {
		_ = f.Close() // nothing is written there
	}
	if n.mounts != nil {
		_ = n.mounts.Close()
	}
}

// has says whether a list of flags holds one.
func has(list []int32, flag int32) bool {
	for _, l := range list {
		if l&flag != 0 {
			return true
		}
	}
	return false
}

// checkNamespaces refuses what cannot be had. It says everything at once.
func checkNamespaces(launcher string, id *mesosv1.ContainerID, launch *slave.ContainerLaunchInfo) error {
	clone, enter := launch.GetCloneNamespaces(), launch.GetEnterNamespaces()
	if len(clone)+len(enter) == 0 {
		return nil
	}
	if launcher != linuxLauncher {
		return fmt.Errorf("an isolator wants namespaces, which the launcher %s does not make; --launcher=%s does, for root", launcher, linuxLauncher)
	}
	var errs []error
	var known int32
	for _, k := range kinds {
		known |= k.flag
		if has(clone, k.flag) && has(enter, k.flag) {
			errs = append(errs, fmt.Errorf("one isolator wants a new %s namespace and one the parent's; leave one of them out of --isolation", k.name))
		}
	}
	for _, flag := range append(append([]int32(nil), clone...), enter...) {
		if flag&^known != 0 || flag == 0 {
			errs = append(errs, fmt.Errorf("an isolator wants the namespace %#x, which this containerizer does not make", flag))
		}
	}
	if len(enter) > 0 && id.GetParent() == nil {
		errs = append(errs, errors.New("an isolator wants the namespaces of the parent, and the container has none"))
	}
	return errors.Join(errs...)
}

// namespacesOf opens the namespaces of the parent that are entered.
func (m *Containerizer) namespacesOf(id *mesosv1.ContainerID, launch *slave.ContainerLaunchInfo) (n *namespaces, err error) {
	n = &namespaces{}
	for _, flag := range launch.GetCloneNamespaces() {
		n.clone |= uintptr(flag)
	}
	if len(launch.GetEnterNamespaces()) == 0 {
		return n, nil
	}
	parent, err := m.books.Find(id.GetParent())
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			n.close()
		}
	}()
	for _, k := range kinds {
		if !has(launch.GetEnterNamespaces(), k.flag) {
			continue
		}
		if k.flag == unix.CLONE_NEWNS {
			if n.mounts, n.root, err = m.mountsOf(parent); err != nil {
				return nil, err
			}
			continue
		}
		f, err := namespaceOf(parent, k.name)
		if err != nil {
			return nil, err
		}
		n.enter = append(n.enter, f)
	}
	return n, nil
}

// mountsOf opens the mount namespace of a container, and says where the host sees its
// root. The shim of a container that has entered another's is outside of it, so that
// other one is asked.
func (m *Containerizer) mountsOf(c *held.Container) (*os.File, string, error) {
	for {
		launch, err := c.LaunchInfo()
		if err != nil {
			return nil, "", err
		}
		if !has(launch.GetEnterNamespaces(), unix.CLONE_NEWNS) {
			f, err := namespaceOf(c, "mnt")
			return f, launch.GetRootfs(), err
		}
		if c, err = m.books.Find(c.ID.GetParent()); err != nil {
			return nil, "", err
		}
	}
}

// namespaceOf opens one namespace of a container's shim.
func namespaceOf(c *held.Container, name string) (*os.File, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/ns/%s", c.Holder(), name))
	if err != nil {
		return nil, fmt.Errorf("find the %s namespace of the parent: %w", name, err)
	}
	// A parent that lives now lived before: the process id was not another's.
	if err := c.IsHeld(); err != nil {
		return nil, errors.Join(fmt.Errorf("the parent: %w", err), f.Close())
	}
	return f, nil
}

// start starts a program in the namespaces.
func (n *namespaces) start(program string, arguments []string, attr *syscall.ProcAttr) (pid int, err error) {
	attr.Sys.Cloneflags = n.clone
	if len(n.enter) == 0 {
		return syscall.ForkExec(program, arguments, attr)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() { // the main thread never ends, and where it is is where /proc/self is
			defer runtime.UnlockOSThread()
			pid, err = n.start(program, arguments, attr) // on another thread: this one is taken
			return
		}
		for _, f := range n.enter {
			if err = unix.Setns(int(f.Fd()), 0); err != nil {
				err = fmt.Errorf("enter %s: %w", f.Name(), err)
				return
			}
		}
		pid, err = syscall.ForkExec(program, arguments, attr)
		// Still locked: the thread ends with the goroutine.
	}()
	<-done
	return pid, err
}
