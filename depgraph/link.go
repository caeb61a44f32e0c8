package depgraph

import (
	"cmp"
	"slices"
)

// link resolves every declared edge to arcs, and notes what is missing or forbidden. An edge with a fault of its own (a
// kind that does not exist, a module that names itself) gives no arc: it has its finding, and should not show up as a
// cycle too.
func (s *solver) link() {
	s.rows = make([]int32, 1, len(s.modules)+1)
	s.arcs = make([]arc, 0, len(s.wants))
	var self int32 // first module of the name
	for i := range s.modules {
		if i == 0 || s.modules[i].Name != s.modules[self].Name {
			self = int32(i)
		}
		for edge := range s.modules[i].Edges {
			s.linkEdge(edgeRef{int32(i), int32(edge)}, self)
		}
		slices.SortFunc(s.arcs[s.rows[i]:], func(a, b arc) int {
			return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.edge, b.edge))
		})
		s.rows = append(s.rows, int32(len(s.arcs)))
	}
}

func (s *solver) linkEdge(ref edgeRef, self int32) {
	e := s.edge(ref)
	if !e.Kind.declarable() {
		s.faulty = append(s.faulty, ref)
		return
	}
	target := s.targets[s.base[ref.node]+ref.edge]
	there := target >= 0
	switch {
	case e.Kind == RequiresRole, e.Kind == After && !there:
		if s.linkRole(ref, e.Target) == 0 && e.Kind == RequiresRole {
			s.unsatisfied = append(s.unsatisfied, ref)
		}
	case target == self:
		s.faulty = append(s.faulty, ref)
	case !there:
		if e.Kind == RequiresModule {
			s.unsatisfied = append(s.unsatisfied, ref)
		}
	case e.Kind == Conflicts:
		if s.judge(s.want(ref), s.versionOf[target]) == yes {
			s.forbidden = append(s.forbidden, ref)
		}
	case e.Kind == After && s.judge(s.want(ref), s.versionOf[target]) == no:
	default:
		s.arcs = append(s.arcs, arc{to: target, edge: ref.edge})
	}
}

// linkRole makes arcs to all other modules of the role that satisfy the edge's constraint, and counts them.
func (s *solver) linkRole(ref edgeRef, role string) (found int) {
	for _, provider := range s.byRoleName[role] {
		if provider != ref.node && s.judge(s.want(ref), s.versionOf[provider]) != no {
			s.arcs = append(s.arcs, arc{to: provider, edge: ref.edge})
			found++
		}
	}
	return found
}

// check notes the modules whose version somebody refuses. It goes through the arcs by target, so that each version is
// fetched from memory once. Arcs by role and after are there only because the version was found right.
//
// Of several modules of one name nobody knows which is meant: they have their finding, and which version is left when it
// is mended is not to be guessed.
func (s *solver) check(waiting *dependents) {
	refused := make(map[int32]bool)
	for i, node := range s.rootNodes {
		if node >= 0 && s.judge(s.rootWants[i], s.versionOf[node]) == no {
			refused[node] = true
		}
	}
	for i := range s.modules {
		node := int32(i)
		for _, c := range waiting.on(node) {
			if s.judge(c.want, s.versionOf[node]) == no {
				refused[node] = true
				break
			}
		}
	}
	for node := range refused {
		if !s.ambiguous(node) {
			s.clashes = append(s.clashes, node)
		}
	}
	slices.Sort(s.clashes)
}

// selfish says whether the edge names the very module that declares it.
func (s *solver) selfish(ref edgeRef) bool {
	e := s.edge(ref)
	return e.Target == s.modules[ref.node].Name && e.Kind != RequiresRole
}

func (s *solver) edge(ref edgeRef) *Edge   { return &s.modules[ref.node].Edges[ref.edge] }
func (s *solver) want(ref edgeRef) int32   { return s.wants[s.base[ref.node]+ref.edge] }
func (s *solver) nameOf(node int32) string { return s.modules[node].Name }

// dependents are the arcs the other way round: who waits for node i is claims[rows[i]:rows[i+1]].
type dependents struct {
	rows   []int32
	claims []claim
}

// claim is one module's wait for another one, under a constraint.
type claim struct{ source, want int32 }

func (d *dependents) on(node int32) []claim { return d.claims[d.rows[node]:d.rows[node+1]] }

func (s *solver) dependents() *dependents {
	count := len(s.modules)
	rows := make([]int32, count+2)
	for _, a := range s.arcs {
		rows[a.to+2]++
	}
	for i := 2; i < len(rows); i++ {
		rows[i] += rows[i-1]
	}
	// rows[i+1] runs from the start of row i to its end while the row is filled, and is then where it belongs.
	claims := make([]claim, len(s.arcs))
	for i := range s.modules {
		for _, a := range s.row(int32(i)) {
			claims[rows[a.to+1]] = claim{source: int32(i), want: s.wants[s.base[i]+a.edge]}
			rows[a.to+1]++
		}
	}
	return &dependents{rows: rows[:count+1], claims: claims}
}
