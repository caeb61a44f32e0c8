package conformance_test

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
)

// notTestModule is an interface that is no role.
type notTestModule interface{ Foo() }

type notTested struct{}

func (notTested) Foo() {}

func newNotTestModule(context.Context, facade.Host, facade.Parameters) (notTestModule, error) {
	return notTested{}, nil
}

func newHook(context.Context, facade.Host, facade.Parameters) (hook.Hook, error) {
	return hook.Unimplemented{}, nil
}

// adder is the design document's Calculator.
type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) { return int32(int64(a) + b), nil }

func newAdder(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
	return adder{}, nil
}
