package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/mesos-modules/mms/lifecycle"
)

// processes are the measures of libraries that run in processes of their own, and of
// the modules that are lost with them.
type processes struct {
	lost, restarts, moduleRestarts *prometheus.CounterVec
	up, moduleUp                   *prometheus.GaugeVec
}

func newProcesses() processes {
	return processes{
		lost: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_process_lost_total", Help: "Processes of libraries that ended without being asked to, by how: exited, signaled, memory, hung, disorder, unknown.",
		}, []string{"library", "end"}),
		restarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_process_restarts_total", Help: "Attempts to start the process of a library again, by outcome: ok, failed.",
		}, []string{"library", "outcome"}),
		up: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mms_process_up", Help: "Whether the process of a library is there: 1, or 0.",
		}, []string{"library"}),
		moduleRestarts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "mms_module_restarts_total", Help: "How often the instances of a module were there again after they were lost with a process.",
		}, []string{"module"}),
		moduleUp: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "mms_module_up", Help: "Whether the instances of a module that was ever lost with a process are there: 1, or 0.",
		}, []string{"module"}),
	}
}

func (p processes) observe(e lifecycle.Event) {
	switch e := e.(type) {
	case lifecycle.StepEnded:
		if e.Step == "launch" && e.Err == "" {
			p.up.WithLabelValues(e.Library).Set(1)
		}
		if e.Phase == lifecycle.Teardown && e.Step == "close" && e.Module == "" {
			p.up.DeleteLabelValues(e.Library)
		}
	case lifecycle.ProcessLost:
		p.lost.WithLabelValues(e.Library, e.End).Inc()
		p.up.WithLabelValues(e.Library).Set(0)
	case lifecycle.ProcessRestarted:
		p.restarts.WithLabelValues(e.Library, "ok").Inc()
		p.up.WithLabelValues(e.Library).Set(1)
	case lifecycle.RestartFailed:
		p.restarts.WithLabelValues(e.Library, "failed").Inc()
	case lifecycle.ModuleLost:
		p.moduleUp.WithLabelValues(e.Module).Set(0)
	case lifecycle.ModuleRestarted:
		p.moduleRestarts.WithLabelValues(e.Module).Inc()
		p.moduleUp.WithLabelValues(e.Module).Set(1)
	}
}
