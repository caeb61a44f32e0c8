// Package example is the TestModule that upstream's module tests use, with its
// meaning: it refuses every parameter "operation" but "sum".
package example

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/testmodule"
)

// Name is what manifests call the module, as upstream does.
const Name = "org_apache_mesos_TestModule"

// Library holds the module. It declares no schema: upstream takes any key.
var Library = facade.Library{Modules: []facade.Declared{
	facade.Module[testmodule.TestModule]{
		Name: Name, Version: "1.0.0",
		Author: "Apache Mesos", Email: "modules@mesos.apache.org",
		Description: "This is a test module.",
		Compatible:  func(context.Context, facade.View) error { return nil },
		New:         newModule,
	},
}}

func newModule(_ context.Context, _ facade.Host, p facade.Parameters) (testmodule.TestModule, error) {
	operation, given := p.Get("operation")
	if given && operation != sum {
		return nil, fmt.Errorf("parameter \"operation\" is %q, and only %q is known", operation, sum)
	}
	return &module{sums: given, parameters: p}, nil
}

// sum is the one operation there is.
const sum = "sum"

// module is read only, so any number of goroutines may use it.
type module struct {
	sums       bool
	parameters facade.Parameters
}

var _ testmodule.TestModule = (*module)(nil)

func (*module) Foo(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func (*module) Bar(_ context.Context, a float32, b float64) (int32, error) {
	return int32(float64(a) * b), nil
}

func (m *module) Baz(_ context.Context, a, b int32) (int32, error) {
	if !m.sums {
		return -1, nil
	}
	return a + b, nil
}

func (m *module) Parameters(context.Context) ([]string, error) {
	all := make([]string, len(m.parameters))
	for i, p := range m.parameters {
		all[i] = p.Key + "=" + p.Value
	}
	return all, nil
}
