// Package authenticator is the role Authenticator: modules that find out who an
// agent or a framework is.
//
// The interface is provisional until the master that calls it is there.
package authenticator

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/handshake"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Authenticator is the master's side of the handshake with agents and frameworks.
// In Apache Mesos the module sends and receives the messages itself; here the
// master does, and the module says what is in them.
//
// Who calls. The master: Initialize once, before all else, then for each peer
// that wants in Start, Step as long as the answer is CONTINUE, and End at last.
// The calls of one session come one at a time and in this order, those of
// different sessions from any number of goroutines at once.
//
// A call may ask elsewhere and wait for it. Its ctx ends when the time for the
// whole handshake is over, when the peer begins anew, or when the daemon stops;
// it has to return then.
//
// An error is a failure of the module, not of the peer: the peer is told and
// tries again. Credentials and data are secret: they belong in no error and no
// log.
type Authenticator interface {
	// Initialize brings the credentials the operator has configured, nil if
	// none. If it fails and authentication is required, the daemon does not
	// start; if it is not required, nobody is authenticated.
	//
	//mms:optional credentials
	Initialize(ctx context.Context, credentials *mesosv1.Credentials) error

	// Mechanisms returns the names of the mechanisms peers may choose from,
	// best first, for example CRAM-MD5. It is called for each session, before
	// Start.
	Mechanisms(ctx context.Context) ([]string, error)

	// Start opens a session with the mechanism and the first data of a peer.
	// The session's name is unique for the life of the daemon; peer is the
	// address the peer gives for itself, and proves nothing.
	Start(ctx context.Context, session, peer, mechanism string, data []byte) (*handshake.Answer, error)

	// Step continues a session with the peer's answer to the data before.
	Step(ctx context.Context, session string, data []byte) (*handshake.Answer, error)

	// End closes a session, whatever became of it; also one whose Start failed
	// and one whose peer has not come back. What the module keeps for it is
	// dropped. Its ctx is not the one that ended the handshake.
	End(ctx context.Context, session string) error
}
