// Package secretresolver is the role SecretResolver: modules that turn references to
// secrets into values.
package secretresolver

import (
	"context"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// SecretResolver knows where secrets are kept.
//
// Who calls. The agent and its isolators, for secrets in the environment, volumes
// and image registries of containers, and on either daemon modules that require the
// role, for keys of their own; from any number of goroutines at once.
//
// A call may ask elsewhere and wait for it. Its ctx ends when the container is to be
// destroyed, when nobody waits any more, or when the daemon stops.
type SecretResolver interface {
	// Resolve returns the value of a secret. An error fails the launch. Values
	// belong in no error and no log.
	Resolve(ctx context.Context, secret *mesosv1.Secret) (*mesosv1.Secret_Value, error)
}
