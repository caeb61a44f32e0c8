// Package testmodule is the role TestModule, the one that upstream's own module
// tests use and the module guide shows.
package testmodule

import "context"

// TestModule exercises what a role can do.
//
// Tests and the daemons' /test_module endpoint call it, from any number of
// goroutines. A cancelled ctx means that nobody waits for the answer.
type TestModule interface {
	// Foo returns the sum of a and b.
	Foo(ctx context.Context, a byte, b int64) (int32, error)

	// Bar returns the product of a and b, truncated.
	Bar(ctx context.Context, a float32, b float64) (int32, error)

	// Baz returns the sum of a and b if the module's parameter "operation" is
	// "sum", and -1 otherwise. The module guide's HelloWorld is older than it.
	//
	//mms:since 1.12.0
	//mms:default -1
	Baz(ctx context.Context, a, b int32) (int32, error)

	// Parameters returns the parameters the instance was made with, each as
	// key=value, in their order.
	//
	//mms:since 1.12.0
	//mms:default nil
	Parameters(ctx context.Context) ([]string, error)
}
