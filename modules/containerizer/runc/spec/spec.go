package spec

import (
	"errors"
	"fmt"

	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Version is the runtime specification that Debian's runc 1.1 follows.
const Version = "1.0.2"

// Root is the name of the folder in the bundle where the root file system is mounted.
const Root = "rootfs"

// Request is a container to be described.
type Request struct {
	Config *slave.ContainerConfig
	Launch *slave.ContainerLaunchInfo

	// Image is the image's configuration; nil: the container sees the host's files.
	Image *v1.ImageConfig

	// Sandbox is where a container with an image finds its sandbox.
	Sandbox string

	// Cgroup is the path of its control groups, from their root.
	Cgroup string

	// Parent is the container that it is nested in; nil: none.
	Parent *Parent
}

// Parent is the container that another one is nested in.
type Parent struct {
	Pid       int    // its first process
	Directory string // its sandbox
}

// Build describes a container.
func Build(r Request) (*specs.Spec, error) {
	if err := supported(r.Launch); err != nil {
		return nil, err
	}
	process, err := r.process()
	if err != nil {
		return nil, err
	}
	namespaces, err := r.namespaces()
	if err != nil {
		return nil, err
	}
	out := &specs.Spec{
		Version: Version,
		Root:    &specs.Root{Path: Root},
		Process: process,
		Linux: &specs.Linux{
			Namespaces: namespaces, CgroupsPath: r.Cgroup,
			RootfsPropagation: "rslave",
			Resources:         &specs.LinuxResources{},
			MaskedPaths:       r.Launch.GetMaskedPaths(),
		},
	}
	if r.hasOwnLimits() {
		out.Linux.Resources = Resources(r.Config.GetResources(), r.Config.GetLimits())
	}
	if r.Image == nil {
		out.Linux.Resources.Devices = []specs.LinuxDeviceCgroup{{Allow: true, Access: "rwm"}}
	} else {
		out.Linux.MaskedPaths = append(append([]string(nil), masked...), r.Launch.GetMaskedPaths()...)
		out.Linux.ReadonlyPaths = readonly
	}
	out.Mounts, err = r.mounts()
	return out, err
}

// hasOwnLimits is true but for nested containers, which share what their root has unless
// they say otherwise.
func (r Request) hasOwnLimits() bool {
	return r.Parent == nil || !r.Config.GetContainerInfo().GetLinuxInfo().GetShareCgroups()
}

// supported refuses what this containerizer does not do.
func supported(launch *slave.ContainerLaunchInfo) error {
	var errs []error
	refuse := func(asked bool, what string) {
		if asked {
			errs = append(errs, fmt.Errorf("an isolator wants %s, which the runc containerizer does not do; leave it out of --isolation", what))
		}
	}
	refuse(launch.Rootfs != nil, "a root file system of its own")
	refuse(len(launch.GetPreExecCommands()) > 0, "commands before the container's")
	refuse(len(launch.GetFileOperations()) > 0, "file operations")
	refuse(launch.GetSeccompProfile() != nil, "a seccomp profile")
	refuse(launch.GetTtySlavePath() != "", "a terminal of its own")
	return errors.Join(errs...)
}

// What programs in an image have no business with; the same as other engines keep from
// theirs.
var (
	masked = []string{"/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
		"/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware"}
	readonly = []string{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"}
)

// scalar adds up what resources of one name there are.
func scalar(resources []*mesosv1.Resource, name string) (sum float64) {
	for _, r := range resources {
		if r.GetName() == name {
			sum += r.GetScalar().GetValue()
		}
	}
	return sum
}
