package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{
		Name: "org_example_adder",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	},
}}
