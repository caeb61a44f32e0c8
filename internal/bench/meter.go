package main

import (
	"errors"
	"flag"
	"fmt"
	"slices"
	"testing"
	"time"
)

// meter measures things in turns, A B A B, so that what else happens on the machine hits all of them alike.
type meter struct {
	rounds int
	each   time.Duration // how long one measurement lasts
}

// finer is for what takes nanoseconds: so much shorter turns, and so many more of them, fall between the
// interruptions by others.
const finer = 5

func (m meter) fine() meter { return meter{rounds: m.rounds * finer, each: m.each / finer} }

// subject is one thing to measure. run is a benchmark; what it returns ends the measurement.
type subject struct {
	name   string
	run    func(*testing.B) error
	rounds int // at most; 0 means as many as the others
}

// figure is what came of a subject: one value per round.
type figure struct {
	name   string
	unit   unit
	values []float64 // nanoseconds per operation, or bytes
	allocs int64     // per operation, the most of all rounds
}

// interleave measures the subjects in turns and returns one figure for each.
func (m meter) interleave(subjects ...subject) ([]figure, error) {
	// The package testing takes it from its flag only.
	if err := flag.Set("test.benchtime", m.each.String()); err != nil {
		return nil, err
	}
	figures := make([]figure, len(subjects))
	for i, s := range subjects {
		figures[i] = figure{name: s.name, unit: duration}
	}
	for round := range m.rounds {
		for i, s := range subjects {
			if s.rounds > 0 && round >= s.rounds {
				continue
			}
			value, allocs, err := measure(s)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", s.name, err)
			}
			figures[i].values = append(figures[i].values, value)
			figures[i].allocs = max(figures[i].allocs, allocs)
		}
	}
	return figures, nil
}

var errNothing = errors.New("the benchmark measured nothing")

// measure runs one subject once. A metric that the benchmark reports as its ns/op, because it measures only a part of
// what it does, is taken in place of the whole.
func measure(s subject) (nanoseconds float64, allocs int64, err error) {
	r := testing.Benchmark(func(b *testing.B) {
		b.ReportAllocs()
		if err = s.run(b); err != nil {
			b.FailNow()
		}
	})
	switch {
	case err != nil:
		return 0, 0, err
	case r.N == 0:
		return 0, 0, errNothing
	}
	if own, ok := r.Extra["ns/op"]; ok {
		return own, r.AllocsPerOp(), nil
	}
	return float64(r.T.Nanoseconds()) / float64(r.N), r.AllocsPerOp(), nil
}

func (f figure) median() float64 {
	sorted := slices.Sorted(slices.Values(f.values))
	n := len(sorted)
	if n == 0 {
		return 0
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

func (f figure) min() float64 { return slices.Min(f.values) }
func (f figure) max() float64 { return slices.Max(f.values) }

// sum adds figures that were measured in the same rounds, and a constant.
func sum(name string, constant float64, figures ...figure) figure {
	total := figure{name: name, unit: figures[0].unit}
	for i := range figures[0].values {
		value := constant
		for _, f := range figures {
			value += f.values[i]
		}
		total.values = append(total.values, value)
	}
	return total
}
