// Package diskprofileadaptor is the role DiskProfileAdaptor: modules that translate
// disk profiles for storage providers.
package diskprofileadaptor

import (
	"context"

	"github.com/mesos-modules/mms/facade/mesos/slave"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// DiskProfileAdaptor knows the profiles under which operators offer disks.
//
// Who calls. The resource providers of an agent, from any number of goroutines at
// once.
type DiskProfileAdaptor interface {
	// Translate says what a profile means to a provider. An error means that the
	// provider cannot make disks of the profile.
	Translate(ctx context.Context, profile string, provider *mesosv1.ResourceProviderInfo) (*slave.DiskProfile, error)

	// Watch returns at once. Sink hears the names of the profiles that a provider
	// can have, as soon as they differ from the known ones and each time they
	// change. Sink is called from any goroutine, one call at a time, and does not
	// block. When ctx ends, sink is called no more.
	Watch(ctx context.Context, known []string, provider *mesosv1.ResourceProviderInfo, sink func(profiles []string)) error
}
