package process_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestExecutable(t *testing.T) {
	x := newFixture()
	m, d, err := x.tryLaunch(t, build(t, "hello"), vehicle.Confinement{})
	require.NoError(t, err, x.said)

	t.Run("it says what it is", func(t *testing.T) {
		assert.Equal(t, vehicle.Process, d.Vehicle)
		assert.True(t, d.Complete)
		assert.Equal(t, "1.12.0", d.MesosVersion)
		require.Len(t, d.Modules, 1)
		assert.Equal(t, "org_example_calculator", d.Modules[0].Name)
		assert.Positive(t, m.PID())
		assert.Nil(t, m.Cause())
	})
	t.Run("an instance answers calls", func(t *testing.T) {
		n, err := create[calculator.Calculator](t, m, "org_example_calculator", &daemon{}).Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.Equal(t, int32(75), n)
	})
	t.Run("it closes", func(t *testing.T) {
		require.NoError(t, m.Close())
		<-m.Gone()
		assert.Equal(t, vehicle.EndClosed, m.Cause().End)
		require.NoError(t, m.Close(), "twice")
		assert.True(t, m.Unloads())
	})
}
