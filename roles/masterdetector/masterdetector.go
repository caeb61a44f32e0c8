// Package masterdetector is the role MasterDetector: modules that tell which master
// leads.
package masterdetector

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// MasterDetector watches who leads, for masters and agents.
//
// Who calls. The daemon, once.
type MasterDetector interface {
	// Detect returns at once. Sink hears who leads, as soon as it is known that
	// somebody or nobody does, and each time it changes; after a failure it hears
	// nothing more. Self is the master that asks, nil on an agent. Sink is called
	// from any goroutine, one call at a time, and does not block. When ctx ends,
	// sink is called no more.
	Detect(ctx context.Context, self *mesosv1.MasterInfo, sink func(now *leadership.Leadership)) error
}
