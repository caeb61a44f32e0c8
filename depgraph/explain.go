package depgraph

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// explainer writes down what stands against a plan.
type explainer struct {
	*solver
	stock    stock
	problems []problem
}

// problem is a finding whose path is not yet written: paths come last, in sorted order, because there is a limit for
// all of them together.
type problem struct {
	Finding
	node int32 // module the path leads to, or -1
	root int32 // if node is -1, the root it starts at
	end  Hop   // guilty end behind them, if it has a Via
}

const (
	allHops  = 1 << 20 // in the paths of all findings together, before long ones are shortened
	longPath = 64
)

// explain returns everything that stands against a plan, sorted.
func (s *solver) explain(candidates []Module) []Finding {
	if s.faultless() {
		return nil
	}
	x := &explainer{solver: s, stock: newStock(s, candidates)}
	x.explainModules()
	x.explainEdges()
	x.explainRoots()
	x.explainNames()
	x.explainRoles()
	x.explainConflicts()
	x.explainCycles()
	return x.finish()
}

// faultless spares a faultless graph the explanation: that is the case to be fast in.
func (s *solver) faultless() bool {
	return len(s.faulty)+len(s.unsatisfied)+len(s.forbidden)+len(s.clashes) == 0 && len(s.sorted.order) == len(s.modules) &&
		s.byName.count == len(s.modules) && !slices.Contains(s.rootNodes, -1) &&
		!slices.ContainsFunc(s.versions.versions, func(v parsedVersion) bool { return v.err != nil }) &&
		!slices.ContainsFunc(s.constraints, func(c parsedConstraint) bool { return c.err != nil })
}

// explainModules: names and versions.
func (x *explainer) explainModules() {
	for i := range x.modules {
		m, node := &x.modules[i], int32(i)
		if first, _ := x.byName.find(m.Name); first == node && x.ambiguous(node) {
			copies := x.modules[i:]
			if end := slices.IndexFunc(copies, func(c Module) bool { return c.Name != m.Name }); end >= 0 {
				copies = copies[:end]
			}
			x.add(problem{node: node, Finding: Finding{Rule: RuleDuplicate, Module: m.Name,
				Text: fmt.Sprintf("%d modules are named %s: %s", len(copies), quote(m.Name), list(copies, describe)),
				Mend: "keep one of them, or rename the others"}})
		}
		if err := x.versions.versions[x.versionOf[i]].err; err != nil {
			x.add(problem{node: node, Finding: Finding{Rule: RuleBadVersion, Module: m.Name,
				Text: fmt.Sprintf("%s declares version %s: %v", quote(m.Name), clip(m.Version), err),
				Mend: "declare three numbers, as in 1.2.0, or no version at all"}})
		}
	}
}

// explainEdges: edges that are wrong in themselves.
func (x *explainer) explainEdges() {
	for _, ref := range x.faulty {
		e, name := x.edge(ref), x.nameOf(ref.node)
		if !e.Kind.declarable() {
			x.add(problem{node: ref.node, Finding: Finding{Rule: RuleBadKind, Module: name, Target: e.Target,
				Text: fmt.Sprintf("%s declares an edge of kind %v to %s", quote(name), e.Kind, quote(e.Target)),
				Mend: "declare one of: " + strings.Join(kindNames[RequiresModule:Binds], ", ")}})
			continue
		}
		x.add(problem{node: ref.node, end: x.endOf(e), Finding: Finding{Rule: RuleSelf, Module: name, Target: e.Target,
			Text: fmt.Sprintf("%s names itself: %s", quote(name), x.phrase(e)),
			Mend: "drop it"}})
	}
	const mend = `write a constraint such as ">=1.1 <2", or none`
	for i := range x.modules {
		for edge := range x.modules[i].Edges {
			ref := edgeRef{int32(i), int32(edge)}
			if err := x.constraints[x.want(ref)].err; err != nil {
				e := x.edge(ref)
				p := problem{node: ref.node, Finding: Finding{Rule: RuleBadConstraint, Module: x.nameOf(ref.node), Target: e.Target,
					Text: fmt.Sprintf("%s wants %s in version %s: %v", quote(x.nameOf(ref.node)), quote(e.Target), clip(e.Constraint), err),
					Mend: mend}}
				if e.Kind.declarable() {
					p.end = x.endOf(e)
				}
				x.add(p)
			}
		}
	}
	for i, r := range x.roots {
		if err := x.constraints[x.rootWants[i]].err; err != nil {
			x.add(problem{node: -1, root: int32(i), end: rootEnd(r), Finding: Finding{Rule: RuleBadConstraint, Target: r.Module,
				Text: fmt.Sprintf("%s wants %s in version %s: %v", quote(r.Name), quote(r.Module), clip(r.Constraint), err),
				Mend: mend}})
		}
	}
}

// explainRoots: roots whose module is not there.
func (x *explainer) explainRoots() {
	wishes := x.wishes(func(name string) bool {
		_, there := x.byName.find(name)
		return !there
	})
	for i, r := range x.roots {
		if x.rootNodes[i] >= 0 {
			continue
		}
		f := Finding{Rule: RuleMissingRoot, Target: r.Module, Requirers: x.requirers(wishes[r.Module], nobody)}
		f.Text = fmt.Sprintf("%s names %s, which is not there", quote(r.Name), bounded(r.Module, r.Constraint))
		f.AtHand = x.stock.named(r.Module, wishes[r.Module])
		f.Mend = mendMissing(quote(r.Module), f.AtHand, fmt.Sprintf("or let %s name another module", quote(r.Name)))
		x.add(problem{node: -1, root: int32(i), end: rootEnd(r), Finding: f})
	}
}

// explainNames: required modules that are not there, and those in a version that somebody refuses. One finding for
// each such module, with all its requirers.
func (x *explainer) explainNames() {
	absent := make(map[string]bool)
	for _, ref := range x.unsatisfied {
		if e := x.edge(ref); e.Kind == RequiresModule {
			absent[e.Target] = true
		}
	}
	all := x.wishes(func(name string) bool {
		node, there := x.byName.find(name)
		if !there {
			return absent[name]
		}
		_, clash := slices.BinarySearch(x.clashes, node)
		return clash
	})
	for _, name := range sortedKeys(all) {
		wishes := all[name]
		if absent[name] {
			x.explainMissing(name, wishes)
		} else {
			x.explainClash(x.numberOf(name), wishes)
		}
	}
}

func (x *explainer) explainMissing(name string, wishes []wish) {
	lead := x.nearest(wishes, func(w wish) bool { return w.root < 0 && w.Kind == RequiresModule })
	f := Finding{Rule: RuleMissingModule, Module: x.nameOf(lead.node), Target: name, Requirers: x.requirers(wishes, nobody)}
	f.Text = fmt.Sprintf("%s requires %s, which is not there", quote(f.Module), bounded(name, lead.Constraint))
	if len(wishes) > 1 {
		f.Text += "; wanted by " + wanted(f.Requirers)
	}
	f.AtHand = x.stock.named(name, wishes)
	f.Mend = mendMissing(quote(name), f.AtHand, "or drop what requires it")
	x.add(problem{node: lead.node, end: lead.end(name), Finding: f})
}

func (x *explainer) explainClash(node int32, wishes []wish) {
	lead := x.nearest(wishes, func(w wish) bool { return x.judge(w.want, x.versionOf[node]) == no })
	f := Finding{Rule: RuleVersionClash, Module: x.nameOf(node), Requirers: x.requirers(wishes, node)}
	if x.modules[node].Version == "" {
		f.Text = fmt.Sprintf("%s declares no version", quote(f.Module))
	} else {
		f.Text = fmt.Sprintf("%s is %s", quote(f.Module), clip(x.modules[node].Version))
	}
	f.Text += "; wanted by " + wanted(f.Requirers)
	f.AtHand = x.stock.named(f.Module, wishes)
	if fit := fitting(f.AtHand); len(fit) > 0 {
		f.Mend = fmt.Sprintf("load %s instead: at hand, and right for all requirers", list(fit, AtHand.String))
	} else {
		f.Mend = fmt.Sprintf("none of the versions at hand (%s) satisfies all requirers: loosen a constraint, or provide such a version",
			list(f.AtHand, AtHand.String))
	}
	x.add(problem{node: lead.node, root: lead.root, end: lead.end(f.Module), Finding: f})
}

// explainRoles: required roles for which no other module will do. One finding for each role and constraint.
func (x *explainer) explainRoles() {
	type key struct{ role, constraint string }
	groups := make(map[key][]wish)
	var keys []key
	for _, ref := range x.unsatisfied {
		if e := x.edge(ref); e.Kind == RequiresRole {
			k := key{e.Target, e.Constraint}
			if groups[k] == nil {
				keys = append(keys, k)
			}
			groups[k] = append(groups[k], x.wish(ref))
		}
	}
	for _, k := range keys {
		wishes := groups[k]
		lead := x.nearest(wishes, func(wish) bool { return true })
		f := Finding{Rule: RuleMissingRole, Module: x.nameOf(lead.node), Target: k.role, Requirers: x.requirers(wishes, nobody)}
		f.AtHand = x.stock.ofRole(k.role, lead)
		given := slices.DeleteFunc(slices.Clone(f.AtHand), func(a AtHand) bool { return !a.Given })
		wants := bounded(k.role, k.constraint)
		switch {
		case len(given) > 0:
			f.Text = fmt.Sprintf("%s requires role %s, which none of its other modules satisfies: %s", quote(f.Module), wants, list(given, AtHand.String))
		case x.modules[lead.node].Role == k.role:
			f.Text = fmt.Sprintf("%s requires role %s from another module, but is the only one of that role", quote(f.Module), wants)
		default:
			f.Text = fmt.Sprintf("%s requires role %s, and no module of that role is there", quote(f.Module), wants)
		}
		if len(wishes) > 1 {
			f.Text += "; wanted by " + wanted(f.Requirers)
		}
		f.Mend = mendMissing("a module of role "+wants, f.AtHand, "or drop what requires it")
		x.add(problem{node: lead.node, end: lead.end(k.role), Finding: f})
	}
}

func (x *explainer) explainConflicts() {
	for _, ref := range x.forbidden {
		e, name := x.edge(ref), x.nameOf(ref.node)
		target := &x.modules[x.numberOf(e.Target)]
		mend := fmt.Sprintf("leave out %s or %s", quote(name), quote(e.Target))
		if e.Constraint != "" {
			mend += fmt.Sprintf(", or take a version of %s outside %s", quote(e.Target), clip(e.Constraint))
		}
		x.add(problem{node: ref.node, end: x.endOf(e), Finding: Finding{Rule: RuleConflict, Module: name, Target: e.Target,
			Text: fmt.Sprintf("%s conflicts with %s, and %s is there", quote(name), bounded(e.Target, e.Constraint), describe(*target)),
			Mend: mend}})
	}
}

func (x *explainer) add(p problem) { x.problems = append(x.problems, p) }

// finish sorts the findings and writes their paths.
func (x *explainer) finish() []Finding {
	rank := make(map[Rule]int)
	for i, r := range Rules() {
		rank[r] = i
	}
	slices.SortStableFunc(x.problems, func(a, b problem) int {
		return cmp.Or(cmp.Compare(rank[a.Rule], rank[b.Rule]), strings.Compare(a.Module, b.Module),
			strings.Compare(a.Target, b.Target), strings.Compare(a.Text, b.Text))
	})
	findings := make([]Finding, len(x.problems))
	left := allHops
	for i, p := range x.problems {
		f := p.Finding
		if p.node >= 0 {
			f.Path = x.routes.path(&x.net, x.roots, p.node, max(left, longPath))
		} else {
			f.Path = []Hop{{Name: x.roots[p.root].Name}}
		}
		if p.end.Via != 0 {
			f.Path = append(f.Path, p.end)
		}
		left -= len(f.Path)
		findings[i] = f
	}
	return findings
}
