// Package qoscontroller is the role QoSController: modules that end best-effort work
// which disturbs the rest.
package qoscontroller

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// QoSController looks at what an agent runs and says what has to go.
//
// Who calls. The agent, again as soon as the last answer is worked off, but not more
// often than --qos_correction_interval_min. One call at a time.
type QoSController interface {
	// Corrections returns what is to be done, given what all executors use now. It
	// may wait until there is something to say. Its ctx ends when the daemon stops.
	// An error is reported, and the agent asks again.
	Corrections(ctx context.Context, usage *mesosv1.ResourceUsage) ([]*slave.QoSCorrection, error)
}
