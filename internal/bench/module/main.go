// Command module is the library in an executable that runs in a process of its own. Copies of it differ in the names of
// their modules, which are written into the file.
package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/manager/vehicle/process/serve"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/secretresolver"
)

// Variables, so that the compiler does not decide about them.
var (
	adds     = "org_example_copy_000"
	resolves = "org_example_echo_000"
	requires = "org_example_base_000"
	none     = "org_example_base_000"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

type echoer struct{}

func (echoer) Resolve(_ context.Context, secret *mesosv1.Secret) (*mesosv1.Secret_Value, error) {
	return secret.GetValue(), nil
}

func main() {
	adding := facade.Module[calculator.Calculator]{
		Name: adds, Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	}
	if requires != none {
		adding.Requires = []facade.Requirement{{Module: requires, Version: ">=1"}}
	}
	serve.Main(facade.Library{Modules: []facade.Declared{adding, facade.Module[secretresolver.SecretResolver]{
		Name: resolves, Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (secretresolver.SecretResolver, error) {
			return echoer{}, nil
		},
	}}})
}
