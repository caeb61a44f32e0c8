package builtin_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/builtin"
	"github.com/mesos-modules/mms/roles/calculator"
)

type adder struct{}

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(int64(a) + b), nil
}

func module(name string) facade.Declared {
	return facade.Module[calculator.Calculator]{
		Name: name,
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		},
	}
}

func TestLibrary(t *testing.T) {
	t.Run("a module of any of the libraries can be made", func(t *testing.T) {
		l := builtin.New("mesos-master",
			facade.Library{Modules: []facade.Declared{module("a")}},
			facade.Library{Modules: []facade.Declared{module("b")}})
		assert.Equal(t, "mesos-master", l.Name())
		for _, name := range []string{"a", "b"} {
			i, err := l.Create(t.Context(), name, nil, nil)
			require.NoError(t, err)
			assert.IsType(t, adder{}, i.Value)
		}
		assert.False(t, l.Unloads())
	})

	t.Run("no library is an empty library", func(t *testing.T) {
		d := builtin.New("x").Description()
		assert.Equal(t, "builtin", d.Vehicle)
		assert.True(t, d.Complete)
		assert.Empty(t, d.Modules)
		assert.Equal(t, facade.MesosVersion, d.MesosVersion)
	})

	t.Run("libraries of different versions say so by module", func(t *testing.T) {
		d := builtin.New("x",
			facade.Library{MesosVersion: "1.11.0", Modules: []facade.Declared{module("a")}},
			facade.Library{MesosVersion: "1.12.0", MMSVersion: 2, Modules: []facade.Declared{module("b")}},
		).Description()
		assert.Equal(t, "1.11.0", d.MesosVersion)
		assert.Equal(t, "1", d.MMSVersion)
		require.Len(t, d.Modules, 2)
		assert.Empty(t, d.Modules[0].MesosVersion)
		assert.Equal(t, "1.12.0", d.Modules[1].MesosVersion)
		assert.Equal(t, "2", d.Modules[1].MMSVersion)
	})

	t.Run("a name in two libraries is held against the second", func(t *testing.T) {
		d := builtin.New("x",
			facade.Library{Modules: []facade.Declared{module("a")}},
			facade.Library{Modules: []facade.Declared{module("a")}}).Description()
		require.Len(t, d.Modules, 2)
		assert.Empty(t, d.Modules[0].Flaws)
		assert.Equal(t, []string{`another library in the binary declares the name "a" as well`}, d.Modules[1].Flaws)
	})

	for _, c := range []struct{ a, b, want string }{
		{"", "", ""}, {"1.2.0", "", "1.2.0"}, {"", "1.2.0", "1.2.0"},
		{"1.10.0", "1.9.0", "1.10.0"}, {"1.9.0", "1.10.0", "1.10.0"},
		{"soon", "1.9.0", "soon"}, {"1.9.0", "soon", "soon"},
	} {
		t.Run(fmt.Sprintf("of the minimum versions %q and %q, %q holds", c.a, c.b, c.want), func(t *testing.T) {
			d := builtin.New("x", facade.Library{MinMesos: c.a}, facade.Library{MinMesos: c.b}).Description()
			assert.Equal(t, c.want, d.MinMesos)
		})
	}
}

func Example() {
	l := builtin.New("mesos-master", facade.Library{Modules: []facade.Declared{module("org_example_adder")}})
	for _, m := range l.Description().Modules {
		fmt.Println(l.Name(), "carries", m.Name, "for the role", m.Role)
	}
	// Output: mesos-master carries org_example_adder for the role Calculator
}
