// Package authenticatee is the role Authenticatee: modules that prove to the
// master who the agent is.
//
// The interface is provisional until the agent that calls it is there.
package authenticatee

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Authenticatee is the agent's side of one handshake with the master. In Apache
// Mesos the module sends and receives the messages itself; here the agent does,
// and the module says what is in them.
//
// Who calls. The agent, if it has a credential. An instance serves one attempt:
// Start once, then Step for each message of the master's, one call at a time,
// then the instance is closed. Whether the attempt succeeded the master says,
// not the module: refused, the agent exits; failed, it tries again later with
// another instance.
//
// A call may ask elsewhere and wait for it. Its ctx ends when the attempt's time
// is over, when another master leads, or when the daemon stops; it has to return
// then.
//
// An error ends the attempt. Credentials and data are secret: they belong in no
// error and no log.
type Authenticatee interface {
	// Start chooses one of the mechanisms the master has named, and says what
	// comes first. It is nil if the module knows none of them, which ends the
	// attempt. Master and client are the addresses of both sides.
	Start(ctx context.Context, master, client string, credential *mesosv1.Credential,
		mechanisms []string) (*handshake.Start, error)

	// Step answers the master's data.
	Step(ctx context.Context, data []byte) ([]byte, error)
}
