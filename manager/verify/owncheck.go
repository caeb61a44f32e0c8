package verify

import (
	"context"
	"errors"

	"github.com/mesos-modules/mms/manager/finding"
)

// Module returns a module of the plan.
func (p *Plan) Module(name string) (Module, bool) {
	for _, m := range p.Modules {
		if m.Name == name {
			return m, true
		}
	}
	return Module{}, false
}

// WithOwnChecks returns the result with what the modules' own checks said. A module has the last word: if one refuses,
// there is no plan, whatever the rules say. A name that is not in the plan is not admitted either.
func (r Result) WithOwnChecks(checks []OwnCheck) Result {
	if r.Plan == nil {
		return r
	}
	findings := append([]finding.Finding{}, r.Findings...)
	for _, check := range checks {
		if check.Err != nil {
			findings = append(findings, r.Plan.Refused(check.Module, check.Err))
		}
	}
	r.Findings = tidy(findings)
	if len(r.Findings) > 0 {
		r.Plan = nil
	}
	return r
}

// Refused makes the finding of a module whose own check failed with err, with the path to the module.
func (p *Plan) Refused(name string, err error) finding.Finding {
	m, _ := p.Module(name)
	f := finding.Finding{Rule: finding.OwnCheck, Module: name, Library: m.Library, Path: fromManifest(m.At, name),
		Problem: "the module's own check refuses: " + sentence(err.Error()),
		Mend:    "mend what the module names, or leave it out: it has the last word"}
	if path := p.Path(name); path != nil {
		f.Path = path
	}
	if errors.Is(err, context.DeadlineExceeded) {
		f.Problem = "the module's own check did not come back in time: " + sentence(err.Error())
		f.Mend = "raise the module's check limit if the check is only slow, or leave the module out"
	}
	return f
}

// Path leads from a binding flag to the module by the shortest way, or is nil if none leads there.
func (p *Plan) Path(name string) []string {
	var path []string
	for _, hop := range p.Graph.Why(name) {
		path = append(path, hop.Name)
	}
	return path
}
