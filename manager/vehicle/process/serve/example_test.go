package serve_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

var library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: "org_example_calculator",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	},
}}

// All that is in the main of a program that is a library.
func ExampleMain() {
	serve.Main(library)
}

// A daemon's main begins with this. It goes on if it was started as a daemon.
func ExampleIsolated() {
	if serve.Isolated() {
		return
	}
	fmt.Println("a daemon")
	// Output: a daemon
}
