// Command prints is a library that writes to its standard streams.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

func main() {
	fmt.Println("this is standard output")
	serve.Main(facade.Library{Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_calculator",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				fmt.Fprintln(os.Stderr, "this is standard error")
				return adder{}, nil
			},
		},
	}})
}
