// Package mastercontender is the role MasterContender: modules with which a master
// runs for leadership.
package mastercontender

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/leadership"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// MasterContender makes a master one of those of which one leads. Who that is, a
// MasterDetector tells, of the same kind.
//
// Who calls. The master: Initialize once, then Contend, again after a candidacy was
// lost. One call at a time.
type MasterContender interface {
	// Initialize says who contends.
	Initialize(ctx context.Context, self *mesosv1.MasterInfo) error

	// Contend enters a candidacy and returns at once; one that is there already is
	// withdrawn. Sink hears when it is entered, and once when it is over: lost or
	// failed. Sink is called from any goroutine, one call at a time, and does not
	// block. When ctx ends, the candidacy is withdrawn and sink called no more.
	Contend(ctx context.Context, sink func(candidacy *leadership.Candidacy)) error
}
