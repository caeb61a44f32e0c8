// Package containerizer is the role Containerizer: modules that make, hold, watch
// and end the processes of containers.
package containerizer

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/facade/mesos/v1/agent"
)

// Containerizer runs containers. What limits and measures them, fetches their files
// and finds a place for their output is done around it by the agent, with isolators,
// the fetcher and container loggers, so that these serve every containerizer.
//
// Who calls. The agent. Recover once before any other; then for each container
// Supports, Launch, Watch, Start, any number of the others, Destroy, End and, if it is
// nested, Remove. A launch can end after any of these, and always with Destroy and
// End. Calls for different containers come from any number of goroutines at once. For
// one container, Supports, Launch, Watch, Start, Destroy, End and Remove come one at a
// time; Update, Usage, Status, Kill and the attachments may come at any time between
// Launch and End. A call about a container that the module does not know is an error,
// but for Kill, Destroy, End and Remove, which have nothing to do then.
//
// A ContainerID with a parent is a nested container: its parent lives when it is
// launched, and it is destroyed before its parent is.
//
// A cancelled ctx means that the container is to be destroyed, or that the answer is
// not wanted any more. When the agent stops, its containers go on: the next agent's
// module recovers them. Close of the module lets go of them in the same way.
//
// Messages and slices belong to the receiver; nobody changes them any more.
type Containerizer interface {
	// Recover is called when the agent starts, with the containers that it has
	// written down. The answer names those of them that the module knows, and its
	// nested ones, as checkpointed_container_states, parents first, whether they live
	// or have ended meanwhile: Watch follows for each and tells which. As
	// orphan_container_ids it names whatever else it finds, nested ones before their
	// parents: Destroy and End follow for each. Ids that the module does not know are
	// not its own and no error. An error keeps the agent from starting.
	Recover(ctx context.Context, states []*slave.ContainerState) (*slave.ContainerRecoverInfo, error)

	// Supports says whether the module can run the container. Of several
	// containerizers, the first that can is taken. It answers quickly and changes
	// nothing.
	Supports(ctx context.Context, container *mesosv1.ContainerID, config *slave.ContainerConfig) (bool, error)

	// Launch makes the container's first process and holds it before it runs
	// anything of the container. It returns the process that everything in the
	// container will descend from. launch is the whole of what isolators and agent
	// want: command, environment, user, working directory and the rest; files are
	// what the container logger wants. A held process ends by itself when the agent
	// ends.
	Launch(ctx context.Context, container *mesosv1.ContainerID, config *slave.ContainerConfig,
		launch *slave.ContainerLaunchInfo, files *slave.ContainerIO) (pid int32, err error)

	// Watch names the receiver of the container's end and returns at once. It is
	// called once, after Launch or Recover. When no process of the container is left,
	// sink is called once, from any goroutine, with what is known: the status as wait
	// gives it, if there is one. Sink does not block. When ctx ends sink is called
	// no more.
	Watch(ctx context.Context, container *mesosv1.ContainerID, sink func(termination *slave.ContainerTermination)) error

	// Start lets the held process go on. That a command cannot be run shows as its
	// end, with a word of why in its output.
	Start(ctx context.Context, container *mesosv1.ContainerID) error

	// Update is called when what the container may use has changed; see the role
	// Isolator.
	//
	//mms:since 1.12.0
	//mms:default
	Update(ctx context.Context, container *mesosv1.ContainerID, requests []*mesosv1.Resource,
		limits *mesosv1.OfferFilters_ResourceQuantities) error

	// Usage returns what the module itself knows of the container's use; nil if
	// nothing. Isolators' answers are merged over it.
	//
	//mms:since 1.12.0
	//mms:default nil
	Usage(ctx context.Context, container *mesosv1.ContainerID) (*mesosv1.ResourceStatistics, error)

	// Status returns what the module itself knows of the container: its first
	// process, as a rule. Merged like Usage.
	//
	//mms:since 1.12.0
	//mms:default nil
	Status(ctx context.Context, container *mesosv1.ContainerID) (*mesosv1.ContainerStatus, error)

	// Kill sends a signal to the process that the container's command became, and
	// says whether there was one.
	Kill(ctx context.Context, container *mesosv1.ContainerID, signal int32) (bool, error)

	// Destroy ends all processes of the container and returns when none is left;
	// the sink of Watch has been called by then. After an error it is called again.
	Destroy(ctx context.Context, container *mesosv1.ContainerID) error

	// End is called when a container has ended and everything about it has been
	// cleaned up. Of a nested one the module keeps the termination for Watch of the
	// next agent, until Remove or the end of its parent; everything else it forgets.
	End(ctx context.Context, container *mesosv1.ContainerID, termination *slave.ContainerTermination) error

	// Remove forgets a nested container that has ended.
	//
	//mms:since 1.12.0
	//mms:default
	Remove(ctx context.Context, container *mesosv1.ContainerID) error

	// AttachInput hands one record, data or a change of the terminal's size, to a
	// container with a terminal or of the class DEBUG. It returns when the record is
	// on its way, so that a container that does not read slows down who writes.
	// Empty data is the end of the input. Records come one at a time.
	AttachInput(ctx context.Context, container *mesosv1.ContainerID, record *agent.ProcessIO) error

	// AttachOutput names a receiver of the output of a container with a terminal or
	// of the class DEBUG, and returns when it is attached. Sink is called in order,
	// one call at a time, and may wait; a receiver that waits for long may be
	// dropped. The last call has nil: nothing follows. When ctx ends sink is called
	// no more.
	AttachOutput(ctx context.Context, container *mesosv1.ContainerID, sink func(record *agent.ProcessIO)) error

	// PruneImages deletes the images that no container uses, but for those excluded.
	//
	//mms:since 1.12.0
	//mms:default
	PruneImages(ctx context.Context, excluded []*mesosv1.Image) error
}
