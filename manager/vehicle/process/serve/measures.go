package serve

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle/process/protocol"
)

// pace is how often the daemon is told of measures that keep changing.
const pace = 50 * time.Millisecond

// measures carries the measures of one instance to the daemon. Who changes one never
// waits: what many changes come to is told at once.
type measures struct {
	send func(context.Context, []protocol.Measurement) error

	mu      sync.Mutex
	all     map[key]*measure
	changed []*measure
	running bool

	sending sync.Mutex // held while the daemon is told, so that a gauge does not go back
}

var _ facade.Metrics = (*measures)(nil)

type key struct {
	name  string
	gauge bool
}

func newMeasures(send func(context.Context, []protocol.Measurement) error) *measures {
	return &measures{send: send, all: map[key]*measure{}}
}

// Counter implements facade.Metrics.
func (m *measures) Counter(name, help string) facade.Counter {
	return counter{m.get(key{name, false}, help)}
}

// Gauge implements facade.Metrics.
func (m *measures) Gauge(name, help string) facade.Gauge { return gauge{m.get(key{name, true}, help)} }

// get returns the measure of this name, the same for the same question. One that there
// is no room for works, and nobody is told of it.
func (m *measures) get(k key, help string) *measure {
	m.mu.Lock()
	defer m.mu.Unlock()
	if known := m.all[k]; known != nil {
		return known
	}
	fresh := &measure{key: k, help: protocol.Cut(help, protocol.MaxHelp)}
	if len(m.all) < protocol.MaxMeasures {
		fresh.told = m
		m.all[k] = fresh
	}
	return fresh
}

// wake sees to it that the daemon is told of a measure that has changed.
func (m *measures) wake(x *measure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.changed = append(m.changed, x)
	if !m.running {
		m.running = true
		go m.forward()
	}
}

// forward runs while measures change.
func (m *measures) forward() {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), askLimit)
		m.flush(ctx)
		cancel()
		time.Sleep(pace)
		m.mu.Lock()
		if len(m.changed) == 0 {
			m.running = false
			m.mu.Unlock()
			return
		}
		m.mu.Unlock()
	}
}

// flush tells the daemon what has changed until now.
func (m *measures) flush(ctx context.Context) {
	m.sending.Lock()
	defer m.sending.Unlock()
	m.mu.Lock()
	changed := m.changed
	m.changed = nil
	m.mu.Unlock()
	if len(changed) == 0 {
		return
	}
	news := make([]protocol.Measurement, 0, len(changed))
	for _, x := range changed {
		news = append(news, x.news())
	}
	if m.send(ctx, news) != nil {
		for i, x := range changed { // it is told with what comes next, if anything does
			x.untold(news[i].Value)
		}
	}
}

// measure is a number that several goroutines change.
type measure struct {
	key
	help    string
	told    *measures // nil: nobody is
	bits    atomic.Uint64
	waiting atomic.Bool // among those that the daemon is going to be told of
}

func (x *measure) changed() {
	if x.told != nil && x.waiting.CompareAndSwap(false, true) {
		x.told.wake(x)
	}
}

func (x *measure) add(n float64) {
	for {
		old := x.bits.Load()
		sum := min(math.Float64frombits(old)+n, math.MaxFloat64) // infinity cannot be carried
		if x.bits.CompareAndSwap(old, math.Float64bits(sum)) {
			return
		}
	}
}

// news is what a counter was raised by, or what a gauge stands at. A change after this
// is told the next time.
func (x *measure) news() protocol.Measurement {
	x.waiting.Store(false)
	told := protocol.Measurement{Name: x.name, Help: x.help, Gauge: x.gauge}
	if x.gauge {
		told.Value = math.Float64frombits(x.bits.Load())
	} else {
		told.Value = math.Float64frombits(x.bits.Swap(0))
	}
	return told
}

func (x *measure) untold(n float64) {
	if !x.gauge {
		x.add(n)
	}
}

type counter struct{ *measure }

// Add implements facade.Counter. What is no number, or would make it go down, is ignored.
func (c counter) Add(n float64) {
	if n > 0 && !math.IsInf(n, 0) {
		c.add(n)
		c.changed()
	}
}

type gauge struct{ *measure }

// Set implements facade.Gauge. What is no number is ignored: it cannot be carried.
func (g gauge) Set(v float64) {
	if !math.IsNaN(v) && !math.IsInf(v, 0) {
		g.bits.Store(math.Float64bits(v))
		g.changed()
	}
}
