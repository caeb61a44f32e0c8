package main

import (
	"context"

	"google.golang.org/protobuf/proto"

	"github.com/mesos-modules/mms/facade"
	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
	"github.com/mesos-modules/mms/roles/hook"
)

// decoration are the parameters of the decorator.
type decoration struct {
	Greeting string `mms:"greeting" default:"Hello from a module" doc:"what every executor finds in its environment"`
}

func newDecorator(_ context.Context, _ facade.Host, p facade.Parameters) (hook.Hook, error) {
	d, err := facade.Decode[decoration](p)
	if err != nil {
		return nil, err
	}
	return decorator{greeting: d.Greeting}, nil
}

// decorator has what it does not change from the role's Unimplemented.
type decorator struct {
	hook.Unimplemented

	greeting string
}

// SlaveExecutorEnvironmentDecorator adds the greeting to what is there.
func (d decorator) SlaveExecutorEnvironmentDecorator(_ context.Context, executor *mesosv1.ExecutorInfo) (*mesosv1.Environment, error) {
	variables := executor.GetCommand().GetEnvironment().GetVariables()
	greeting := &mesosv1.Environment_Variable{Name: proto.String("GREETING"), Value: proto.String(d.greeting)}
	return &mesosv1.Environment{Variables: append(variables[:len(variables):len(variables)], greeting)}, nil
}
