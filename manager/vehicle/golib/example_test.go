package golib_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/roles/calculator"
)

func Example() {
	library := facade.Library{MesosVersion: "1.12.0", Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_adder", Version: "1.2.0",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return adder{}, nil
			},
		},
	}}
	for _, m := range golib.Describe("builtin", library).Modules {
		fmt.Println(m.Name, m.Role, m.Version)
	}

	open := golib.Open(library)
	instance, err := open.Create(context.Background(), "org_example_adder", nil, nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(instance.Value.(calculator.Calculator).Compute(context.Background(), 'A', 10))
	// Output:
	// org_example_adder Calculator 1.2.0
	// 75 <nil>
}
