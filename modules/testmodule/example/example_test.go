package example_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/testmodule/example"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func create(ctx context.Context, p facade.Parameters) (testmodule.TestModule, error) {
	instance, err := example.Library.Modules[0].Declare().New(ctx, nil, p)
	if err != nil {
		return nil, err
	}
	return instance.(testmodule.TestModule), nil
}

func Example() {
	ctx := context.Background()
	module, _ := create(ctx, facade.Parameters{{Key: "operation", Value: "sum"}})
	foo, _ := module.Foo(ctx, 'A', 1024)
	bar, _ := module.Bar(ctx, 0.5, 10.8)
	baz, _ := module.Baz(ctx, 5, 10)
	fmt.Println(foo, bar, baz)
	// Output: 1089 5 15
}

func TestParameters(t *testing.T) {
	for _, c := range []struct {
		about      string
		parameters facade.Parameters
		baz        int32
		shown      []string
		problem    string
	}{
		{about: "none: baz is without an operation", baz: -1, shown: []string{}},
		{about: "a key that it does not know is kept", parameters: facade.Parameters{{Key: "X", Value: "sum"}}, baz: -1, shown: []string{"X=sum"}},
		{about: "an empty key is kept", parameters: facade.Parameters{{Key: "", Value: "sum"}}, baz: -1, shown: []string{"=sum"}},
		{about: "the operation sum", parameters: facade.Parameters{{Key: "operation", Value: "sum"}}, baz: 15, shown: []string{"operation=sum"}},
		{about: "another operation", parameters: facade.Parameters{{Key: "operation", Value: "X"}},
			problem: `parameter "operation" is "X", and only "sum" is known`},
		{about: "an operation without a value", parameters: facade.Parameters{{Key: "operation"}},
			problem: `parameter "operation" is "", and only "sum" is known`},
	} {
		t.Run(c.about, func(t *testing.T) {
			module, err := create(t.Context(), c.parameters)
			if c.problem != "" {
				require.EqualError(t, err, c.problem)
				return
			}
			require.NoError(t, err)
			baz, err := module.Baz(t.Context(), 5, 10)
			require.NoError(t, err)
			assert.Equal(t, c.baz, baz)
			shown, err := module.Parameters(t.Context())
			require.NoError(t, err)
			assert.Equal(t, c.shown, shown)
		})
	}
}

func TestConformance(t *testing.T) { moduletest.Conformance(t, example.Library, example.Name) }
