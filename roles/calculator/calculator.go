// Package calculator is the role Calculator: the example of the design document
// that the module system was built from, and the smallest role there is.
package calculator

import "context"

// Calculator computes one number from two.
//
// The daemon calls it when its /calculators endpoint is asked, from as many
// goroutines as there are requests: implementations are safe for concurrent use.
// A cancelled ctx means that nobody waits for the answer any more; returning
// early with ctx.Err() is welcome and not required.
type Calculator interface {
	// Compute returns what the module makes of a and b; the example adds them.
	Compute(ctx context.Context, a byte, b int64) (int32, error)
}
