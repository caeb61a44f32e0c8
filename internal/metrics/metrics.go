// Package metrics counts what a daemon's module system does and exposes it to
// Prometheus, together with what modules measure themselves.
//
// Each daemon has a [Registry] of its own; nothing is registered globally. The
// numbers come from lifecycle events, so whatever publishes an event is counted
// and nothing else has to know of this package.
package metrics

import (
	"net/http"
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"

	"github.com/mesos-modules/mms/lifecycle"
)

// Registry holds the measures of one daemon. All methods may be called from any
// goroutine.
type Registry struct {
	registry *prometheus.Registry

	steps    *prometheus.CounterVec
	duration *prometheus.HistogramVec
	phases   *prometheus.GaugeVec
	panics   *prometheus.CounterVec
	findings *prometheus.CounterVec
	modules  *moduleMeasures
	processes

	mu      sync.Mutex
	outcome map[step]string // of steps that panicked or were abandoned, until they end
}

// step names a step that is under way.
type step struct {
	phase                 lifecycle.Phase
	module, library, name string
}

// New returns a registry that also tells about the process and the Go runtime.
// refused, which may be nil, is told of measures that a module cannot have.
func New(refused Refused) *Registry {
	r := &Registry{
		registry: prometheus.NewRegistry(),
		steps: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_steps_total", Help: "Steps of modules and libraries that ended, by outcome: ok, failed, panicked, abandoned.",
		}, []string{"phase", "step", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "mms_step_duration_seconds", Help: "How long steps of modules and libraries took.",
			Buckets: []float64{.0001, .001, .01, .1, 1, 10, 60},
		}, []string{"phase", "step"}),
		phases: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mms_phase_duration_seconds", Help: "How long each phase took the last time.",
		}, []string{"phase"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_call_panics_total", Help: "Calls of the daemon in which a module panicked.",
		}, []string{"module"}),
		findings: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_findings_total", Help: "What verification held against modules and libraries, by rule.",
		}, []string{"rule"}),
		modules:   newModuleMeasures(refused),
		processes: newProcesses(),
		outcome:   map[step]string{},
	}
	r.registry.MustRegister(r.steps, r.duration, r.phases, r.panics, r.findings, r.modules, r.lost, r.restarts, r.up, r.moduleRestarts, r.moduleUp,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// Observe counts an event; it is a [lifecycle.Observer].
func (r *Registry) Observe(e lifecycle.Event) {
	switch e := e.(type) {
	case lifecycle.StepPanicked:
		r.ended(stepOf(e.Header, e.Step), "panicked")
	case lifecycle.StepAbandoned:
		r.ended(stepOf(e.Header, e.Step), "abandoned")
	case lifecycle.StepEnded:
		r.processes.observe(e)
		r.steps.WithLabelValues(e.Phase.String(), e.Step, r.outcomeOf(e)).Inc()
		r.duration.WithLabelValues(e.Phase.String(), e.Step).Observe(e.Duration.Seconds())
	case lifecycle.PhaseEnded:
		r.phases.WithLabelValues(e.Phase.String()).Set(e.Duration.Seconds())
	case lifecycle.CallPanicked:
		r.panics.WithLabelValues(e.Module).Inc()
	case lifecycle.FindingReported:
		r.findings.WithLabelValues(e.Rule).Inc()
	default:
		r.processes.observe(e)
	}
}

func stepOf(h lifecycle.Header, name string) step { return step{h.Phase, h.Module, h.Library, name} }

// ended keeps how a step ended until the event that closes it.
func (r *Registry) ended(s step, how string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.outcome[s] = how
}

func (r *Registry) outcomeOf(e lifecycle.StepEnded) string {
	s := stepOf(e.Header, e.Step)
	r.mu.Lock()
	how := r.outcome[s]
	delete(r.outcome, s)
	r.mu.Unlock()
	switch {
	case how != "":
		return how
	case e.Err != "":
		return "failed"
	default:
		return "ok"
	}
}

// CountModules exposes how many modules have come through each phase, as
// mms_modules. phases is called at each scrape and returns the phase of every
// module. It may be called once.
func (r *Registry) CountModules(phases func() []lifecycle.Phase) {
	r.registry.MustRegister(census{phases})
}

// census counts modules by phase when it is asked.
type census struct{ phases func() []lifecycle.Phase }

var modulesByPhase = prometheus.NewDesc("mms_modules", "Loaded modules by the last phase they came through.", []string{"phase"}, nil)

// Describe implements prometheus.Collector.
func (census) Describe(to chan<- *prometheus.Desc) { to <- modulesByPhase }

// Collect implements prometheus.Collector.
func (c census) Collect(to chan<- prometheus.Metric) {
	count := map[lifecycle.Phase]int{}
	for _, p := range c.phases() {
		count[p]++
	}
	for _, p := range lifecycle.Phases() {
		to <- prometheus.MustNewConstMetric(modulesByPhase, prometheus.GaugeValue, float64(count[p]), p.String())
	}
}

// Handler answers scrapes in the text format. It is not promhttp's, which links a
// compressor into the daemon, and with it into the contract with every Go plugin.
func (r *Registry) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		families, err := r.registry.Gather()
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		format := expfmt.NewFormat(expfmt.TypeTextPlain)
		w.Header().Set("Content-Type", string(format))
		encoder := expfmt.NewEncoder(w, format)
		for _, f := range families {
			if encoder.Encode(f) != nil {
				return // the reader has gone
			}
		}
	})
}
