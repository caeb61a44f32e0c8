package testmodule_test

import (
	"context"
	"fmt"

	"github.com/mesos-modules/mms/roles/testmodule"
)

// hello has the methods of the module guide's HelloWorld; what the role got later
// is answered by Unimplemented.
type hello struct{ testmodule.Unimplemented }

func (hello) Foo(_ context.Context, a byte, b int64) (int32, error) { return int32(int64(a) + b), nil }

func (hello) Bar(_ context.Context, a float32, b float64) (int32, error) {
	return int32(float64(a) * b), nil
}

func Example() {
	ctx := context.Background()
	var m testmodule.TestModule = hello{}
	foo, _ := m.Foo(ctx, 'A', 1024)
	bar, _ := m.Bar(ctx, 0.5, 10.8)
	baz, _ := m.Baz(ctx, 5, 10)
	fmt.Println(foo, bar, baz)
	// Output: 1089 5 -1
}
