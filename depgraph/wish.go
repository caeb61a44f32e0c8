package depgraph

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// wish is one requirer's claim on a module or role.
type wish struct {
	Edge
	node int32 // the requirer, or -1
	root int32 // the requirer if node is -1, else -1
	want int32 // the constraint's number
}

// end is the hop to what is wished.
func (w wish) end(name string) Hop {
	h := Hop{Name: name, Via: w.Kind, Constraint: w.Constraint}
	if w.Kind == RequiresRole {
		h.Role = name
	}
	return h
}

func (s *solver) wish(ref edgeRef) wish {
	return wish{Edge: *s.edge(ref), node: ref.node, root: -1, want: s.want(ref)}
}

// wishes collects, for each name that is asked about, everybody who wants that module: roots first, then by name.
func (s *solver) wishes(about func(name string) bool) map[string][]wish {
	found := make(map[string][]wish)
	for i, r := range s.roots {
		if about(r.Module) {
			w := wish{Edge: Edge{Kind: Binds, Target: r.Module, Constraint: r.Constraint}, node: -1, root: int32(i), want: s.rootWants[i]}
			found[r.Module] = append(found[r.Module], w)
		}
	}
	for i := range s.modules {
		for edge := range s.modules[i].Edges {
			ref := edgeRef{int32(i), int32(edge)}
			e := s.edge(ref)
			if (e.Kind == RequiresModule || e.Kind == Optional) && !s.selfish(ref) && about(e.Target) {
				found[e.Target] = append(found[e.Target], s.wish(ref))
			}
		}
	}
	return found
}

// nearest picks, among the wishes that count, a root, or else the module nearest to one.
func (s *solver) nearest(wishes []wish, counts func(wish) bool) wish {
	best := -1
	for i, w := range wishes {
		if !counts(w) {
			continue
		}
		if w.node < 0 {
			return w
		}
		if best < 0 || s.routes.before(w.node, wishes[best].node) {
			best = i
		}
	}
	return wishes[best]
}

// nobody stands for a module that is not there.
const nobody int32 = -1

// requirers describes wishes, judged by the version of node, or of nobody.
func (s *solver) requirers(wishes []wish, node int32) []Requirer {
	out := make([]Requirer, len(wishes))
	for i, w := range wishes {
		out[i] = Requirer{Kind: w.Kind, Constraint: w.Constraint}
		if w.node >= 0 {
			out[i].Name = s.nameOf(w.node)
		} else {
			out[i].Name = s.roots[w.root].Name
		}
		out[i].Satisfied = node != nobody && s.judge(w.want, s.versionOf[node]) != no
	}
	return out
}

// stock is everything at hand, by name and by role.
type stock struct {
	solver *solver
	byName map[string][]item
	byRole map[string][]item
}

type item struct {
	name    string
	version int32
	text    string // of the version
	given   bool
}

// maxAtHand bounds the proposals of one finding.
const maxAtHand = 100

func newStock(s *solver, candidates []Module) stock {
	st := stock{solver: s, byName: make(map[string][]item), byRole: make(map[string][]item)}
	for i := range s.modules {
		st.put(&s.modules[i], s.versionOf[i], true)
	}
	for i := range candidates {
		st.put(&candidates[i], s.version(candidates[i].Version), false)
	}
	return st
}

func (st stock) put(m *Module, version int32, given bool) {
	it := item{name: m.Name, version: version, text: m.Version, given: given}
	if st.solver.versions.versions[it.version].err != nil {
		return
	}
	st.byName[m.Name] = append(st.byName[m.Name], it)
	if m.Role != "" {
		st.byRole[m.Role] = append(st.byRole[m.Role], it)
	}
}

// named returns what is at hand under the name, judged by all the wishes.
func (st stock) named(name string, wishes []wish) []AtHand {
	var wants []int32
	for _, w := range wishes {
		wants = append(wants, w.want)
	}
	slices.Sort(wants)
	return st.judged(st.byName[name], slices.Compact(wants))
}

// ofRole returns the modules of the role that are at hand for the wish: all but the requirer itself.
func (st stock) ofRole(role string, w wish) []AtHand {
	self := st.solver.nameOf(w.node)
	others := slices.DeleteFunc(slices.Clone(st.byRole[role]), func(it item) bool { return it.name == self })
	return st.judged(others, []int32{w.want})
}

// judged returns the items, those that fit first, then the newest.
func (st stock) judged(items []item, wants []int32) []AtHand {
	s := st.solver
	type judgedItem struct {
		AtHand
		version int32
	}
	all := make([]judgedItem, len(items))
	for i, it := range items {
		refused := slices.ContainsFunc(wants, func(want int32) bool { return s.judge(want, it.version) == no })
		all[i] = judgedItem{AtHand{Name: it.name, Version: it.text, Given: it.given, Fits: !refused}, it.version}
	}
	slices.SortFunc(all, func(a, b judgedItem) int {
		return cmp.Or(trueFirst(a.Fits, b.Fits), s.newer(a.version, b.version), strings.Compare(b.Version, a.Version),
			strings.Compare(a.Name, b.Name), trueFirst(a.Given, b.Given))
	})
	all = slices.CompactFunc(all, func(a, b judgedItem) bool { return a.AtHand == b.AtHand })
	out := make([]AtHand, 0, min(len(all), maxAtHand))
	for _, it := range all[:min(len(all), maxAtHand)] {
		out = append(out, it.AtHand)
	}
	return out
}

func trueFirst(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// newer orders parsable versions by number, the newest first and none last.
func (vs *versions) newer(a, b int32) int {
	va, vb := vs.versions[a].version, vs.versions[b].version
	switch {
	case va == nil && vb == nil:
		return 0
	case va == nil:
		return 1
	case vb == nil:
		return -1
	default:
		return vb.Compare(va)
	}
}

func fitting(all []AtHand) []AtHand {
	return slices.DeleteFunc(slices.Clone(all), func(a AtHand) bool { return !a.Fits })
}

// mendMissing proposes what is at hand, or says that there is nothing.
func mendMissing(what string, atHand []AtHand, otherwise string) string {
	fit := fitting(atHand)
	switch {
	case len(fit) > 0:
		return fmt.Sprintf("add %s, which is at hand, %s", list(fit, AtHand.String), otherwise)
	case len(atHand) > 0:
		return fmt.Sprintf("add %s in a version that satisfies all requirers (none of %s does), %s", what, list(atHand, AtHand.String), otherwise)
	default:
		return fmt.Sprintf("add %s (none is at hand), %s", what, otherwise)
	}
}

func sortedKeys(m map[string][]wish) []string { return slices.Sorted(maps.Keys(m)) }
