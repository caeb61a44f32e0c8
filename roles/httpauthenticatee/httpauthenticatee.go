// Package httpauthenticatee is the role HttpAuthenticatee: modules that prove to an
// HTTP server who its client is.
package httpauthenticatee

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/httpauth"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// HttpAuthenticatee is the client's side of HTTP authentication. No daemon has a
// site for it: programs that speak to daemons use it.
//
// Who calls. The client, before each request it sends, those included that go where
// a redirect points, from any number of goroutines at once. An instance serves one
// client and, as long as it is not reset, one credential.
//
// A call may ask elsewhere and wait for it. Its ctx is that of the request. An error
// ends the request, which is not sent. Credentials, and the headers made of them, are
// secret: they belong in no error and no log.
type HttpAuthenticatee interface {
	// Scheme is the scheme as it stands in Authorization, for example Basic.
	Scheme(ctx context.Context) (string, error)

	// Authenticate returns the headers that are to be set on a request, in place of
	// what it has under these names. The credential is nil if the client has none.
	Authenticate(ctx context.Context, request *httpauth.Request, credential *mesosv1.Credential) ([]*httpauth.Header, error)

	// Reset drops what is kept of earlier requests, such as a token. The client
	// calls it when a server does not accept what it was sent.
	Reset(ctx context.Context) error
}
