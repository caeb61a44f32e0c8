package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/internal/bench/object"
)

func TestChoose(t *testing.T) {
	t.Run("takes all topics when none is named", func(t *testing.T) {
		chosen, err := choose(topics(), "")
		require.NoError(t, err)
		assert.Equal(t, names(topics()), names(chosen))
	})
	t.Run("keeps the order of the topics", func(t *testing.T) {
		chosen, err := choose(topics(), "plan,handle")
		require.NoError(t, err)
		assert.Equal(t, []string{"handle", "plan"}, names(chosen))
	})
	t.Run("names what there is instead of what is not there", func(t *testing.T) {
		_, err := choose(topics(), "plan,memry")
		assert.EqualError(t, err, `there is nothing called "memry" to measure; there are: handle, native, plan, builtin, libraries, metadata, memory, process`)
	})
}

func TestRunRefusesToMeasureNothing(t *testing.T) {
	for _, args := range [][]string{{"-rounds", "0"}, {"-time", "0s"}} {
		assert.ErrorContains(t, run(t.Context(), args), "measure nothing")
	}
}

// TestSubjects runs the subjects that need nothing to be built, and asserts no time.
func TestSubjects(t *testing.T) {
	small := newShape(50, 100)
	inside, err := builtinCalculator(t.Context())
	require.NoError(t, err)
	bound, err := bind(inside)
	require.NoError(t, err)
	for _, s := range []subject{
		{name: "bare call", run: calls(inside)},
		{name: "two atomic adds", run: twoAdds},
		{name: "handle", run: calls(bound)},
		{name: "two goroutines", run: twoGoroutines(callsIn(bound))},
		{name: "adds of two goroutines", run: twoGoroutines(addsIn())},
		{name: "bare cgo call", run: bareCgo},
		{name: "plan", run: small.solve},
		{name: "containerd", run: small.containerd},
		{name: "stable sort", run: small.stableSort},
		{name: "thousand modules", run: manyModules},
		{name: "thousand constructors", run: manyConstructors},
	} {
		t.Run(s.name, func(t *testing.T) {
			figures, err := meter{rounds: 1, each: time.Nanosecond}.interleave(s)
			require.NoError(t, err)
			assert.Positive(t, figures[0].median())
		})
	}
}

func TestShapeIsTheSameEveryTime(t *testing.T) {
	a, b := newShape(100, 300), newShape(100, 300)
	assert.Equal(t, a, b)
	edges := 0
	for _, m := range a.Modules {
		edges += len(m.Edges)
		for _, e := range m.Edges {
			assert.Equal(t, depgraph.RequiresModule, e.Kind)
			assert.NotEmpty(t, e.Constraint)
		}
	}
	assert.Len(t, a.Modules, 100)
	assert.Equal(t, 300, edges)
}

func TestBareCallIsACallOfTheObject(t *testing.T) {
	assert.Equal(t, int32(75), object.Bare(object.Function(), 'A', 10))
}

func TestNamesOfCopiesFitIntoTheTemplate(t *testing.T) {
	assert.Equal(t, template, copyName(0))
	assert.Len(t, copyName(copies-1), len(template))
}
