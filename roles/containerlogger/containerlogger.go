// Package containerlogger is the role ContainerLogger: modules that say where the
// output of containers goes.
package containerlogger

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// ContainerLogger takes the output of containers.
//
// Who calls. The agent, once for each container that it launches, after the
// isolators have prepared it and before its process exists. Each containerizer has an
// instance of its own. Calls for different containers come from any number of
// goroutines at once.
//
// Messages belong to the receiver; nobody changes them any more.
type ContainerLogger interface {
	// Prepare makes ready what the container writes to and returns it. The
	// files belong to the container's user, if config names one, and lie where the
	// agent's disk use is watched: below the directory of config, as a rule. An
	// error fails the launch. A path may be that of a named pipe, for a logger that
	// does something with the output: it is opened once, and its reader has to be
	// there when Prepare returns. A cancelled ctx means that the container is not wanted
	// any more; there is no other call about it, so what the call has made
	// outside the container's directory it takes back itself.
	Prepare(ctx context.Context, container *mesosv1.ContainerID,
		config *slave.ContainerConfig) (*slave.ContainerIO, error)
}
