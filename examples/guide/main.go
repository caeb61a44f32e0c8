// Command guide is a Go plugin with the two modules of the seed's documents: the
// Calculator of the design document and the HelloWorld of the module guide. The
// folders c and cpp have the same two in C and C++.
//
//	go build -buildmode=plugin -o libguide.so ./examples/guide
package main

import (
	"context"
	"fmt"
	"math"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// Library is what a daemon looks for.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: "org_example_calculator", Version: "1.0.0",
		Description: "Adds two numbers.",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	},
	facade.Module[testmodule.TestModule]{
		Name: "org_example_hello", Version: "1.0.0",
		Description: "This is a test module.",
		New: func(context.Context, facade.Host, facade.Parameters) (testmodule.TestModule, error) {
			fmt.Println("HelloWorld!")
			return hello{}, nil
		},
	},
}}

type adder struct{ calculator.Unimplemented }

// Compute adds, and says when the sum does not fit.
func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	if b < math.MinInt32 || b > math.MaxInt32-int64(a) {
		return 0, fmt.Errorf("%d + %d does not fit into 32 bits", a, b)
	}
	return int32(int64(a) + b), nil
}

// hello has baz and parameters from the role's Unimplemented.
type hello struct{ testmodule.Unimplemented }

// Foo adds.
func (hello) Foo(_ context.Context, a byte, b int64) (int32, error) { return int32(int64(a) + b), nil }

// Bar multiplies.
func (hello) Bar(_ context.Context, a float32, b float64) (int32, error) {
	product := float64(a) * b
	if !(product > math.MinInt32-1 && product < math.MaxInt32+1) {
		return 0, fmt.Errorf("%g * %g does not fit into 32 bits", a, b)
	}
	return int32(product), nil
}

func main() {} // a plugin has one, which nobody calls
