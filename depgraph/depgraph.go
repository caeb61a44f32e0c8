// Package depgraph turns modules and what they require of each other into an ordered plan, or into findings that say
// what stands against one.
//
// It is pure: modules in, a [Plan] or [Finding] values out, with no file, clock, goroutine or log. The same input, in
// whatever order it is given, yields the same bytes.
//
// [Solve] does five things, one file each: it numbers the modules by name (index.go), resolves the declared edges to
// those numbers (link.go), finds who is needed and along which path (route.go), orders everything by Kahn's algorithm
// with a heap on names (order.go; A. B. Kahn, "Topological sorting of large networks", 1962) and explains what went
// wrong (explain.go, cycle.go). A finished plan can be read as a graph of github.com/dominikbraun/graph, without a
// copy ([Plan.Graph]).
//
// Versions are strict semantic versions. The pre-release tag is dropped before any comparison, in versions and in
// constraints: 1.5.0-rc.1 satisfies >=1.5, 2.0.0-rc.1 does not satisfy <2, and >=1.5.0-rc.1 means >=1.5.0.
package depgraph

// Module is a node of the graph. The strings stay the caller's; the package keeps them and never writes them.
type Module struct {
	Name    string
	Role    string // the purpose it fulfils; "" provides no role
	Version string // strict semantic version, or "" for none: that satisfies only constraints that take any version
	Edges   []Edge
	Note    string // is written beside it in drawings, and means nothing
}

// Edge is what a module declares about another one.
type Edge struct {
	Kind Kind
	// Target is a module's name; for RequiresRole a role's name; for After either, and a module's name wins.
	Target string
	// Constraint is a semantic version constraint such as ">=1.1 <2"; "" and "*" take any version, even none.
	Constraint string
}

// Root is something outside the graph that wants a module: a binding flag, or the rule that every anonymous module runs.
type Root struct {
	Name       string // shown at the head of paths, for example "--allocator"
	Module     string
	Constraint string
}

// Input is everything Solve looks at. The order of its slices, and of each module's edges, does not matter.
type Input struct {
	Modules []Module
	Roots   []Root
	// Candidates are modules at hand that nobody asked to load. They are never planned, only proposed: findings say
	// which of their versions would satisfy all requirers. One whose version cannot be parsed is not proposed.
	Candidates []Module
}

// maxArcs bounds the resolved graph: a role requirement counts once for each module of that role. It is ten times what
// a very large installation would have, and keeps a hostile manifest from taking the memory of the daemon.
const maxArcs = 1 << 22

// Solve orders the modules, or says everything that stands against it. The plan is nil if and only if there is at
// least one finding. Findings are complete, apart from those that could only follow from another one (the version of a
// module whose version text is broken, or whose name is ambiguous, is not judged), and sorted by rule, then by name.
//
// Time and memory are linear in modules and edges, but for the sorting of names.
func Solve(in Input) (*Plan, []Finding) {
	s, tooLarge := newSolver(in)
	if tooLarge != nil {
		return nil, []Finding{*tooLarge}
	}
	s.link()
	waiting := s.dependents()
	s.check(waiting)
	s.routes = trace(&s.net, s.rootNodes)
	s.sorted = sortModules(&s.net, waiting)
	if findings := s.explain(in.Candidates); len(findings) > 0 {
		return nil, findings
	}
	return &Plan{net: s.net, roots: s.roots, routes: s.routes, sorted: s.sorted}, nil
}
