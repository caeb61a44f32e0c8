package depgraph

import (
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// large is an acyclic graph of modules with a hundred distinct constraint texts, a thousand distinct versions, and one
// root. The order is shuffled, and each requirement has texts of its own, as those have that are read from libraries.
func large(modules, edges int) Input {
	r := rand.New(rand.NewSource(1))
	constraints := make([]string, 100)
	for i := range constraints {
		constraints[i] = fmt.Sprintf(">=1.%d <%d", i%10, 2+i/10)
	}
	in := Input{Modules: make([]Module, modules)}
	for i := range in.Modules {
		in.Modules[i] = Module{Name: fmt.Sprintf("org_example_module_%06d", i), Role: "Hook", Version: fmt.Sprintf("1.%d.%d", 9+i%10, i%100)}
	}
	for range edges {
		from, to := r.Intn(modules), r.Intn(modules)
		for from == to {
			to = r.Intn(modules)
		}
		from, to = max(from, to), min(from, to)
		m := &in.Modules[from]
		m.Edges = append(m.Edges, Edge{Kind: RequiresModule, Target: strings.Clone(in.Modules[to].Name), Constraint: strings.Clone(constraints[r.Intn(len(constraints))])})
	}
	in.Roots = []Root{{Name: "--allocator", Module: in.Modules[modules-1].Name}}
	r.Shuffle(modules, func(i, j int) { in.Modules[i], in.Modules[j] = in.Modules[j], in.Modules[i] })
	return in
}

func benchmarkSolve(b *testing.B, modules, edges int) {
	in := large(modules, edges)
	b.ReportAllocs()
	for b.Loop() {
		p, findings := Solve(in)
		require.Empty(b, findings)
		require.Equal(b, modules, p.Len())
	}
}

func BenchmarkSolve10k(b *testing.B)  { benchmarkSolve(b, 10_000, 30_000) }
func BenchmarkSolve100k(b *testing.B) { benchmarkSolve(b, 100_000, 300_000) }

// BenchmarkExplain10k is the way of a graph with a fault in every tenth module.
func BenchmarkExplain10k(b *testing.B) {
	in := large(10_000, 30_000)
	for i := 0; i < len(in.Modules); i += 10 {
		in.Modules[i].Version = "0.1.0"
		in.Modules[i].Edges = append(in.Modules[i].Edges, Edge{Kind: RequiresModule, Target: "org_example_gone"})
	}
	b.ReportAllocs()
	for b.Loop() {
		_, findings := Solve(in)
		require.NotEmpty(b, findings)
	}
}
