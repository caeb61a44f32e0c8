package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"strings"
	"testing"

	"github.com/containerd/plugin"
	"github.com/dominikbraun/graph"

	"github.com/mesos-modules/mms/depgraph"
)

const (
	modules      = 10_000
	requirements = 30_000
	bounded      = 1_000 // modules, for the sort that is quadratic
)

func measurePlan(_ context.Context, b *bench) error {
	shape := newShape(modules, requirements)
	figures, err := b.meter.interleave(
		subject{name: "ours", run: shape.solve},
		subject{name: "ten times the size", run: newShape(10*modules, 10*requirements).solve},
		subject{name: "containerd/plugin, Register and Graph", run: shape.containerd, rounds: 3},
	)
	if err != nil {
		return err
	}
	small := newShape(bounded, 3*bounded)
	sorts, err := b.meter.interleave(
		subject{name: "ours", run: small.solve},
		subject{name: "dominikbraun/graph, StableTopologicalSort alone", run: small.stableSort, rounds: 3},
	)
	if err != nil {
		return err
	}
	figures[0].name = "the plan of 10 000"
	b.add(line{what: "plan 10 000 modules, 30 000 requirements", ours: figures[0], theirs: figures[2], target: "at most 40 ms", limit: 40e6})
	b.add(line{what: "… ten times the size", ours: figures[1], theirs: figures[0], target: "at most 15 times", under: 15})
	b.add(line{what: "… 1 000 modules, 3 000 requirements", ours: sorts[0], theirs: sorts[1], target: "reported"})
	return nil
}

// shape is an acyclic graph of modules, with a hundred distinct constraint texts and a thousand distinct versions, in no
// particular order. Its requirements have texts of their own, as those have that are read from libraries.
type shape struct{ depgraph.Input }

func newShape(modules, requirements int) shape {
	r := rand.New(rand.NewSource(1))
	constraints := make([]string, 100)
	for i := range constraints {
		constraints[i] = fmt.Sprintf(">=1.%d <%d", i%10, 2+i/10)
	}
	in := depgraph.Input{Modules: make([]depgraph.Module, modules)}
	for i := range in.Modules {
		in.Modules[i] = depgraph.Module{Name: fmt.Sprintf("org_example_module_%06d", i), Role: "Hook", Version: fmt.Sprintf("1.%d.%d", 9+i%10, i%100)}
	}
	for range requirements {
		from, to := r.Intn(modules), r.Intn(modules)
		for from == to {
			to = r.Intn(modules)
		}
		from, to = max(from, to), min(from, to)
		in.Modules[from].Edges = append(in.Modules[from].Edges, depgraph.Edge{Kind: depgraph.RequiresModule,
			Target: strings.Clone(in.Modules[to].Name), Constraint: strings.Clone(constraints[r.Intn(len(constraints))])})
	}
	in.Roots = []depgraph.Root{{Name: "--hooks", Module: in.Modules[modules-1].Name}}
	r.Shuffle(modules, func(i, j int) { in.Modules[i], in.Modules[j] = in.Modules[j], in.Modules[i] })
	return shape{in}
}

func (s shape) solve(b *testing.B) error {
	for b.Loop() {
		plan, findings := depgraph.Solve(s.Input)
		if len(findings) > 0 || plan.Len() != len(s.Modules) {
			return fmt.Errorf("%d findings, the first: %v", len(findings), findings[:min(1, len(findings))])
		}
	}
	return nil
}

// containerd registers a plugin for each module and orders them. There a plugin requires types, so each has its own; there
// are no versions.
func (s shape) containerd(b *testing.B) error {
	all := make([]plugin.Registration, len(s.Modules))
	for i, m := range s.Modules {
		all[i] = plugin.Registration{Type: plugin.Type(m.Name), ID: "module"}
		for _, e := range m.Edges {
			all[i].Requires = append(all[i].Requires, plugin.Type(e.Target))
		}
	}
	for b.Loop() {
		var registry plugin.Registry
		for i := range all {
			registry = registry.Register(&all[i])
		}
		if ordered := registry.Graph(nil); len(ordered) != len(all) {
			return fmt.Errorf("%d of %d plugins are in the order", len(ordered), len(all))
		}
	}
	return nil
}

// stableSort is the only deterministic order of that library. The graph is filled outside of what is measured.
func (s shape) stableSort(b *testing.B) error {
	g := graph.New(graph.StringHash, graph.Directed())
	for _, m := range s.Modules {
		if err := g.AddVertex(m.Name); err != nil {
			return err
		}
	}
	for _, m := range s.Modules {
		for _, e := range m.Edges {
			if err := g.AddEdge(e.Target, m.Name); err != nil && !errors.Is(err, graph.ErrEdgeAlreadyExists) {
				return err
			}
		}
	}
	for b.Loop() {
		order, err := graph.StableTopologicalSort(g, func(a, b string) bool { return a < b })
		if err != nil || len(order) != len(s.Modules) {
			return fmt.Errorf("%d of %d modules are in the order: %w", len(order), len(s.Modules), err)
		}
	}
	return nil
}
