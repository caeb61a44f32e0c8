package example_test

import (
	"context"
	"fmt"
	"math"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/modules/calculator/example"
	"github.com/mesos-modules/mms/roles/calculator"
)

// The design document's own call: 'A' is 65.
func Example() {
	module := example.Library.Modules[0].Declare()
	instance, _ := module.New(context.Background(), nil, nil)
	n, _ := instance.(calculator.Calculator).Compute(context.Background(), 'A', 10)
	fmt.Println(module.Name, n)
	// Output: org_apache_mesos_ExampleCalculator 75
}

func TestCompute(t *testing.T) {
	instance, err := example.Library.Modules[0].Declare().New(t.Context(), nil, nil)
	require.NoError(t, err)
	adder := instance.(calculator.Calculator)
	for _, c := range []struct {
		about string
		a     byte
		b     int64
		sum   int32
		fits  bool
	}{
		{"the smallest", 0, math.MinInt32, math.MinInt32, true},
		{"the largest", 1, math.MaxInt32 - 1, math.MaxInt32, true},
		{"one below what fits", 0, math.MinInt32 - 1, 0, false},
		{"one above what fits", 1, math.MaxInt32, 0, false},
		{"no wrap around of 64 bits", 255, math.MaxInt64, 0, false},
	} {
		t.Run(c.about, func(t *testing.T) {
			sum, err := adder.Compute(t.Context(), c.a, c.b)
			assert.Equal(t, c.sum, sum)
			assert.Equal(t, c.fits, err == nil)
			if !c.fits {
				assert.ErrorContains(t, err, "does not fit into 32 bits")
			}
		})
	}
}

func TestConformance(t *testing.T) { moduletest.Conformance(t, example.Library, example.Name) }
