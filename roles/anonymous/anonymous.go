// Package anonymous is the role Anonymous: modules that no part of Mesos calls,
// which are there for what they do by themselves.
package anonymous

import "context"

// Anonymous runs beside the daemon. Every loaded module of this role is made and
// run; no flag names it.
type Anonymous interface {
	// Run is called once, on a goroutine of its own, when all modules are
	// bound. It may return at once, with the work done or going on elsewhere,
	// or stay until ctx ends, which is when teardown begins; it then has the
	// module's drain limit to return. An error is reported and ends nothing
	// but the module.
	//
	// Upstream's Anonymous has no method: what it did in its constructor it
	// may still do there.
	//
	//mms:since 1.12.0
	//mms:default
	//mms:lasting
	Run(ctx context.Context) error
}
