package depgraph

import (
	"cmp"
	"slices"
	"strings"
)

// net is the graph in compressed rows: node i is modules[i], its resolved edges are arcs[rows[i]:rows[i+1]].
// Nodes are numbered by name, so comparing numbers is comparing names.
type net struct {
	modules []Module // sorted; Edges are our own copy, sorted, without repetitions
	base    []int32  // number of a module's first declared edge
	byName  nameTable
	rows    []int32
	arcs    []arc // per row by target, then hardest kind first
}

// arc is a resolved edge that orders its source behind its target.
type arc struct {
	to   int32
	edge int32 // number of the edge in its module's Edges
}

func (n *net) row(node int32) []arc { return n.arcs[n.rows[node]:n.rows[node+1]] }

// hop describes the station that an arc of node leads to.
func (n *net) hop(node int32, a arc) Hop {
	e := &n.modules[node].Edges[a.edge]
	h := Hop{Name: n.modules[a.to].Name, Via: e.Kind, Constraint: e.Constraint}
	if n.byRole(e) {
		h.Role = e.Target
	}
	return h
}

// byRole says whether the edge's target is a role's name.
func (n *net) byRole(e *Edge) bool {
	if e.Kind == After {
		_, isModule := n.byName.find(e.Target)
		return !isModule
	}
	return e.Kind == RequiresRole
}

// solver is the working state of one Solve.
type solver struct {
	net
	versions
	versionOf   []int32 // number of each module's version
	byRoleName  map[string][]int32
	targets     []int32   // module that each declared edge names, -1 for none, at base[node]+edge
	wants       []int32   // its constraint, likewise
	roots       []Root    // sorted, without repetitions
	rootNodes   []int32   // -1: no such module
	rootWants   []int32   // constraint of each root
	faulty      []edgeRef // of a kind that does not exist, or naming the module itself
	unsatisfied []edgeRef // required modules and roles that are not there
	forbidden   []edgeRef // conflicts that apply
	clashes     []int32   // modules whose version somebody refuses, by number
	routes      routes
	sorted      sorted
	touched     byte // see byName.fetch
}

// edgeRef is a declared edge.
type edgeRef struct{ node, edge int32 }

// newSolver numbers modules, edges and texts. It returns a finding if the graph is too large to be linked.
func newSolver(in Input) (*solver, *Finding) {
	declared := len(in.Modules) + len(in.Roots)
	for i := range in.Modules {
		declared += len(in.Modules[i].Edges)
	}
	if declared > maxArcs {
		return nil, tooLarge(declared)
	}
	s := &solver{versions: newVersions(), byRoleName: make(map[string][]int32)}
	s.modules = sortedModules(in.Modules)
	s.roots = sortedRoots(in.Roots)

	n := len(s.modules)
	s.versionOf = make([]int32, n)
	s.byName = newNameTable(s.modules)
	for i := range s.modules {
		m := &s.modules[i]
		s.versionOf[i] = s.version(m.Version)
		if m.Role != "" {
			s.byRoleName[m.Role] = append(s.byRoleName[m.Role], int32(i))
		}
	}
	s.numberEdges()
	s.rootNodes = make([]int32, len(s.roots))
	s.rootWants = make([]int32, len(s.roots))
	for i, r := range s.roots {
		s.rootWants[i] = s.constraint(r.Constraint)
		s.rootNodes[i] = -1
		if node, ok := s.byName.find(r.Module); ok {
			s.rootNodes[i] = node
		}
	}
	if resolved := s.resolvedEdges(); resolved > maxArcs {
		return nil, tooLarge(resolved)
	}
	return s, nil
}

// resolvedEdges counts what link will make, or somewhat more.
func (s *solver) resolvedEdges() (total int) {
	for i := range s.modules {
		for _, e := range s.modules[i].Edges {
			if total++; e.Kind == RequiresRole || e.Kind == After {
				total += len(s.byRoleName[e.Target])
			}
		}
	}
	return total
}

// numberEdges gives each module its own copy of its edges, sorted, without repetitions, all in one array, and looks up
// what they name. They are compared by number where they can be: the texts of a large graph lie all over the memory.
func (s *solver) numberEdges() {
	type numbered struct {
		Edge
		target int32
	}
	total := 0
	for i := range s.modules {
		total += len(s.modules[i].Edges)
	}
	s.base = make([]int32, 1, len(s.modules)+1)
	s.targets = make([]int32, 0, total)
	s.wants = make([]int32, 0, total)
	edges := make([]Edge, 0, total)
	var row []numbered
	var hashes []uint64 // of the targets of a block of modules
	at := 0             // in hashes
	for i := range s.modules {
		if i%block == 0 {
			var touched byte
			hashes, touched = s.byName.fetch(s.modules[i:min(i+block, len(s.modules))], hashes[:0])
			s.touched += touched
			at = 0
		}
		row = row[:0]
		for _, e := range s.modules[i].Edges {
			target, there := s.byName.findHashed(e.Target, hashes[at])
			if !there {
				target = -1
			}
			row = append(row, numbered{e, target})
			at++
		}
		slices.SortFunc(row, func(a, b numbered) int {
			if a.Kind != b.Kind || a.target < 0 || b.target < 0 {
				return compareEdges(a.Edge, b.Edge)
			}
			if a.target != b.target {
				return cmp.Compare(a.target, b.target)
			}
			return strings.Compare(a.Constraint, b.Constraint)
		})
		start := len(edges)
		for _, e := range slices.Compact(row) {
			edges = append(edges, e.Edge)
			s.targets = append(s.targets, e.target)
			s.wants = append(s.wants, s.constraint(e.Constraint))
		}
		s.modules[i].Edges = slices.Clip(edges[start:])
		s.base = append(s.base, int32(len(edges)))
	}
}

// ambiguous says whether other modules share the name of node, the first of them.
func (s *solver) ambiguous(node int32) bool {
	next := int(node) + 1
	return next < len(s.modules) && s.modules[next].Name == s.modules[node].Name
}

// sortedModules copies the modules, sorted by name. Those of one name are ordered by all they have, so that findings do
// not depend on the input's order.
func sortedModules(in []Module) []Module {
	type named struct {
		name string
		i    int32
	}
	byName := make([]named, len(in)) // a third of a Module to move about while sorting
	for i := range in {
		byName[i] = named{in[i].Name, int32(i)}
	}
	slices.SortFunc(byName, func(a, b named) int { return strings.Compare(a.name, b.name) })
	modules := make([]Module, len(in))
	for i, from := range byName {
		modules[i] = in[from.i]
	}
	for start := 0; start < len(modules); {
		end := start + 1
		for end < len(modules) && modules[end].Name == modules[start].Name {
			end++
		}
		if end-start > 1 {
			sortNamesakes(modules[start:end])
		}
		start = end
	}
	return modules
}

func sortNamesakes(modules []Module) {
	for i := range modules {
		modules[i].Edges = slices.Clone(modules[i].Edges)
		slices.SortFunc(modules[i].Edges, compareEdges)
	}
	slices.SortFunc(modules, func(a, b Module) int {
		return cmp.Or(strings.Compare(a.Role, b.Role), strings.Compare(a.Version, b.Version),
			slices.CompareFunc(a.Edges, b.Edges, compareEdges))
	})
}

func compareEdges(a, b Edge) int {
	if a.Kind != b.Kind {
		return cmp.Compare(a.Kind, b.Kind)
	}
	if c := strings.Compare(a.Target, b.Target); c != 0 {
		return c
	}
	return strings.Compare(a.Constraint, b.Constraint)
}

func sortedRoots(in []Root) []Root {
	roots := slices.Clone(in)
	slices.SortFunc(roots, func(a, b Root) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Module, b.Module), strings.Compare(a.Constraint, b.Constraint))
	})
	return slices.Compact(roots)
}
