package metrics

import (
	"cmp"
	"fmt"
	"math"
	"regexp"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/mesos-modules/mms/facade"
)

// Refused is told why a module's measure is not exposed.
type Refused func(module string, err error)

// maxMeasures bounds how many measures one module exposes.
const maxMeasures = 1000

// Module returns what one module registers its measures with. They are exposed as
// mesos_module_NAME, with the module as a label. The facade lets nothing fail
// here: a measure that cannot be exposed (a name that is no snake_case, or is a
// gauge of one module and a counter of another) works, is not exposed, and is
// told to the registry's Refused, once.
func (r *Registry) Module(name string) facade.Metrics { return &moduleMetrics{name, r.modules} }

type moduleMetrics struct {
	module string
	all    *moduleMeasures
}

func (m *moduleMetrics) Counter(name, help string) facade.Counter {
	return counter{m.all.get(m.module, name, help, prometheus.CounterValue)}
}

func (m *moduleMetrics) Gauge(name, help string) facade.Gauge {
	return gauge{m.all.get(m.module, name, help, prometheus.GaugeValue)}
}

// measure is a number that several goroutines change.
type measure struct{ bits atomic.Uint64 }

func (m *measure) set(v float64) { m.bits.Store(math.Float64bits(v)) }
func (m *measure) get() float64  { return math.Float64frombits(m.bits.Load()) }

func (m *measure) add(n float64) {
	for {
		old := m.bits.Load()
		if m.bits.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+n)) {
			return
		}
	}
}

type counter struct{ *measure }

// Add ignores what would make a counter go down.
func (c counter) Add(n float64) {
	if n > 0 {
		c.add(n)
	}
}

type gauge struct{ *measure }

func (g gauge) Set(v float64) { g.set(v) }

// moduleMeasures are the measures of all modules. It is a collector of its own
// and not made of the client library's vectors, because those panic where
// registration fails, and modules choose the names.
type moduleMeasures struct {
	refused Refused

	mu       sync.Mutex
	families map[string]*family
	kept     map[string]int // measures by module
	hidden   map[key]*measure
}

// family is all measures of one name.
type family struct {
	help     string
	kind     prometheus.ValueType
	byModule map[string]*measure
}

// key names a measure that is not exposed.
type key struct {
	module, name string
	kind         prometheus.ValueType
}

func newModuleMeasures(refused Refused) *moduleMeasures {
	if refused == nil {
		refused = func(string, error) {}
	}
	return &moduleMeasures{refused: refused, families: map[string]*family{}, kept: map[string]int{}, hidden: map[key]*measure{}}
}

// get returns the measure of this name, the same for the same question.
func (a *moduleMeasures) get(module, name, help string, kind prometheus.ValueType) *measure {
	m, err := a.find(module, name, help, kind)
	if err != nil { // told without the lock held
		a.refused(module, err)
	}
	return m
}

func (a *moduleMeasures) find(module, name, help string, kind prometheus.ValueType) (*measure, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	f := a.families[name]
	if f != nil && f.kind == kind && f.byModule[module] != nil {
		return f.byModule[module], nil
	}
	k := key{module, name, kind}
	if m := a.hidden[k]; m != nil {
		return m, nil
	}
	m := &measure{}
	if err := a.objection(f, k); err != nil {
		if len(a.hidden) < maxMeasures {
			a.hidden[k] = m
		}
		return m, err
	}
	if f == nil {
		f = &family{help: help, kind: kind, byModule: map[string]*measure{}}
		a.families[name] = f
	}
	f.byModule[module] = m
	a.kept[module]++
	return m, nil
}

var measureName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,99}$`)

// objection says why a measure cannot be exposed.
func (a *moduleMeasures) objection(f *family, k key) error {
	switch {
	case !measureName.MatchString(k.name):
		return fmt.Errorf("measure %.100q is not exposed: its name is not snake_case", k.name)
	case f != nil && f.kind != k.kind:
		return fmt.Errorf("measure %s is not exposed: it is a %s here, and there is a %s of this name", k.name, word(k.kind), word(f.kind))
	case a.kept[k.module] >= maxMeasures:
		return fmt.Errorf("measure %s is not exposed: the module has %d measures already", k.name, maxMeasures)
	default:
		return nil
	}
}

func word(kind prometheus.ValueType) string {
	if kind == prometheus.CounterValue {
		return "counter"
	}
	return "gauge"
}

// Describe implements prometheus.Collector. Sending nothing says that the measures
// are not known beforehand.
func (a *moduleMeasures) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (a *moduleMeasures) Collect(to chan<- prometheus.Metric) {
	for _, m := range a.read() {
		to <- m
	}
}

// read makes the metrics while the lock is held, and hands them over without it.
func (a *moduleMeasures) read() []prometheus.Metric {
	a.mu.Lock()
	defer a.mu.Unlock()
	var all []prometheus.Metric
	for _, name := range sortedKeys(a.families) {
		f := a.families[name]
		desc := prometheus.NewDesc("mesos_module_"+name, f.help, []string{"module"}, nil)
		for _, module := range sortedKeys(f.byModule) {
			m, err := prometheus.NewConstMetric(desc, f.kind, f.byModule[module].get(), module)
			if err != nil {
				m = prometheus.NewInvalidMetric(desc, err)
			}
			all = append(all, m)
		}
	}
	return all
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	keys := make([]K, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
