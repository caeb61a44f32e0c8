package daemon

import (
	"slices"
	"sync"
	"time"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/report"
)

// ending keeps from the events how each module ended, in the order of teardown. A
// start that fails tears down too.
type ending struct {
	mu      sync.Mutex
	took    time.Duration
	modules []report.ClosedModule
	bad     bool
}

// observe is a lifecycle.Observer.
func (e *ending) observe(event lifecycle.Event) {
	h := event.Head()
	e.mu.Lock()
	defer e.mu.Unlock()
	if _, abandoned := event.(lifecycle.StepAbandoned); abandoned {
		e.bad = true // in whatever phase: its library stays open
	}
	if h.Phase != lifecycle.Teardown {
		return
	}
	switch event := event.(type) {
	case lifecycle.StepAbandoned:
		e.note(h, event.Step, report.Abandoned, "at the step "+event.Step+": "+event.Cause, 0)
	case lifecycle.StepPanicked:
		e.note(h, event.Step, report.Failed, event.Step+": panicked: "+event.Value, 0)
	case lifecycle.StepEnded:
		outcome, why := report.Closed, ""
		if event.Err != "" {
			outcome, why = report.Failed, event.Step+": "+event.Err
		}
		e.note(h, event.Step, outcome, why, event.Duration)
	case lifecycle.Notice:
		e.remark(h, event.Text)
	case lifecycle.PhaseEnded:
		e.took = event.Duration
	}
}

// remark adds what is worth saying of a module that was closed. e.mu is held.
func (e *ending) remark(h lifecycle.Header, text string) {
	at := slices.IndexFunc(e.modules, func(m report.ClosedModule) bool { return m.Module == h.Module })
	if h.Module == "" {
		return
	}
	if at < 0 {
		e.modules = append(e.modules, report.ClosedModule{Module: h.Module, Outcome: report.Closed})
		at = len(e.modules) - 1
	}
	if e.modules[at].Why == "" {
		e.modules[at].Why = text
	}
}

// note adds a step to what is known of its module: the first thing that went wrong
// stands, and the last closing gives the place. e.mu is held.
func (e *ending) note(h lifecycle.Header, step string, outcome report.Outcome, why string, took time.Duration) {
	e.bad = e.bad || outcome != report.Closed
	if h.Module == "" {
		return // of libraries the manager keeps the books
	}
	at := slices.IndexFunc(e.modules, func(m report.ClosedModule) bool { return m.Module == h.Module })
	if at < 0 {
		e.modules = append(e.modules, report.ClosedModule{Module: h.Module, Outcome: outcome, Why: why, Time: took})
		return
	}
	m := e.modules[at]
	m.Time += took
	if m.Outcome == report.Closed && outcome != report.Closed {
		m.Outcome, m.Why = outcome, why
	}
	if step == "close" {
		e.modules = append(slices.Delete(e.modules, at, at+1), m)
		return
	}
	e.modules[at] = m
}

// failed reports whether anything could not be given back.
func (e *ending) failed() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.bad
}

// report is the report of the teardown.
func (e *ending) report(daemon string, libraries []manager.LibraryStatus) report.Teardown {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := report.Teardown{Daemon: daemon, Took: e.took, Modules: e.modules}
	for _, lib := range libraries {
		if lib.ShipsWithMesos {
			continue // the daemon binary itself
		}
		outcome, why := endOf(lib.Ended)
		r.Libraries = append(r.Libraries, report.ClosedLibrary{Library: lib.Path, Outcome: outcome, Why: why})
	}
	return r
}

// endOf is how a library ended, in the words of the report.
func endOf(e manager.LibraryEnd) (report.Outcome, string) {
	switch e.Outcome {
	case manager.LibraryClosed:
		return report.Closed, e.Why
	case manager.LibraryFailed:
		return report.Failed, e.Why
	case manager.LibraryOpen:
		return report.Stays, "it was not closed"
	default:
		return report.Stays, e.Why
	}
}
