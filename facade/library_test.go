package facade_test

import (
	"context"
	"fmt"
	"reflect"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

type adder struct{}

func (*adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

func made(instance calculator.Calculator, err error) facade.Declaration {
	return facade.Module[calculator.Calculator]{Name: "m",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return instance, err
		},
	}.Declare()
}

func TestDeclare(t *testing.T) {
	t.Run("takes the role from the type argument", func(t *testing.T) {
		assert.Equal(t, reflect.TypeFor[calculator.Calculator](), made(nil, nil).Role)
		assert.Nil(t, facade.Module[testmodule.TestModule]{Name: "m"}.Declare().New, "no constructor is told as such")
	})
	t.Run("shares nothing with the module", func(t *testing.T) {
		m := facade.Module[calculator.Calculator]{
			Requires:  []facade.Requirement{{Module: "a"}},
			Conflicts: []facade.Conflict{{Module: "b"}},
			After:     []string{"c"},
		}
		d := m.Declare()
		d.Requires[0].Module, d.Conflicts[0].Module, d.After[0] = "x", "x", "x"
		assert.Equal(t, "a", m.Requires[0].Module)
		assert.Equal(t, "b", m.Conflicts[0].Module)
		assert.Equal(t, "c", m.After[0])
	})
	t.Run("makes a constructor that gives an instance or an error, never neither", func(t *testing.T) {
		instance, err := made(&adder{}, nil).New(t.Context(), nil, nil)
		require.NoError(t, err)
		assert.IsType(t, &adder{}, instance)
		_, err = made(nil, nil).New(t.Context(), nil, nil)
		require.ErrorContains(t, err, "nil")
		_, err = made((*adder)(nil), nil).New(t.Context(), nil, nil)
		require.ErrorContains(t, err, "nil *facade_test.adder")
		instance, err = made(&adder{}, errBroken).New(t.Context(), nil, nil)
		require.ErrorIs(t, err, errBroken)
		assert.Nil(t, instance, "what comes with an error is dropped")
	})
}

// handing is a host that hands one calculator in.
type handing struct{ facade.Host }

func (handing) Requirement(name string) (any, bool) { return &adder{}, name == "base" }

func (handing) Requirements(role reflect.Type) []any {
	if role == reflect.TypeFor[calculator.Calculator]() {
		return []any{&adder{}, "something else"}
	}
	return nil
}

// Export exports the same adder.
func (handing) Export(name string) (any, bool) { return &adder{}, name == "base" }

func TestRequiredExport(t *testing.T) {
	got, err := facade.RequiredExport[interface {
		Compute(context.Context, byte, int64) (int32, error)
	}](handing{}, "base")
	require.NoError(t, err)
	sum, err := got.Compute(t.Context(), 'A', 10)
	require.NoError(t, err)
	assert.Equal(t, int32(75), sum)

	_, err = facade.RequiredExport[any](handing{}, "other")
	require.ErrorContains(t, err, `module "other" is not handed in`)
	_, err = facade.RequiredExport[fmt.Stringer](handing{}, "base")
	require.ErrorContains(t, err, "exports a *facade_test.adder, which is not the fmt.Stringer that was asked for")
	_, err = facade.RequiredExport[any](silent{}, "base")
	require.ErrorContains(t, err, "exports nothing")
}

// silent is a host whose modules export nothing.
type silent struct{ handing }

func (silent) Export(string) (any, bool) { return nil, false }

func TestRequired(t *testing.T) {
	got, err := facade.Required[calculator.Calculator](handing{}, "base")
	require.NoError(t, err)
	assert.IsType(t, &adder{}, got)
	_, err = facade.Required[calculator.Calculator](handing{}, "absent")
	require.ErrorContains(t, err, `module "absent" is not handed in`)
	_, err = facade.Required[testmodule.TestModule](handing{}, "base")
	require.ErrorContains(t, err, "*facade_test.adder")
	require.ErrorContains(t, err, "testmodule.TestModule")
	assert.Len(t, facade.RequiredRole[calculator.Calculator](handing{}), 1)
	assert.Empty(t, facade.RequiredRole[testmodule.TestModule](handing{}))
}
