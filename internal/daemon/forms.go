package daemon

import (
	"io"

	"github.com/mesos-modules/mms/manager/report"
)

// What --verify_only reports. Plan and graph are there only when nothing was found;
// otherwise the report of the verification says what.
const (
	verificationReport = "verification"
	planReport         = "plan"
	graphReport        = "graph"
)

// dotFormat is the language of Graphviz, for the graph.
const dotFormat = "dot"

// print writes the report that was asked for on standard output. In place of a
// drawing, findings are told on standard error.
func (f *flagSet) print(o Options, v report.Verification) error {
	kind, form, style := f.report.Get(), f.format.Get(), styleOf(o.Stdout, o.Env)
	switch {
	case v.Plan == nil && form == dotFormat:
		return v.WriteText(o.Stderr, styleOf(o.Stderr, o.Env))
	case v.Plan == nil || kind == verificationReport && form != dotFormat:
		return written(o.Stdout, v, form, style)
	case form == dotFormat:
		return v.Plan.Graph.WriteDOT(o.Stdout)
	case kind == planReport:
		return written(o.Stdout, report.PlanOf(v.Plan), form, style)
	case form == jsonFormat:
		return v.Plan.Graph.WriteJSON(o.Stdout)
	default:
		return v.Plan.Graph.WriteText(o.Stdout)
	}
}

// written writes a report in one of the forms that every report has.
func written(w io.Writer, r interface {
	WriteText(io.Writer, report.Style) error
	WriteJSON(io.Writer) error
}, form string, style report.Style) error {
	if form == jsonFormat {
		return r.WriteJSON(w)
	}
	return r.WriteText(w, style)
}
