// Package cgroups is what the isolators of control groups have in common: which
// containers they have a part in, and where the groups of these are. What an isolator
// limits, measures and watches is its [Controller].
package cgroups

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// RootModule is the module that makes and removes the groups.
const RootModule = "org_apache_mesos_CgroupsRoot"

// Root is what that module hands over. All methods may be called from any goroutine;
// calls of one container but Place come one at a time for each holder.
type Root interface {
	// Provide makes controllers ready for use. The error says what is missing, and what
	// can be done.
	Provide(controllers ...string) error

	// Unified says whether the groups are of version 2; after Provide.
	Unified() bool

	// Top returns the folder of the group of all containers; after Provide.
	Top(controller string) string

	// Recover takes the groups of the containers known, where there are any, for the
	// holder, and removes all groups of others.
	Recover(ctx context.Context, holder string, known []*mesosv1.ContainerID) error

	// Take makes the group of a container, unless another holder has.
	Take(ctx context.Context, holder string, container *mesosv1.ContainerID) error

	// Folder returns where a controller's files of a container are; empty if it has no
	// group of its own there.
	Folder(container *mesosv1.ContainerID, controller string) string

	// Place puts a process in the group of its container, or of the nearest parent that
	// has one. Done twice is done once.
	Place(ctx context.Context, container *mesosv1.ContainerID, pid int32) error

	// Release lets go of a container's group. The last holder's release kills what is
	// in it and removes it.
	Release(ctx context.Context, holder string, container *mesosv1.ContainerID) error
}

// Requires is the requirement of that module.
func Requires() []facade.Requirement {
	return []facade.Requirement{{Module: RootModule, Version: ">=1.0 <2"}}
}
