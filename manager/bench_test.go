package manager_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

type plain struct{}

func (plain) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

// BenchmarkBuiltin1000 takes 1 000 builtin modules, each of which requires the one
// before it by tens, from load to bind and back.
func BenchmarkBuiltin1000(b *testing.B) {
	var declared []facade.Declared
	var names []string
	for i := range 1000 {
		m := facade.Module[calculator.Calculator]{Name: fmt.Sprintf("org_example_calculator_%04d", i), Version: "1.0.0",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return plain{}, nil
			}}
		if i >= 10 {
			m.Requires = []facade.Requirement{{Module: fmt.Sprintf("org_example_calculator_%04d", i-10), Version: ">=1"}}
		}
		declared, names = append(declared, m), append(names, m.Name)
	}
	library := testharness.Library(declared...)
	for b.Loop() {
		m, err := manager.New(manager.Config{Daemon: roles.Slave, WorkDir: "/", Builtin: []facade.Library{library}, Bindings: calculators(names...)})
		require.NoError(b, err)
		require.NoError(b, m.Start(b.Context()))
		require.NoError(b, m.Close())
	}
}
