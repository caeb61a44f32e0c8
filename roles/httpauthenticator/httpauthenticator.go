// Package httpauthenticator is the role HttpAuthenticator: modules that find out who
// sent an HTTP request.
package httpauthenticator

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
)

// HttpAuthenticator looks at requests before they are answered.
//
// Who calls. The daemon, for each request to a realm that has to be authenticated,
// from any number of goroutines at once. Each realm has an instance of its own,
// whose parameter authentication_realm names it and whose parameter credentials
// holds the operator's, as a JSON array of principal and secret; a module gets those of
// the two that it declares, and the manifest may say otherwise.
//
// Of several authenticators of a realm the first one that knows a principal wins. If
// none does, the client is told all challenges (401), or else that it is forbidden
// (403). One that fails is passed over.
//
// A call may ask elsewhere and wait for it. Its ctx ends when the client has gone or
// the daemon stops. What stands in requests is secret: it belongs in no error and no
// log.
type HttpAuthenticator interface {
	// Scheme is the scheme as it stands in WWW-Authenticate, for example Basic.
	Scheme(ctx context.Context) (string, error)

	// Authenticate says who sent a request, or what the client has to do to be
	// known, or that it is not let in.
	Authenticate(ctx context.Context, request *httpauth.Request) (*httpauth.Result, error)
}
