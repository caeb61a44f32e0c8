// Command wrong does not compile: the instances are not of the role's type.
package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

type nothing struct{}

var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{Name: "org_example_wrong", New: newTestModule},
	facade.Module[calculator.Calculator]{Name: "org_example_nothing",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return nothing{}, nil
		}},
}}

func newTestModule(context.Context, facade.Host, facade.Parameters) (testmodule.TestModule, error) {
	return nil, nil
}

func main() {}
