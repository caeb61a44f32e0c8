package registry

import (
	"math"
	"slices"
	"sync"
	"time"
)

// Measure is a number for /metrics/snapshot.
type Measure struct {
	Name  string
	Value float64
}

// Of the writes of a day at most so many are remembered, the last ones.
const (
	window  = 24 * time.Hour
	samples = 1000
)

// timings are how long reading and writing took, and how large the registry is.
type timings struct {
	now func() time.Time

	mu      sync.Mutex
	known   bool // bytes is
	bytes   int64
	fetches int
	fetch   time.Duration // the last one
	last    time.Duration // of stores
	stores  []sample      // in order of time
	begun   bool          // there was a store
}

type sample struct {
	at   time.Time
	took time.Duration
}

func (m *timings) size(bytes int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.known, m.bytes = true, bytes
}

func (m *timings) fetched(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fetches++
	m.fetch = took
}

func (m *timings) stored(took time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.begun, m.last = true, took
	m.stores = append(m.stores, sample{m.now(), took})
	if len(m.stores) > samples {
		m.stores = slices.Delete(m.stores, 0, len(m.stores)-samples)
	}
}

// Measures are the registrar's numbers under Mesos' names, in order of the names. One
// that is not known yet is left out, percentiles while there are less than two writes
// of the last day.
func (r *Registrar) Measures() []Measure {
	all := []Measure{{"registrar/queued_operations", float64(r.queued.Load())}}
	m := &r.measures
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.known {
		all = append(all, Measure{"registrar/registry_size_bytes", float64(m.bytes)})
	}
	if m.fetches > 0 {
		all = append(all, Measure{"registrar/state_fetch_ms", milliseconds(m.fetch)})
	}
	if m.begun {
		all = append(all, Measure{"registrar/state_store_ms", milliseconds(m.last)})
		all = append(all, m.percentiles("registrar/state_store_ms")...)
	}
	return all
}

func (m *timings) percentiles(name string) []Measure {
	recent := m.now().Add(-window)
	var took []float64
	for _, s := range m.stores {
		if s.at.After(recent) {
			took = append(took, milliseconds(s.took))
		}
	}
	if len(took) < 2 {
		return nil
	}
	slices.Sort(took)
	at := func(p float64) float64 { // between two samples, in proportion
		position := p * float64(len(took)-1)
		below := int(math.Floor(position))
		if below+1 >= len(took) {
			return took[len(took)-1]
		}
		return took[below] + (position-float64(below))*(took[below+1]-took[below])
	}
	return []Measure{
		{name + "/count", float64(len(took))},
		{name + "/max", took[len(took)-1]},
		{name + "/min", took[0]},
		{name + "/p50", at(0.5)},
		{name + "/p90", at(0.9)},
		{name + "/p95", at(0.95)},
		{name + "/p99", at(0.99)},
		{name + "/p999", at(0.999)},
		{name + "/p9999", at(0.9999)},
	}
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
