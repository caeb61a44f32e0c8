package conformance_test

import (
	"context"
	"os"
	"strconv"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/anonymous"
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

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func newAdder(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
	return adder{}, nil
}

// anonymousVariable is what the anonymous module sets, as upstream's does.
const anonymousVariable = "MMS_CONFORMANCE_ANONYMOUS"

type setter struct{ anonymous.Unimplemented }

func (setter) Close(context.Context) error { return os.Unsetenv(anonymousVariable) }

func newSetter(context.Context, facade.Host, facade.Parameters) (anonymous.Anonymous, error) {
	return setter{}, os.Setenv(anonymousVariable, "42")
}

type reader struct{}

func (reader) Compute(context.Context, byte, int64) (int32, error) {
	n, err := strconv.Atoi(os.Getenv(anonymousVariable))
	return int32(n), err
}

func newReader(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
	return reader{}, nil
}
