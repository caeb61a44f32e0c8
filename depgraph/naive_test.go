package depgraph

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// naive solves the same problem the slow and obvious way: strings, maps, fixpoints, every pair with every pair. It
// knows nothing of numbers, rows and queues, and evaluates versions by itself. Module names have to be unique.
type naive struct {
	in     Input
	module map[string]Module
	// behind[a][b]: a is ordered behind b; needs[a][b]: a makes b needed.
	behind, needs map[string]map[string]bool
	findings      map[string]bool // "rule module target", or "rule target" where the module is a choice
}

func solveNaively(in Input) *naive {
	n := &naive{in: in, module: map[string]Module{}, findings: map[string]bool{},
		behind: map[string]map[string]bool{}, needs: map[string]map[string]bool{}}
	for _, m := range in.Modules {
		n.module[m.Name] = m
		n.behind[m.Name], n.needs[m.Name] = map[string]bool{}, map[string]bool{}
		if _, ok := numbersOf(m.Version); m.Version != "" && !ok {
			n.find(RuleBadVersion, m.Name)
		}
	}
	for _, m := range in.Modules {
		for _, e := range m.Edges {
			n.edge(m, e)
		}
	}
	for _, r := range in.Roots {
		if !naiveConstraint.MatchString(r.Constraint) {
			n.find(RuleBadConstraint, "", r.Module)
		}
		if m, ok := n.module[r.Module]; !ok {
			n.find(RuleMissingRoot, r.Module)
		} else if naiveVerdict(r.Constraint, m.Version) == no {
			n.find(RuleVersionClash, m.Name)
		}
	}
	for a := range n.module {
		for _, member := range n.knot(a) {
			if member < a {
				a = member
			}
		}
		if len(n.knot(a)) > 0 {
			n.find(RuleCycle, a)
		}
	}
	return n
}

func (n *naive) find(rule Rule, words ...string) {
	n.findings[strings.TrimSpace(string(rule)+" "+strings.Join(words, " "))] = true
}

func (n *naive) edge(m Module, e Edge) {
	if !naiveConstraint.MatchString(e.Constraint) {
		n.find(RuleBadConstraint, m.Name, e.Target)
	}
	target, there := n.module[e.Target]
	fits := naiveVerdict(e.Constraint, target.Version)
	switch e.Kind {
	case RequiresRole:
		if n.role(m, e, true) == 0 {
			n.find(RuleMissingRole, e.Target+" "+e.Constraint)
		}
		return
	case After:
		if !there {
			n.role(m, e, false)
			return
		}
	}
	if m.Name == e.Target {
		n.find(RuleSelf, m.Name, e.Target)
		return
	}
	switch e.Kind {
	case RequiresModule, Optional:
		if !there && e.Kind == RequiresModule {
			n.find(RuleMissingModule, e.Target)
		}
		if there {
			n.behind[m.Name][e.Target], n.needs[m.Name][e.Target] = true, true
			if fits == no {
				n.find(RuleVersionClash, e.Target)
			}
		}
	case Conflicts:
		if there && fits == yes {
			n.find(RuleConflict, m.Name, e.Target)
		}
	case After:
		if fits != no {
			n.behind[m.Name][e.Target] = true
		}
	default:
		panic(e.Kind)
	}
}

func (n *naive) role(m Module, e Edge, needs bool) (found int) {
	for _, p := range n.in.Modules {
		if p.Role != "" && p.Role == e.Target && p.Name != m.Name && naiveVerdict(e.Constraint, p.Version) != no {
			n.behind[m.Name][p.Name] = true
			if needs {
				n.needs[m.Name][p.Name] = true
			}
			found++
		}
	}
	return found
}

// knot returns all modules that wait for a and for which a waits, or nothing if a does not wait for itself.
func (n *naive) knot(a string) (members []string) {
	for b := range n.module {
		if n.distance(n.behind, a, b) > 0 && n.distance(n.behind, b, a) > 0 {
			members = append(members, b)
		}
	}
	return members
}

// distance is the least number of edges, at least one, from a to b; 0 if there is no way.
func (n *naive) distance(edges map[string]map[string]bool, a, b string) int {
	reached := map[string]bool{a: true}
	for d := 1; d <= len(n.module); d++ {
		next := map[string]bool{}
		for x := range reached {
			for y := range edges[x] {
				next[y] = true
			}
		}
		if next[b] {
			return d
		}
		reached = next
	}
	return 0
}

// order takes, again and again, the smallest name of those that wait for nobody left.
func (n *naive) order() (order []string) {
	for len(order) < len(n.module) {
		best := ""
		for a := range n.module {
			free := !slices.Contains(order, a)
			for b := range n.behind[a] {
				free = free && slices.Contains(order, b)
			}
			if free && (best == "" || a < best) {
				best = a
			}
		}
		order = append(order, best)
	}
	return order
}

func (n *naive) level(a string) (level int) {
	for b := range n.behind[a] {
		level = max(level, n.level(b)+1)
	}
	return level
}

// hops is the number of modules on the shortest path from a root to a, 0 if no root needs it.
func (n *naive) hops(a string) (hops int) {
	for _, r := range n.in.Roots {
		d := n.distance(n.needs, r.Module, a)
		if _, there := n.module[r.Module]; !there || d == 0 && r.Module != a {
			continue
		}
		if r.Module == a {
			d = 0
		}
		if hops == 0 || d+1 < hops {
			hops = d + 1
		}
	}
	return hops
}

// keys puts a finding in the words of find.
func (f Finding) naiveKey() string {
	switch f.Rule {
	case RuleMissingModule, RuleMissingRoot:
		return fmt.Sprint(f.Rule, " ", f.Target)
	case RuleMissingRole:
		return strings.TrimSpace(fmt.Sprint(f.Rule, " ", f.Target, " ", f.Requirers[0].Constraint))
	case RuleBadVersion, RuleVersionClash, RuleCycle:
		return fmt.Sprint(f.Rule, " ", f.Module)
	default:
		return strings.TrimSpace(fmt.Sprint(f.Rule, " ", f.Module, " ", f.Target))
	}
}

const naivePart = `(?:>=|<=|!=|=|>|<)?(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})\.(?:0|[1-9]\d{0,8})(?:-[a-z][a-z0-9]*)?|(?:>=|<)(?:0|[1-9]\d{0,8})(?:\.(?:0|[1-9]\d{0,8}))?`

// naiveConstraint are the constraints that the naive twin understands: comparisons, joined by blanks and "||". Those
// with fewer than three numbers only where their meaning is plain.
var naiveConstraint = regexp.MustCompile(`^(\*|(?:` + naivePart + `)(?:(?: | \|\| )(?:` + naivePart + `))*)?$`)

// naiveVerdict takes any constraint for satisfied that it does not understand, and any broken version for right.
func naiveVerdict(constraint, version string) verdict {
	if constraint == "" || constraint == "*" {
		return yes
	}
	v, ok := numbersOf(version)
	if !naiveConstraint.MatchString(constraint) || version != "" && !ok {
		return unknown
	}
	if version == "" {
		return no
	}
	for group := range strings.SplitSeq(constraint, "||") {
		all := true
		for part := range strings.FieldsSeq(group) {
			number := strings.TrimLeft(part, "<>!=")
			number, _, _ = strings.Cut(number, "-")
			number += strings.Repeat(".0", 2-strings.Count(number, "."))
			want, _ := numbersOf(number)
			c := slices.Compare(v[:], want[:])
			all = all && map[string]bool{">=": c >= 0, "<=": c <= 0, "!=": c != 0, "=": c == 0, "": c == 0, ">": c > 0, "<": c < 0}[strings.TrimRight(part, "0123456789.abcdefghijklmnopqrstuvwxyz-")]
		}
		if all {
			return yes
		}
	}
	return no
}

var naiveVersion = regexp.MustCompile(`^(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:-[a-z][a-z0-9]*)?$`)

func numbersOf(version string) (numbers [3]int, ok bool) {
	m := naiveVersion.FindStringSubmatch(version)
	if m == nil {
		return numbers, false
	}
	for i := range numbers {
		numbers[i], _ = strconv.Atoi(m[i+1]) // at most nine digits
	}
	return numbers, true
}

// graphOf makes a small graph out of bytes: each choice is the next byte, and a choice without one is the first.
func graphOf(data []byte) Input {
	next := func(n int) int {
		if len(data) == 0 {
			return 0
		}
		b := int(data[0])
		data = data[1:]
		return b % n
	}
	var (
		roles       = []string{"", "R", "S", "c"} // "c" is a module's name too
		versions    = []string{"1.5.0", "", "1.0.0", "1.1.0-rc1", "2.0.0-rc1", "2.0.0", "1.5"}
		constraints = []string{"", ">=1.1", "<2", ">=1.1 <2", "<=1.5.0-rc1", "=1.0.0", "*", ">=9 || <1.5", "~~", "!=2.0.0"}
		kinds       = []Kind{RequiresModule, RequiresModule, RequiresRole, Optional, After, Conflicts}
		in          Input
	)
	// Most choices are harmless, so that a good part of the graphs has a plan.
	pick := func(choices []string) string {
		if next(3) < 2 {
			return choices[0]
		}
		return choices[next(len(choices))]
	}
	count := 1 + next(8)
	target := func() string { return string(rune('a' + next(count) + next(16)/15)) }
	edges := func(own string) (edges []Edge) {
		for range next(4) {
			e := Edge{Kind: kinds[next(len(kinds))], Target: target(), Constraint: pick(constraints)}
			switch {
			case e.Kind == RequiresRole || e.Kind == After && next(2) == 1:
				e.Target = roles[1+next(3)]
			case next(8) > 0: // mostly an earlier letter, or there would be cycles only
				if e.Target = string(rune(own[0] - 1 - byte(next(2)))); e.Target < "a" {
					continue
				}
			}
			edges = append(edges, e)
		}
		return edges
	}
	for i := range count {
		name := string(rune('a' + i))
		in.Modules = append(in.Modules, Module{Name: name, Role: roles[next(len(roles))], Version: pick(versions), Edges: edges(name)})
	}
	for i := range next(3) {
		in.Roots = append(in.Roots, Root{Name: fmt.Sprintf("--r%d", i), Module: target(), Constraint: pick(constraints)})
	}
	for range next(3) {
		in.Candidates = append(in.Candidates, Module{Name: target(), Role: roles[next(len(roles))], Version: pick(versions)})
	}
	return in
}

func sortedSet(m map[string]bool) []string {
	var keys []string
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, cmp.Compare[string])
	return keys
}
