package spec

import (
	"fmt"
	"os"

	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// kinds are the namespaces other than that of the mounts, which a container always has
// for itself.
var kinds = []struct {
	flag  int32
	kind  specs.LinuxNamespaceType
	file  string // in /proc/PID/ns
	share bool   // a nested container has its parent's, unless it is to have its own
}{
	{unix.CLONE_NEWUTS, specs.UTSNamespace, "uts", true},
	{unix.CLONE_NEWIPC, specs.IPCNamespace, "ipc", true},
	{unix.CLONE_NEWNET, specs.NetworkNamespace, "net", true},
	{unix.CLONE_NEWPID, specs.PIDNamespace, "pid", false},
	{unix.CLONE_NEWCGROUP, specs.CgroupNamespace, "cgroup", false},
}

// namespaces are those that isolators ask for, and what a nested container shares with
// its parent.
func (r Request) namespaces() ([]specs.LinuxNamespace, error) {
	wanted := func(flags []int32, flag int32) bool {
		for _, f := range flags {
			if f&flag != 0 {
				return true
			}
		}
		return false
	}
	clone, enter := r.Launch.GetCloneNamespaces(), r.Launch.GetEnterNamespaces()
	if wanted(clone, unix.CLONE_NEWUSER) || wanted(enter, unix.CLONE_NEWUSER) {
		return nil, fmt.Errorf("an isolator wants a user namespace, which the runc containerizer does not make")
	}
	all := []specs.LinuxNamespace{{Type: specs.MountNamespace}}
	for _, k := range kinds {
		switch {
		case wanted(clone, k.flag):
			all = append(all, specs.LinuxNamespace{Type: k.kind})
		case r.Parent != nil && (k.share || wanted(enter, k.flag)):
			path := fmt.Sprintf("/proc/%d/ns/%s", r.Parent.Pid, k.file)
			theirs, err := os.Readlink(path)
			if err != nil {
				return nil, fmt.Errorf("the namespaces of the container's parent: %w", err)
			}
			if ours, err := os.Readlink("/proc/self/ns/" + k.file); err == nil && ours == theirs {
				continue // the host's
			}
			all = append(all, specs.LinuxNamespace{Type: k.kind, Path: path})
		}
	}
	return all, nil
}
