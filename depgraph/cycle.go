package depgraph

import (
	"fmt"
	"slices"
	"strings"
)

// explainCycles reports each knot, that is each set of modules that all wait for one another (a strongly connected
// component), once: by the shortest cycle through its smallest name.
func (x *explainer) explainCycles() {
	if len(x.sorted.order) == len(x.modules) {
		return
	}
	knots := findKnots(&x.net, x.sorted.position)
	for _, knot := range knots.members {
		cycle := knots.shortest(&x.net, slices.Min(knot))
		f := Finding{Rule: RuleCycle, Module: cycle[0].Name, Cycle: cycle}
		f.Text = "each of these would have to come before itself: " + PathString(cycle)
		if len(knot) > len(cycle)-1 {
			f.Text += fmt.Sprintf(" (%d modules are entangled; this is the shortest way round)", len(knot))
		}
		f.Mend = mendCycle(cycle)
		x.add(problem{node: x.numberOf(f.Module), Finding: f})
	}
}

// mendCycle proposes to drop an edge that only orders, if there is one.
func mendCycle(cycle []Hop) string {
	var kinds, soft []string
	for i, h := range cycle[1:] {
		if k := h.Via.String(); !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
		if h.Via.soft() && len(soft) < 3 {
			soft = append(soft, fmt.Sprintf("the `%s` of %s towards %s", label(h.Via, h.Role, ""), quote(cycle[i].Name), quote(h.Name)))
		}
	}
	if len(soft) > 0 {
		return "drop " + strings.Join(soft, ", or ")
	}
	return fmt.Sprintf("take out one of its edges (%s): what two modules need of each other belongs into a third", strings.Join(kinds, ", "))
}

// knots are the strongly connected components of more than one module.
type knots struct {
	of      []int32 // number of the knot of each module, -1 for none
	members [][]int32
}

// findKnots is Tarjan's algorithm ("Depth-first search and linear graph algorithms", 1972) with a stack of its own, so
// that a chain of any length is no danger to the goroutine's. Modules with a place in the order are in no knot and are
// passed over.
func findKnots(n *net, position []int32) knots {
	count := len(n.modules)
	k := knots{of: make([]int32, count)}
	for i := range k.of {
		k.of[i] = -1
	}
	type frame struct{ node, next int32 }
	var (
		seen    = make([]int32, count) // when first seen, from 1
		low     = make([]int32, count)
		onStack = make([]bool, count)
		stack   []int32
		calls   []frame
		clock   int32
	)
	enter := func(node int32) {
		clock++
		seen[node], low[node], onStack[node] = clock, clock, true
		stack = append(stack, node)
		calls = append(calls, frame{node: node})
	}
	leave := func(node int32) {
		if low[node] != seen[node] {
			return
		}
		start := len(stack) - 1
		for stack[start] != node {
			start--
		}
		for _, member := range stack[start:] {
			onStack[member] = false
		}
		if members := stack[start:]; len(members) > 1 {
			for _, member := range members {
				k.of[member] = int32(len(k.members))
			}
			k.members = append(k.members, slices.Clone(members))
		}
		stack = stack[:start]
	}
	for i := range count {
		if seen[i] > 0 || position[i] >= 0 {
			continue
		}
		enter(int32(i))
		for len(calls) > 0 {
			top := &calls[len(calls)-1]
			node, row := top.node, n.row(top.node)
			if int(top.next) == len(row) {
				leave(node)
				calls = calls[:len(calls)-1]
				if len(calls) > 0 {
					parent := calls[len(calls)-1].node
					low[parent] = min(low[parent], low[node])
				}
				continue
			}
			to := row[top.next].to
			top.next++
			switch {
			case position[to] >= 0:
			case seen[to] == 0:
				enter(to)
			case onStack[to]:
				low[node] = min(low[node], seen[to])
			}
		}
	}
	return k
}

// shortest walks breadth first from start inside its knot until it comes back, and returns the way, start at both ends.
func (k knots) shortest(n *net, start int32) []Hop {
	type step struct {
		node, from int32 // from is the step before, -1 for none
		via        arc
	}
	steps := []step{{node: start, from: -1}}
	seen := map[int32]bool{start: true}
	for i := 0; i < len(steps); i++ {
		for _, a := range n.row(steps[i].node) {
			if a.to == start {
				way := []Hop{n.hop(steps[i].node, a)}
				for j := int32(i); steps[j].from >= 0; j = steps[j].from {
					way = append(way, n.hop(steps[steps[j].from].node, steps[j].via))
				}
				way = append(way, Hop{Name: n.modules[start].Name})
				slices.Reverse(way)
				return way
			}
			if k.of[a.to] == k.of[start] && !seen[a.to] {
				seen[a.to] = true
				steps = append(steps, step{node: a.to, from: int32(i), via: a})
			}
		}
	}
	// Every module of a knot is on a cycle: not coming back would be a mistake of findKnots.
	panic(fmt.Sprintf("depgraph: no cycle through %q", n.modules[start].Name))
}
