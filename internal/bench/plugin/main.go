// Command plugin is the Go plugin whose calls are measured.
package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

// Library is what the vehicle looks for.
var Library = facade.Library{Modules: []facade.Declared{facade.Module[calculator.Calculator]{
	Name: "org_example_plugin_adder", Version: "1.0.0",
	New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
		return &adder{}, nil
	},
}}}

type adder struct{}

//go:noinline
func (*adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func main() {}
