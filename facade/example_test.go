package facade_test

import (
	"context"
	"fmt"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

// A library with one module, as a Go plugin exports it.
func ExampleLibrary() {
	library := facade.Library{Modules: []facade.Declared{
		facade.Module[calculator.Calculator]{
			Name: "org_example_adder", Version: "1.0.0",
			Requires: []facade.Requirement{{Module: "org_example_base", Version: ">=1.1 <2"}},
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return &adder{}, nil
			},
		},
	}}
	for _, m := range library.Modules {
		d := m.Declare()
		fmt.Println(d.Name, d.Version, d.Role, d.Requires[0].Module)
	}
	// Output: org_example_adder 1.0.0 calculator.Calculator org_example_base
}

// Parameters are declared once, by a struct: decoding, defaults and secrecy come
// from it.
func ExampleDecode() {
	type config struct {
		Interval time.Duration `mms:"interval" default:"5secs" doc:"how often"`
		Token    facade.Secret `mms:"token,required"`
	}
	c, err := facade.Decode[config](facade.Parameters{{Key: "token", Value: "hunter2"}})
	fmt.Println(c.Interval, c.Token, err)

	_, err = facade.Decode[config](facade.Parameters{{Key: "intervall", Value: "5s"}})
	fmt.Println(err)
	// Output:
	// 5s <secret> <nil>
	// there is no parameter "intervall"; the module knows interval, token
	// parameter "token" is required (secret)
}
