// Command hello is the smallest library in an executable.
package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

func main() {
	serve.Main(facade.Library{Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_calculator", Version: "1.2.0",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return adder{}, nil
			},
		},
	}})
}
