// Command plugin is the Go plugin that the tests load.
package main

import (
	"context"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles/allocator"
	"github.com/mesos-modules/mms/roles/authenticatee"
	"github.com/mesos-modules/mms/roles/authenticator"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/hook"
)

var Library = facade.Library{Modules: []facade.Declared{
	example.Library.Modules[0],
	declare[hook.Hook]("org_apache_mesos_TestHook", hook.Unimplemented{}),
	declare[allocator.Allocator]("module1", allocate{}),
	declare[authenticatee.Authenticatee]("module2", authenticates{}),
	declare[authenticator.Authenticator]("module3", authenticated{}),
	declare[calculator.Calculator]("org_example_plugged", adder{}),
}}

func declare[T any](name string, instance T) facade.Module[T] {
	return facade.Module[T]{Name: name, Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (T, error) { return instance, nil }}
}

// These are bound and never called.
type (
	allocate      struct{ allocator.Allocator }
	authenticates struct{ authenticatee.Authenticatee }
	authenticated struct{ authenticator.Authenticator }
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func main() {}
