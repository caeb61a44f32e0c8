package depgraph

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// chain is m000000 requiring m000001 and so on, closed to a ring if asked for.
func chain(length int, ring bool) Input {
	in := Input{Modules: make([]Module, length), Roots: []Root{{Name: "--x", Module: link(0)}}}
	for i := range in.Modules {
		in.Modules[i].Name = link(i)
		if i+1 < length || ring {
			in.Modules[i].Edges = []Edge{{Kind: RequiresModule, Target: link((i + 1) % length)}}
		}
	}
	return in
}

func link(i int) string { return fmt.Sprintf("m%06d", i) }

func TestRingsAreShownWhole(t *testing.T) {
	for _, length := range []int{2, 1000, 100_000} {
		t.Run(fmt.Sprint(length, " modules"), func(t *testing.T) {
			plan, findings := Solve(chain(length, true))
			require.Nil(t, plan)
			require.Len(t, findings, 1)
			f := findings[0]
			require.Equal(t, RuleCycle, f.Rule)
			require.Len(t, f.Cycle, length+1)
			for i, h := range f.Cycle {
				require.Equal(t, link(i%length), h.Name)
			}
			require.Equal(t, length, strings.Count(f.Text, " -> "))
			require.Equal(t, []Hop{{Name: "--x"}, {Name: link(0), Via: Binds}}, f.Path)
		})
	}
}

func TestManyRingsAreReportedEachOnce(t *testing.T) {
	var in Input
	for i := range 10_000 {
		in.Modules = append(in.Modules, chain(3, true).Modules...)
		for j := range 3 {
			m := &in.Modules[3*i+j]
			m.Name = fmt.Sprintf("%05d%s", i, m.Name)
			m.Edges[0].Target = fmt.Sprintf("%05d%s", i, m.Edges[0].Target)
			if i > 0 { // rings hang together, but only in one direction
				m.Edges = append(m.Edges, Edge{Kind: RequiresModule, Target: in.Modules[3*i-3].Name})
			}
		}
	}
	_, findings := Solve(in)
	require.Len(t, findings, 10_000)
	for i, f := range findings {
		require.Equal(t, RuleCycle, f.Rule)
		require.Equal(t, fmt.Sprintf("%05dm000000", i), f.Module)
		require.Len(t, f.Cycle, 4)
	}
}

func TestALongChainIsOrdered(t *testing.T) {
	const length = 100_000
	plan, findings := Solve(chain(length, false))
	require.Empty(t, findings)
	order := plan.Order()
	require.True(t, slices.IsSortedFunc(order, func(a, b string) int { return strings.Compare(b, a) }), "the last link comes first")
	require.Len(t, plan.Levels(), length)
	require.Len(t, plan.Why(link(length-1)), length+1)
}

func TestPathsAreWholeAndTogetherBounded(t *testing.T) {
	t.Run("one at the end of a chain is whole", func(t *testing.T) {
		in := chain(100_000, false)
		in.Modules[99_999].Edges = []Edge{{Kind: RequiresModule, Target: "gone"}}
		_, findings := Solve(in)
		require.Len(t, findings, 1)
		require.Len(t, findings[0].Path, 100_002)
	})
	t.Run("one at each link of it are not all whole", func(t *testing.T) {
		in := chain(50_000, false)
		for i := range in.Modules {
			in.Modules[i].Edges = append(in.Modules[i].Edges, Edge{Kind: RequiresModule, Target: "gone" + link(i)})
		}
		_, findings := Solve(in)
		require.Len(t, findings, 50_000)
		hops := 0
		for _, f := range findings {
			hops += len(f.Path)
		}
		require.Less(t, hops, allHops+50_000*(longPath+1))
		require.Len(t, findings[1000].Path, 1003, "there was room for the first ones")
		last := findings[49_999].Path
		require.Len(t, last, longPath+1)
		require.Equal(t, []Hop{{Name: "--x"}, {Name: "(49938 modules)"}, {Name: link(49_938), Via: RequiresModule}}, last[:3])
		require.Equal(t, "gone"+link(49_999), last[longPath].Name)
	})
}

func TestAbsurdSizes(t *testing.T) {
	t.Run("a role that thousands have and require is refused before it takes the memory", func(t *testing.T) {
		in := Input{Modules: make([]Module, 3000)}
		for i := range in.Modules {
			in.Modules[i] = Module{Name: link(i), Role: "R", Edges: []Edge{{Kind: RequiresRole, Target: "R"}}}
		}
		plan, findings := Solve(in)
		require.Nil(t, plan)
		require.Len(t, findings, 1)
		require.Equal(t, RuleSize, findings[0].Rule)
		require.Contains(t, findings[0].Mend, "by name instead of by role")
	})
	t.Run("a role that hundreds have and require is a knot", func(t *testing.T) {
		in := Input{Modules: make([]Module, 500)}
		for i := range in.Modules {
			in.Modules[i] = Module{Name: link(i), Role: "R", Edges: []Edge{{Kind: RequiresRole, Target: "R"}}}
		}
		_, findings := Solve(in)
		require.Len(t, findings, 1)
		require.Equal(t, RuleCycle, findings[0].Rule)
		require.Contains(t, findings[0].Text, "500 modules are entangled")
	})
	t.Run("too many roots", func(t *testing.T) {
		_, findings := Solve(Input{Roots: make([]Root, maxArcs+1)})
		require.Len(t, findings, 1)
		require.Equal(t, RuleSize, findings[0].Rule)
	})
	t.Run("ten thousand modules without a name", func(t *testing.T) {
		in := Input{Modules: make([]Module, 10_000), Roots: []Root{{}}}
		_, findings := Solve(in)
		require.Len(t, findings, 1)
		require.Equal(t, RuleDuplicate, findings[0].Rule)
		require.Contains(t, findings[0].Text, `10000 modules are named "": "", `)
		require.Less(t, len(findings[0].Text), 1000)
	})
	t.Run("one module without a name is a module", func(t *testing.T) {
		plan, findings := Solve(Input{Modules: []Module{{}}, Roots: []Root{{}}})
		require.Empty(t, findings)
		require.Equal(t, []string{""}, plan.Needed())
	})
	t.Run("an empty role is nobody's", func(t *testing.T) {
		_, findings := Solve(Input{Modules: []Module{{Name: "a"}, {Name: "b", Edges: []Edge{{Kind: RequiresRole}, {Kind: After}}}}})
		require.Len(t, findings, 1)
		require.Equal(t, RuleMissingRole, findings[0].Rule)
	})
	t.Run("texts of a megabyte are shortened in what is shown", func(t *testing.T) {
		long := strings.Repeat("long\n", 200_000)
		_, findings := Solve(Input{Modules: []Module{{Name: long, Role: long, Version: long, Edges: []Edge{
			{Kind: RequiresModule, Target: "x" + long, Constraint: long}, {Kind: RequiresRole, Target: "y" + long},
		}}}, Roots: []Root{{Name: long, Module: long, Constraint: long}}})
		require.Len(t, findings, 5)
		for _, f := range findings {
			require.Less(t, len(f.Explain()), 5000, f.Rule)
			require.LessOrEqual(t, strings.Count(f.Explain(), "\n"), 3, f.Rule)
		}
	})
	t.Run("a hundred thousand requirers of one missing module are one finding", func(t *testing.T) {
		in := Input{Modules: make([]Module, 100_000)}
		for i := range in.Modules {
			in.Modules[i] = Module{Name: link(i), Edges: []Edge{{Kind: RequiresModule, Target: "gone", Constraint: fmt.Sprintf(">=1.%d", i%100)}}}
		}
		_, findings := Solve(in)
		require.Len(t, findings, 1)
		require.Len(t, findings[0].Requirers, 100_000)
	})
}

func TestEachConstraintTextIsParsedOnce(t *testing.T) {
	s, tooLarge := newSolver(large(1000, 30_000))
	require.Nil(t, tooLarge)
	require.Len(t, s.wants, 30_000-repetitions(large(1000, 30_000)))
	require.Len(t, s.constraints, 101, "a hundred texts and the root's empty one")
}

func repetitions(in Input) (n int) {
	for _, m := range in.Modules {
		seen := map[Edge]bool{}
		for _, e := range m.Edges {
			if seen[e] {
				n++
			}
			seen[e] = true
		}
	}
	return n
}
