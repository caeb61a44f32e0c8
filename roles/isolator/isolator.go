// Package isolator is the role Isolator: modules that limit and measure
// containers.
package isolator

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Isolator has a part in the life of every container of an agent.
//
// Who calls. The agent, around whichever containerizer runs the container.
// SupportsNesting and SupportsStandalone once, then Recover once before any other, then
// for each container Prepare, Watch, Isolate, any number of Update, Usage and Status,
// and Cleanup as the last. For a container that Recover named, Watch is the first. A
// launch can end after any of these. Calls for different containers come from any
// number of goroutines at once; for one container, Usage and Status may come at any time
// between Isolate and Cleanup, all others one at a time.
//
// Of several isolators, Prepare runs in the order of the --isolation flag with
// the built-in ones first, Isolate at once, Cleanup in reverse.
//
// A cancelled ctx means that the container is to be destroyed or the daemon
// stops; Cleanup follows in the first case, after the call has returned. In the
// second the container lives on, and the next agent recovers it.
//
// Messages and slices belong to the receiver; nobody changes them any more. What
// the module keeps on disk belongs in the state folder of its host.
type Isolator interface {
	// SupportsNesting says whether the isolator wants calls for containers
	// within containers.
	//
	//mms:since 1.12.0
	//mms:default false
	SupportsNesting(ctx context.Context) (bool, error)

	// SupportsStandalone says whether the isolator wants calls for containers
	// that belong to no framework.
	//
	//mms:since 1.12.0
	//mms:default false
	SupportsStandalone(ctx context.Context) (bool, error)

	// Recover is called when the agent starts, with the containers that live on
	// and the ids of those that still run and belong to nobody; Cleanup follows
	// for the latter. An error keeps the agent from starting.
	//
	//mms:since 1.12.0
	//mms:default
	Recover(ctx context.Context, states []*slave.ContainerState, orphans []*mesosv1.ContainerID) error

	// Prepare is called before a container's process exists. It returns what
	// is to be done at its launch, or nil. At most one isolator may set each of
	// root file system, user, working directory, capabilities, resource limits
	// of the process and terminal; environment, mounts, commands and
	// namespaces add up. An error fails the launch.
	Prepare(ctx context.Context, container *mesosv1.ContainerID,
		config *slave.ContainerConfig) (*slave.ContainerLaunchInfo, error)

	// Watch names the receiver of the container's limitation and returns at
	// once. When the container breaks a limit, or can no longer be watched,
	// the isolator calls sink once, from any goroutine; the container is then
	// destroyed, and its tasks end with the limitation's reason and message.
	// Sink does not block. When ctx ends, which is at Cleanup at the latest,
	// sink is called no more.
	//
	//mms:since 1.12.0
	//mms:default
	Watch(ctx context.Context, container *mesosv1.ContainerID, sink func(limitation *slave.ContainerLimitation)) error

	// Isolate is called when the process is there and held before its first
	// instruction. An error fails the launch.
	//
	//mms:since 1.12.0
	//mms:default
	Isolate(ctx context.Context, container *mesosv1.ContainerID, pid int32) error

	// Update is called when what the container may use has changed: requests
	// are what it is given, limits by name of the resource what it may not
	// exceed, which can be infinite. After an error the container is
	// destroyed.
	//
	//mms:since 1.12.0
	//mms:default
	Update(ctx context.Context, container *mesosv1.ContainerID, requests []*mesosv1.Resource,
		limits *mesosv1.OfferFilters_ResourceQuantities) error

	// Usage returns what this isolator knows of the container's use; nil if
	// nothing. The answers of all isolators are merged, failed ones left out.
	//
	//mms:since 1.12.0
	//mms:default nil
	Usage(ctx context.Context, container *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error)

	// Status returns what this isolator knows of the container's network and
	// control groups; nil if nothing. Merged like Usage.
	//
	//mms:since 1.12.0
	//mms:default nil
	Status(ctx context.Context, container *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error)

	// Cleanup undoes what was done for a container whose processes have all
	// ended. It is called once, also for containers that this isolator has
	// never seen, for which it does nothing. An error is reported and does not
	// keep the other isolators from their part.
	Cleanup(ctx context.Context, container *mesosv1.ContainerID) error
}
