package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
)

// solve orders the modules and converts what stands against an order.
func solve(c *check) []finding.Finding {
	plan, against := depgraph.Solve(c.input())
	c.graph = plan
	var all []finding.Finding
	for _, f := range against {
		if converted, ok := c.convert(f); ok {
			all = append(all, converted)
		}
	}
	return all
}

// input gives the graph every module, whatever other rules hold against it, so that nobody is told that it is missing.
func (c *check) input() depgraph.Input {
	in := depgraph.Input{Candidates: append([]depgraph.Module(nil), c.Candidates...)}
	for _, m := range c.modules {
		if c.byName[m.Name] == m {
			in.Modules = append(in.Modules, c.node(m))
		}
	}
	for _, l := range c.libraries {
		for _, m := range l.Description.Modules {
			if c.byName[m.Name] == nil {
				in.Candidates = append(in.Candidates, depgraph.Module{Name: m.Name, Role: m.Role, Version: m.Version})
			}
		}
	}
	for _, r := range slices.Concat(c.roots.here, c.roots.elsewhere) {
		if c.byName[r.module] != nil { // else the flag has its finding
			in.Roots = append(in.Roots, depgraph.Root{Name: r.name, Module: r.module, Constraint: r.constraint})
		}
	}
	return in
}

func (c *check) node(m *module) depgraph.Module {
	n := depgraph.Module{Name: m.Name, Role: m.Role, Version: m.Version, Note: m.note()}
	if m.unreadable() {
		return n
	}
	for _, r := range m.Requires {
		if e, ok := c.edge(m, r); ok {
			n.Edges = append(n.Edges, e)
		}
	}
	for _, x := range m.Conflicts {
		if x.Module != "" {
			n.Edges = append(n.Edges, depgraph.Edge{Kind: depgraph.Conflicts, Target: x.Module, Constraint: x.Version})
		}
	}
	for _, target := range m.After {
		n.Edges = append(n.Edges, depgraph.Edge{Kind: depgraph.After, Target: target})
	}
	return n
}

// note is what a drawing says of a module beside what the graph knows.
func (m *module) note() string {
	note := m.lib.isolation()
	if f := m.onFailure.String(); f != "" {
		note = strings.TrimPrefix(note+"\non failure "+f, "\n")
	}
	return note
}

// edge leaves out what other rules have found wrong, and an optional role that nobody else provides.
func (c *check) edge(m *module, r facade.Requirement) (depgraph.Edge, bool) {
	switch {
	case (r.Module == "") == (r.Role == ""):
		return depgraph.Edge{}, false
	case r.Module != "" && r.Optional:
		return depgraph.Edge{Kind: depgraph.Optional, Target: r.Module, Constraint: r.Version}, true
	case r.Module != "":
		return depgraph.Edge{Kind: depgraph.RequiresModule, Target: r.Module, Constraint: r.Version}, true
	}
	others := len(c.byRole[r.Role])
	if m.Role == r.Role {
		others--
	}
	_, known := c.roles[r.Role]
	return depgraph.Edge{Kind: depgraph.RequiresRole, Target: r.Role, Constraint: r.Version}, known && (others > 0 || !r.Optional)
}

// convert makes a finding of ours, unless another rule has said the same already.
func (c *check) convert(g depgraph.Finding) (finding.Finding, bool) {
	f := finding.Finding{Module: g.Module, Problem: g.Text, Mend: g.Mend}
	switch g.Rule {
	case depgraph.RuleSize:
		f.Rule = finding.GraphSize
	case depgraph.RuleBadVersion, depgraph.RuleDuplicate:
		return f, false // metadata, unique-name
	case depgraph.RuleBadConstraint:
		if f.Rule = finding.Metadata; g.Module == "" {
			f.Rule, f.Module = finding.Binding, g.Target
		}
	case depgraph.RuleMissingModule:
		if c.absent[g.Target] {
			return f, false // its library has a finding, or the manifest's entry has
		}
		f.Rule = finding.Requirement
	case depgraph.RuleMissingRole:
		f.Rule = finding.Requirement
	case depgraph.RuleVersionClash:
		if m := c.byName[g.Module]; m != nil && m.unreadable() {
			return f, false
		}
		f.Rule = finding.VersionClash
	case depgraph.RuleConflict:
		f.Rule = finding.Conflict
	case depgraph.RuleSelf, depgraph.RuleCycle:
		f.Rule = finding.Cycle
	case depgraph.RuleMissingRoot, depgraph.RuleBadKind: // cannot be: see input and node
		f.Rule, f.Problem = finding.Requirement, fmt.Sprintf("unexpected answer of the graph, %s: %s", g.Rule, g.Text)
	default:
		f.Rule, f.Problem = finding.Requirement, fmt.Sprintf("unknown answer of the graph, %s: %s", g.Rule, g.Text)
	}
	if m := c.byName[f.Module]; m != nil {
		f.Library = m.lib.Path
		f.Path = c.stations(g, m)
	}
	return f, true
}

// stations names the hops of a finding's path; a cycle is gone round once. Where no flag leads there, the path begins in
// the manifest.
func (c *check) stations(g depgraph.Finding, m *module) []string {
	hops := g.Path
	if len(g.Cycle) > 0 && len(hops) > 0 {
		hops = append(hops[:len(hops)-1:len(hops)-1], g.Cycle...)
	}
	var path []string
	if len(hops) > 0 {
		if first := c.byName[hops[0].Name]; first != nil && hops[0].Via == 0 && first.at != "" {
			path = append(path, first.at)
		}
	}
	for _, h := range hops {
		path = append(path, h.Name)
	}
	if skipped := len(path) - maxPath; skipped > 0 {
		path = append(append([]string{path[0]}, fmt.Sprintf("(%d modules)", skipped)), path[len(path)-maxPath+1:]...)
	}
	return path
}
