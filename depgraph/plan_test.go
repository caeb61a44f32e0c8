package depgraph

import (
	"bytes"
	"encoding/json"
	"errors"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/dominikbraun/graph"
	"github.com/dominikbraun/graph/draw"
	"github.com/stretchr/testify/require"
)

// sample has every kind of edge that can be in a plan, and names that want quoting.
func sample() Input {
	return Input{
		Modules: []Module{
			{Name: "alloc", Role: "Allocator", Version: "2.0.0", Edges: []Edge{
				{Kind: RequiresModule, Target: "base", Constraint: ">=1.1 <2"},
				{Kind: After, Target: "base"},
				{Kind: Optional, Target: "say \"hi\"\n\\", Constraint: "*"},
				{Kind: RequiresRole, Target: "Hook"},
			}},
			{Name: "base", Version: "1.5.0-rc.1"},
			{Name: "say \"hi\"\n\\"},
			{Name: "hook1", Role: "Hook", Edges: []Edge{{Kind: After, Target: "Allocator", Constraint: ">2"}}},
			{Name: "hook2", Role: "Hook", Edges: []Edge{{Kind: After, Target: "hook1"}}},
			{Name: "idle", Edges: []Edge{{Kind: RequiresModule, Target: "base"}}},
		},
		Roots: []Root{{Name: "--allocator", Module: "alloc", Constraint: ">=2"}, {Name: "--hooks", Module: "hook1"}, {Name: "--hooks", Module: "hook2"}},
	}
}

func samplePlan(t *testing.T) *Plan {
	t.Helper()
	plan, findings := Solve(sample())
	require.Empty(t, findings)
	return plan
}

func TestWriteText(t *testing.T) {
	var b strings.Builder
	require.NoError(t, samplePlan(t).WriteText(&b))
	require.Equal(t, `6 modules in 3 levels, 5 needed
level 0
  1. base 1.5.0-rc.1
  2. hook1 (Hook)
  5. "say \"hi\"\n\\"
level 1
  3. hook2 (Hook)
       after -> hook1
  4. idle, not needed
       requires -> base
level 2
  6. alloc 2.0.0 (Allocator)
       requires >=1.1 <2 -> base
       after -> base
       requires-role Hook -> hook1
       requires-role Hook -> hook2
       optional * -> "say \"hi\"\n\\"
--allocator binds alloc >=2
--hooks binds hook1
--hooks binds hook2
`, b.String())
}

func TestWriteDOT(t *testing.T) {
	var b strings.Builder
	require.NoError(t, samplePlan(t).WriteDOT(&b))
	require.Equal(t, `digraph plan {
  rankdir=BT;
  node [shape=ellipse];
  { rank=same; // level 0
    "base" [label="base\n1.5.0-rc.1"];
    "hook1" [label="hook1\nHook"];
    "say \"hi\"\n\\" [label="say \"hi\"\n\\"];
  }
  { rank=same; // level 1
    "hook2" [label="hook2\nHook"];
    "idle" [label="idle", color=grey, fontcolor=grey];
  }
  { rank=same; // level 2
    "alloc" [label="alloc\n2.0.0\nAllocator"];
  }
  "alloc" -> "base" [label="requires >=1.1 <2"];
  "alloc" -> "base" [label="after", style=dotted];
  "alloc" -> "hook1" [label="requires-role Hook"];
  "alloc" -> "hook2" [label="requires-role Hook"];
  "alloc" -> "say \"hi\"\n\\" [label="optional *", style=dashed];
  "hook2" -> "hook1" [label="after", style=dotted];
  "idle" -> "base" [label="requires"];
  "root --allocator" [label="--allocator", shape=box];
  "root --allocator" -> "alloc" [label="binds >=2"];
  "root --hooks" [label="--hooks", shape=box];
  "root --hooks" -> "hook1" [label="binds"];
  "root --hooks" -> "hook2" [label="binds"];
}
`, b.String())
}

func TestWriteJSON(t *testing.T) {
	plan := samplePlan(t)
	var indented, compact bytes.Buffer
	require.NoError(t, plan.WriteJSON(&indented))
	require.Contains(t, indented.String(), `"constraint": ">=1.1 <2"`, "readable")
	require.True(t, strings.HasPrefix(indented.String(), "{\n  \"order\": [\n    \"base\",\n"))
	require.NoError(t, json.Compact(&compact, indented.Bytes()))
	marshalled, err := json.Marshal(plan)
	require.NoError(t, err)
	require.JSONEq(t, compact.String(), string(marshalled))

	var form jsonPlan
	require.NoError(t, json.Unmarshal(marshalled, &form))
	require.Equal(t, plan.Order(), form.Order)
	require.Equal(t, plan.Levels(), form.Levels)
	require.Equal(t, plan.Needed(), form.Needed)
	require.Equal(t, []jsonRoot{{"--allocator", "alloc", ">=2"}, {"--hooks", "hook1", ""}, {"--hooks", "hook2", ""}}, form.Roots)
	require.Equal(t, jsonModule{Name: "hook2", Role: "Hook", Level: 1, Needed: true, Edges: []Hop{{Name: "hook1", Via: After}}}, form.Modules[2])

	t.Run("an empty plan has empty lists", func(t *testing.T) {
		empty, findings := Solve(Input{})
		require.Empty(t, findings)
		text, err := json.Marshal(empty)
		require.NoError(t, err)
		require.Equal(t, `{"order":[],"levels":[],"needed":[],"roots":[],"modules":[]}`, string(text))
	})
}

func TestWritersReportErrors(t *testing.T) {
	plan := samplePlan(t)
	for name, write := range map[string]func() error{
		"text": func() error { return plan.WriteText(full{}) },
		"json": func() error { return plan.WriteJSON(full{}) },
		"dot":  func() error { return plan.WriteDOT(full{}) },
	} {
		t.Run(name, func(t *testing.T) { require.ErrorIs(t, write(), errFull) })
	}
}

var errFull = errors.New("disk full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestThePlanIsItsOwn(t *testing.T) {
	in := sample()
	plan, findings := Solve(in)
	require.Empty(t, findings)
	want := output(t, sample())
	var before bytes.Buffer
	require.NoError(t, plan.WriteText(&before))

	t.Run("what the caller does to his input afterwards does not reach it", func(t *testing.T) {
		in.Modules[0].Name, in.Modules[0].Edges[0].Target, in.Roots[0].Name = "other", "other", "other"
		var after bytes.Buffer
		require.NoError(t, plan.WriteText(&after))
		require.Equal(t, before.String(), after.String())
	})
	t.Run("what it returned is the caller's", func(t *testing.T) {
		clear(plan.Order())
		clear(plan.Needed())
		clear(plan.Levels()[0])
		clear(plan.Requirements("alloc"))
		clear(plan.Why("base"))
		names, err := plan.Store().ListVertices()
		require.NoError(t, err)
		clear(names)
		var after bytes.Buffer
		require.NoError(t, plan.WriteText(&after))
		require.Equal(t, before.String(), after.String())
	})
	t.Run("the input is not touched", func(t *testing.T) {
		in := sample()
		slices.Reverse(in.Modules)
		modules, edges := slices.Clone(in.Modules), slices.Clone(in.Modules[5].Edges)
		require.Equal(t, want, output(t, in))
		require.Equal(t, modules, in.Modules)
		require.Equal(t, edges, in.Modules[5].Edges)
	})
	t.Run("names that are not in it have no answers", func(t *testing.T) {
		require.Nil(t, plan.Why("nobody"))
		require.Nil(t, plan.Requirements("nobody"))
		require.False(t, plan.IsNeeded("nobody"))
	})
	t.Run("backward may be left early", func(t *testing.T) {
		for name := range plan.Backward() {
			require.Equal(t, "alloc", name)
			break
		}
	})
}

func TestGraph(t *testing.T) {
	plan := samplePlan(t)
	g := plan.Graph()

	t.Run("answers about vertices", func(t *testing.T) {
		name, properties, err := g.VertexWithProperties("alloc")
		require.NoError(t, err)
		require.Equal(t, "alloc", name)
		require.Equal(t, map[string]string{AttributeVersion: "2.0.0", AttributeRole: "Allocator"}, properties.Attributes)
		_, err = g.Vertex("nobody")
		require.ErrorIs(t, err, graph.ErrVertexNotFound)
		count, err := g.Order()
		require.NoError(t, err)
		require.Equal(t, plan.Len(), count)
	})
	t.Run("joins parallel edges", func(t *testing.T) {
		edge, err := plan.Store().Edge("alloc", "base")
		require.NoError(t, err)
		require.Equal(t, "requires >=1.1 <2; after", edge.Properties.Attributes[AttributeLabel])
		all, err := g.Edges()
		require.NoError(t, err)
		require.Len(t, all, 6)
		_, err = g.Edge("base", "alloc")
		require.ErrorIs(t, err, graph.ErrEdgeNotFound)
		_, err = g.Edge("nobody", "alloc")
		require.ErrorIs(t, err, graph.ErrEdgeNotFound)
	})
	t.Run("finds paths", func(t *testing.T) {
		path, err := graph.ShortestPath(g, "alloc", "hook1")
		require.NoError(t, err)
		require.Equal(t, []string{"alloc", "hook1"}, path)
	})
	t.Run("draws", func(t *testing.T) {
		var b strings.Builder
		require.NoError(t, draw.DOT(g, &b))
		require.Contains(t, b.String(), `"hook2" -> "hook1" [ label="after",  weight=0 ];`)
		lines := strings.Split(b.String(), "\n")
		sort.Strings(lines)
		arrows := slices.DeleteFunc(lines, func(l string) bool { return !strings.Contains(l, " -> ") })
		require.Len(t, arrows, 6)
	})
	t.Run("does not change", func(t *testing.T) {
		for name, err := range map[string]error{
			"add vertex":    g.AddVertex("new"),
			"remove vertex": g.RemoveVertex("alloc"),
			"add edge":      plan.Store().AddEdge("idle", "alloc", graph.Edge[string]{}),
			"update edge":   g.UpdateEdge("alloc", "base"),
			"remove edge":   g.RemoveEdge("alloc", "base"),
		} {
			require.ErrorIs(t, err, ErrReadOnly, name)
		}
	})
}

func TestEdgeKinds(t *testing.T) {
	t.Run("a kind that no module can declare is a finding", func(t *testing.T) {
		for kind, shown := range map[Kind]string{0: "kind(0)", Binds: "binds", 200: "kind(200)"} {
			_, findings := Solve(Input{Modules: []Module{{Name: "a", Edges: []Edge{{Kind: kind, Target: "b"}}}}})
			require.Len(t, findings, 1)
			require.Equal(t, RuleBadKind, findings[0].Rule)
			require.Equal(t, "a declares an edge of kind "+shown+" to b", findings[0].Text)
			require.Equal(t, "declare one of: requires, requires-role, optional, after, conflicts", findings[0].Mend)
			_, err := json.Marshal(findings)
			require.NoError(t, err)
		}
	})
	t.Run("names go out and come back", func(t *testing.T) {
		for k := RequiresModule; k <= Binds; k++ {
			text, err := k.MarshalText()
			require.NoError(t, err)
			var back Kind
			require.NoError(t, back.UnmarshalText(text))
			require.Equal(t, k, back)
		}
	})
	t.Run("others are refused by name", func(t *testing.T) {
		var k Kind
		require.ErrorContains(t, k.UnmarshalText([]byte("wants")), "unknown edge kind wants, want one of requires,")
		require.ErrorContains(t, k.UnmarshalText(nil), `unknown edge kind ""`)
		_, err := k.MarshalText()
		require.ErrorContains(t, err, "unknown edge kind 0")
	})
}

func TestFindingsAreErrorsAndJSON(t *testing.T) {
	_, findings := Solve(Input{
		Modules: []Module{{Name: "a\nforged: line", Edges: []Edge{{Kind: RequiresModule, Target: "b", Constraint: ">=1"}}}},
		Roots:   []Root{{Name: "--x", Module: "a\nforged: line"}},
	})
	require.Len(t, findings, 1)
	var f Finding
	require.ErrorAs(t, error(findings[0]), &f)
	require.Equal(t, `missing-module: "a\nforged: line" requires b >=1, which is not there; add b (none is at hand), or drop what requires it`, f.Error())
	require.Equal(t, `missing-module: "a\nforged: line" requires b >=1, which is not there
  path: --x -> "a\nforged: line" -> b (requires >=1)
  mend: add b (none is at hand), or drop what requires it
`, f.Explain())
	text, err := json.Marshal(f)
	require.NoError(t, err)
	var back Finding
	require.NoError(t, json.Unmarshal(text, &back))
	back.AtHand = f.AtHand // empty either way
	require.Equal(t, f, back)
}

func TestRulesAreSortedOnceEach(t *testing.T) {
	rules := Rules()
	require.Len(t, rules, 12)
	slices.Sort(rules)
	require.Len(t, slices.Compact(rules), 12)
}
