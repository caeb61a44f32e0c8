// Package authorizer is the role Authorizer: modules that say who may do what.
package authorizer

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/authorization"
)

// Authorizer decides about requests. A master and an agent have at most one; where
// there is none, everything is allowed.
//
// Who calls. The daemon that has bound it, for what clients ask of it, from any
// number of goroutines at once.
//
// A call may ask elsewhere and wait for it: what it decides about waits, and nothing
// else. Its ctx ends when the client has gone or the daemon stops.
//
// Messages and slices belong to the receiver; nobody changes them any more.
type Authorizer interface {
	// Authorize decides about several requests, which usually differ in their
	// objects only: the answer has one value for each, in their order. A request
	// without a subject comes from nobody known; one without an object asks whether
	// the subject may do such a thing at all. An error forbids all of them.
	Authorize(ctx context.Context, requests []*authorization.Request) ([]bool, error)
}
