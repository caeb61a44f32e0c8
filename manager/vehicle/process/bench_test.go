package process_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// BenchmarkStart starts the smallest library and makes the first call of its module: from
// a file that has been recognised to a result.
func BenchmarkStart(b *testing.B) {
	x := newFixture()
	f := look(b, build(b, "hello"))
	d, _, err := x.Recognise(f)
	require.NoError(b, err)
	for b.Loop() {
		m, _, err := x.Launch(b.Context(), f, d, vehicle.Confinement{})
		require.NoError(b, err)
		i, err := m.Create(b.Context(), module, &daemon{}, nil)
		require.NoError(b, err)
		_, err = i.Value.(calculator.Calculator).Compute(b.Context(), 'A', 10)
		require.NoError(b, err)
		b.StopTimer()
		require.NoError(b, m.Close())
		b.StartTimer()
	}
}

// BenchmarkRecognise looks for the mark in a program.
func BenchmarkRecognise(b *testing.B) {
	x := newFixture()
	f := look(b, build(b, "hello"))
	b.SetBytes(f.Size)
	for b.Loop() {
		_, ok, err := x.Recognise(f)
		require.NoError(b, err)
		require.True(b, ok)
	}
}

// BenchmarkCall is a small call of a module in a process.
func BenchmarkCall(b *testing.B) {
	c := create[calculator.Calculator](b, newFixture().launch(b, build(b, "hello")), module, &daemon{})
	for b.Loop() {
		if _, err := c.Compute(b.Context(), 'A', 10); err != nil {
			b.Fatal(err)
		}
	}
}
