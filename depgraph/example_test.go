package depgraph_test

import (
	"fmt"
	"os"

	"github.com/dominikbraun/graph"

	"github.com/mesos-modules/mms/depgraph"
)

func ExampleSolve() {
	plan, _ := depgraph.Solve(depgraph.Input{
		Modules: []depgraph.Module{
			{Name: "org_example_allocator", Role: "Allocator", Version: "1.2.0", Edges: []depgraph.Edge{
				{Kind: depgraph.RequiresModule, Target: "org_example_base", Constraint: ">=1.1 <2"},
				{Kind: depgraph.RequiresRole, Target: "Hook"},
			}},
			{Name: "org_example_base", Version: "1.5.0-rc.1"},
			{Name: "org_example_hook", Role: "Hook"},
			{Name: "org_example_spare"},
		},
		Roots: []depgraph.Root{{Name: "--allocator", Module: "org_example_allocator"}},
	})
	fmt.Println(plan.Needed())
	fmt.Println(depgraph.PathString(plan.Why("org_example_base")))
	for name := range plan.Backward() {
		fmt.Println("tear down", name)
	}
	// Output:
	// [org_example_base org_example_hook org_example_allocator]
	// --allocator -> org_example_allocator -> org_example_base (requires >=1.1 <2)
	// tear down org_example_spare
	// tear down org_example_allocator
	// tear down org_example_hook
	// tear down org_example_base
}

func ExampleSolve_findings() {
	_, findings := depgraph.Solve(depgraph.Input{
		Modules: []depgraph.Module{
			{Name: "a", Edges: []depgraph.Edge{
				{Kind: depgraph.RequiresModule, Target: "base", Constraint: ">=2"},
				{Kind: depgraph.RequiresModule, Target: "gone"},
			}},
			{Name: "b", Edges: []depgraph.Edge{{Kind: depgraph.RequiresModule, Target: "base", Constraint: "<3"}}},
			{Name: "base", Version: "1.5.0", Edges: []depgraph.Edge{{Kind: depgraph.After, Target: "b"}}},
		},
		Roots:      []depgraph.Root{{Name: "--allocator", Module: "a"}},
		Candidates: []depgraph.Module{{Name: "base", Version: "2.1.0"}, {Name: "base", Version: "3.0.0"}},
	})
	for _, f := range findings {
		fmt.Print(f.Explain())
	}
	// Output:
	// missing-module: a requires gone, which is not there
	//   path: --allocator -> a -> gone
	//   mend: add gone (none is at hand), or drop what requires it
	// version-clash: base is 1.5.0; wanted by a (requires >=2), b (requires <3)
	//   path: --allocator -> a -> base (requires >=2)
	//   mend: load base 2.1.0 instead: at hand, and right for all requirers
	// cycle: each of these would have to come before itself: b -> base (requires <3) -> b (after)
	//   mend: drop the `after` of base towards b
}

func ExamplePlan_WriteText() {
	plan, _ := depgraph.Solve(depgraph.Input{
		Modules: []depgraph.Module{
			{Name: "app", Edges: []depgraph.Edge{{Kind: depgraph.Optional, Target: "log"}, {Kind: depgraph.Optional, Target: "trace"}}},
			{Name: "log", Version: "1.0.0"},
		},
		Roots: []depgraph.Root{{Name: "--hooks", Module: "app"}},
	})
	if err := plan.WriteText(os.Stdout); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2 modules in 2 levels, 2 needed
	// level 0
	//   1. log 1.0.0
	// level 1
	//   2. app
	//        optional -> log
	// --hooks binds app
}

func ExamplePlan_Graph() {
	plan, _ := depgraph.Solve(depgraph.Input{Modules: []depgraph.Module{
		{Name: "a", Edges: []depgraph.Edge{{Kind: depgraph.RequiresModule, Target: "b"}}},
		{Name: "b", Edges: []depgraph.Edge{{Kind: depgraph.After, Target: "c"}}},
		{Name: "c"},
	}})
	path, err := graph.ShortestPath(plan.Graph(), "a", "c")
	fmt.Println(path, err)
	// Output: [a b c] <nil>
}
