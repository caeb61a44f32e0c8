// Package resourceestimator is the role ResourceEstimator: modules that estimate
// what of an agent can be lent out.
package resourceestimator

import (
	"context"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// ResourceEstimator looks at what an agent uses and says what it could use besides.
//
// Who calls. The agent, every --oversubscribed_resources_interval. One call at a
// time.
type ResourceEstimator interface {
	// Oversubscribable returns the resources that can be lent to best-effort work,
	// given what all executors use now; they have to be revocable. What it returned
	// before is forgotten. Its ctx ends when the daemon stops. An error is reported
	// and changes nothing.
	Oversubscribable(ctx context.Context, usage *mesosv1.ResourceUsage) ([]*mesosv1.Resource, error)
}
