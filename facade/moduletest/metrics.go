package moduletest

import (
	"fmt"
	"regexp"
	"slices"
	"sync"

	"github.com/mesos-modules/mms/facade"
)

// measures keeps what modules measure, and what a daemon would refuse to expose.
type measures struct {
	mu      sync.Mutex
	all     map[measureKey]*measure
	refused []string
}

type measureKey struct{ module, name string }

// measure is one number. Its lock is that of all measures.
type measure struct {
	all   *measures
	kind  string
	value float64
}

func newMeasures() *measures { return &measures{all: map[measureKey]*measure{}} }

// of returns what one module registers its measures with.
func (a *measures) of(module string) facade.Metrics { return moduleMetrics{module, a} }

func (a *measures) value(module, name string) (float64, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	m, ok := a.all[measureKey{module, name}]
	if !ok {
		return 0, false
	}
	return m.value, true
}

func (a *measures) problems() []string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.refused)
}

var measureName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

func (a *measures) get(module, name, kind string) *measure {
	a.mu.Lock()
	defer a.mu.Unlock()
	key := measureKey{module, name}
	if m := a.all[key]; m != nil {
		if m.kind != kind {
			a.refuse("module %s registers the measure %s as a %s and as a %s", module, name, m.kind, kind)
		}
		return m
	}
	if !measureName.MatchString(name) {
		a.refuse("module %s registers a measure %q, whose name is not snake_case", module, name)
	}
	m := &measure{all: a, kind: kind}
	a.all[key] = m
	return m
}

func (a *measures) refuse(format string, args ...any) {
	if text := fmt.Sprintf(format, args...); !slices.Contains(a.refused, text) {
		a.refused = append(a.refused, text)
	}
}

type moduleMetrics struct {
	module string
	all    *measures
}

func (m moduleMetrics) Counter(name, _ string) facade.Counter {
	return m.all.get(m.module, name, "counter")
}

func (m moduleMetrics) Gauge(name, _ string) facade.Gauge { return m.all.get(m.module, name, "gauge") }

// Add implements facade.Counter: it never goes down.
func (m *measure) Add(n float64) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	m.value += max(n, 0)
}

// Set implements facade.Gauge.
func (m *measure) Set(v float64) {
	m.all.mu.Lock()
	defer m.all.mu.Unlock()
	m.value = v
}
