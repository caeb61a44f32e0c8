package depgraph

import (
	"cmp"
	"slices"
)

// link resolves every declared edge to arcs, and notes what is missing, refused or forbidden. An edge with a fault of
// its own (a kind that does not exist, a module that names itself) gives no arc: it has its finding, and should not
// show up as a cycle too.
func (s *solver) link() {
	s.rows = make([]int32, 1, len(s.modules)+1)
	s.arcs = make([]arc, 0, len(s.wants))
	for i := range s.modules {
		node := int32(i)
		for edge := range s.modules[i].Edges {
			s.linkEdge(edgeRef{node, int32(edge)})
		}
		slices.SortFunc(s.arcs[s.rows[i]:], func(a, b arc) int {
			return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.edge, b.edge))
		})
		s.rows = append(s.rows, int32(len(s.arcs)))
	}
	for i, node := range s.rootNodes {
		if node >= 0 {
			s.check(node, s.rootWants[i])
		}
	}
}

func (s *solver) linkEdge(ref edgeRef) {
	e := s.edge(ref)
	if !e.Kind.declarable() || s.selfish(ref) {
		s.faulty = append(s.faulty, ref)
		return
	}
	if s.byRole(e) {
		if s.linkRole(ref, e.Target) == 0 && e.Kind == RequiresRole {
			s.unsatisfied = append(s.unsatisfied, ref)
		}
		return
	}
	target, there := s.byName[e.Target]
	switch {
	case !there:
		if e.Kind == RequiresModule {
			s.unsatisfied = append(s.unsatisfied, ref)
		}
	case e.Kind == Conflicts:
		if s.judge(s.want(ref), s.versionOf[target]) == yes {
			s.forbidden = append(s.forbidden, ref)
		}
	case e.Kind == After:
		if s.judge(s.want(ref), s.versionOf[target]) != no {
			s.arcs = append(s.arcs, arc{to: target, edge: ref.edge})
		}
	default:
		s.check(target, s.want(ref))
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

// check notes if the module's version is refused. Of several modules of one name nobody knows which is meant: they
// have their finding, and which version is left after it is mended is not to be guessed.
func (s *solver) check(node, want int32) {
	if !s.clashes[node] && s.judge(want, s.versionOf[node]) == no && !s.ambiguous(node) {
		s.clashes[node] = true
	}
}

// selfish says whether the edge names the very module that declares it.
func (s *solver) selfish(ref edgeRef) bool {
	e := s.edge(ref)
	return e.Target == s.modules[ref.node].Name && e.Kind != RequiresRole
}

func (s *solver) edge(ref edgeRef) *Edge   { return &s.modules[ref.node].Edges[ref.edge] }
func (s *solver) want(ref edgeRef) int32   { return s.wants[s.base[ref.node]+ref.edge] }
func (s *solver) nameOf(node int32) string { return s.modules[node].Name }
