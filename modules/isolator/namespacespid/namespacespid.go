// Package namespacespid is the isolator namespaces/pid: containers see their own
// processes alone, and end as a whole with their first one.
package namespacespid

import (
	"context"
	"errors"

	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/isolator"
)

// Name is what manifests call the module; Word is upstream's word for it.
const (
	Name = "org_apache_mesos_NamespacesPidIsolator"
	Word = "namespaces/pid"
)

// filesystem makes the mount namespaces, in which /proc is the container's own.
const filesystem = "org_apache_mesos_LinuxFilesystemIsolator"

// mounts is what it exports.
type mounts interface {
	// IsBound says whether containers get their mount namespaces from it.
	IsBound() bool
}

type parameters struct {
	Disallow bool `mms:"disallow_sharing_agent_pid_namespace" default:"false" doc:"refuse containers that ask to share the agent's pid namespace"`
}

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[isolator.Isolator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Gives containers a pid namespace; nested ones share their parent's.",
		Requires:    []facade.Requirement{{Module: filesystem, Version: ">=1 <2"}},
		Parameters:  facade.SchemaOf[parameters](),
		New: func(_ context.Context, host facade.Host, given facade.Parameters) (isolator.Isolator, error) {
			p, err := facade.Decode[parameters](given)
			if err != nil {
				return nil, err
			}
			m, err := facade.RequiredExport[mounts](host, filesystem)
			if err != nil {
				return nil, err
			}
			return &namespaces{mounts: m, disallow: p.Disallow}, nil
		},
	},
}}

// namespaces keeps nothing of any container.
type namespaces struct {
	isolator.Unimplemented
	mounts   mounts
	disallow bool
}

var _ isolator.Isolator = (*namespaces)(nil)

// SupportsNesting is true: a nested container enters its parent's namespace.
func (*namespaces) SupportsNesting(context.Context) (bool, error) { return true, nil }

// SupportsStandalone is true as well.
func (*namespaces) SupportsStandalone(context.Context) (bool, error) { return true, nil }

// Recover has nothing to take up: a namespace is there as long as its processes.
func (n *namespaces) Recover(context.Context, []*slave.ContainerState, []*mesosv1.ContainerID) error {
	if !n.mounts.IsBound() {
		return errors.New("namespaces/pid needs the mount namespaces of filesystem/linux: name both in --isolation")
	}
	return nil
}

// Prepare asks for a new namespace or the parent's, with a /proc that shows it.
func (n *namespaces) Prepare(_ context.Context, id *mesosv1.ContainerID, config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error) {
	var shared *bool // nil: it is left to us
	if info := config.GetContainerInfo().GetLinuxInfo(); info != nil {
		shared = info.SharePidNamespace
	}
	launch := &slave.ContainerLaunchInfo{}
	switch {
	case config.GetContainerClass() == slave.ContainerClass_DEBUG: // with the parent's /proc
		return &slave.ContainerLaunchInfo{EnterNamespaces: []int32{unix.CLONE_NEWPID}}, nil
	case id.GetParent() != nil && (shared == nil || *shared):
		launch.EnterNamespaces = []int32{unix.CLONE_NEWPID}
	case id.GetParent() == nil && shared != nil && *shared && n.disallow:
		return nil, errors.New("the container asks to share the agent's pid namespace, which --disallow_sharing_agent_pid_namespace forbids")
	case id.GetParent() == nil && shared != nil && *shared:
		return nil, nil
	default:
		launch.CloneNamespaces = []int32{unix.CLONE_NEWPID}
	}
	if config.GetContainerInfo().GetMesos().GetImage() == nil { // with an image, filesystem/linux mounts it
		launch.Mounts = []*slave.ContainerMountInfo{{
			Target: proto.String("/proc"), Type: proto.String("proc"),
			Flags: proto.Uint32(unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC),
		}}
	}
	return launch, nil
}

// Cleanup has nothing to undo.
func (*namespaces) Cleanup(context.Context, *mesosv1.ContainerID) error { return nil }
