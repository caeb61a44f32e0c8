package main

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestInterleave(t *testing.T) {
	m := meter{rounds: 3, each: time.Microsecond}

	t.Run("takes the subjects in turns, each as often as it wants", func(t *testing.T) {
		var turns []string
		note := func(name string) func(*testing.B) error {
			return func(b *testing.B) error {
				turns = append(turns, name)
				for b.Loop() {
				}
				return nil
			}
		}
		figures, err := m.interleave(subject{name: "a", run: note("a")}, subject{name: "b", run: note("b"), rounds: 2})
		require.NoError(t, err)
		assert.Equal(t, []string{"a", "b", "a", "b", "a"}, turns)
		assert.Equal(t, "a", figures[0].name)
		assert.Len(t, figures[0].values, 3)
		assert.Len(t, figures[1].values, 2)
	})

	t.Run("counts allocations", func(t *testing.T) {
		var kept []byte
		figures, err := m.interleave(subject{name: "a", run: func(b *testing.B) error {
			for b.Loop() {
				kept = make([]byte, 1<<10)
			}
			return nil
		}})
		require.NoError(t, err)
		assert.Len(t, kept, 1<<10)
		assert.Equal(t, int64(1), figures[0].allocs)
	})

	t.Run("takes the part that a benchmark says it measures", func(t *testing.T) {
		figures, err := m.interleave(subject{name: "a", run: func(b *testing.B) error {
			for b.Loop() {
			}
			b.ReportMetric(75, "ns/op")
			return nil
		}})
		require.NoError(t, err)
		assert.Equal(t, []float64{75, 75, 75}, figures[0].values)
	})

	t.Run("ends at the first error, and names the subject", func(t *testing.T) {
		broken := errors.New("broken")
		_, err := m.interleave(subject{name: "the second", run: func(*testing.B) error { return broken }})
		require.ErrorIs(t, err, broken)
		assert.EqualError(t, err, "the second: broken")
	})
}

func TestFigure(t *testing.T) {
	t.Run("has the middle value, or the middle between two", func(t *testing.T) {
		assert.InDelta(t, 2.0, figure{values: []float64{9, 1, 2}}.median(), 0)
		assert.InDelta(t, 3.0, figure{values: []float64{9, 1, 2, 4}}.median(), 0)
		assert.InDelta(t, 0.0, figure{}.median(), 0)
	})
	t.Run("is added round by round", func(t *testing.T) {
		total := sum("both", 6, figure{values: []float64{1, 2}}, figure{values: []float64{10, 30}})
		assert.Equal(t, figure{name: "both", values: []float64{17, 38}}, total)
	})
	t.Run("keeps its order", func(t *testing.T) {
		f := figure{values: []float64{3, 1, 2}}
		_ = f.median()
		assert.Equal(t, []float64{3, 1, 2}, f.values)
	})
}

func TestFineTurnsTakeTheSameTime(t *testing.T) {
	m := meter{rounds: 9, each: 100 * time.Millisecond}
	assert.Equal(t, meter{rounds: 45, each: 20 * time.Millisecond}, m.fine())
}
