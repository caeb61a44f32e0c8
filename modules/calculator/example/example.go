// Package example is the Calculator of the design document, compiled into the
// daemons: it adds.
package example

import (
	"context"
	"fmt"
	"math"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

// Name is what manifests and flags call the module.
const Name = "org_apache_mesos_ExampleCalculator"

// Library holds the module.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "Adds two numbers.",
		Parameters:  facade.SchemaOf[struct{}](),
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	},
}}

// adder has no state, so any number of goroutines may use it.
type adder struct{}

var _ calculator.Calculator = adder{}

// Compute returns the sum, or says that it does not fit.
func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	if b > math.MaxInt32-int64(a) || b < math.MinInt32 {
		return 0, fmt.Errorf("%d + %d does not fit into 32 bits", a, b)
	}
	return int32(int64(a) + b), nil
}
