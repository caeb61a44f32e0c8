package depgraph

import "container/heap"

// sorted is the order of the modules, by number.
type sorted struct {
	order    []int32 // shorter than the modules if there is a cycle
	position []int32 // place in order, -1 for modules in or behind a cycle
	level    []int32 // 0 for a module that waits for nobody, else one more than the highest it waits for
	levels   int
}

// sortModules is Kahn's algorithm: whoever waits for nobody left comes next, the smallest name first. The heap makes
// the order independent of the input's; it costs O((V + E) log V).
func sortModules(n *net) sorted {
	count := len(n.modules)
	rows, waiting := dependents(n)
	missing := make([]int32, count)
	s := sorted{order: make([]int32, 0, count), position: make([]int32, count), level: make([]int32, count)}
	ready := make(numbers, 0, count)
	for i := range missing {
		missing[i] = n.rows[i+1] - n.rows[i]
		s.position[i] = -1
		if missing[i] == 0 {
			ready = append(ready, int32(i)) // ascending, hence already a heap
		}
	}
	for len(ready) > 0 {
		node := ready[0]
		heap.Pop(&ready)
		s.position[node] = int32(len(s.order))
		s.order = append(s.order, node)
		s.levels = max(s.levels, int(s.level[node])+1)
		for _, source := range waiting[rows[node]:rows[node+1]] {
			s.level[source] = max(s.level[source], s.level[node]+1)
			if missing[source]--; missing[source] == 0 {
				heap.Push(&ready, source)
			}
		}
	}
	return s
}

// dependents reverses the arcs: who waits for node i is sources[rows[i]:rows[i+1]].
func dependents(n *net) (rows, sources []int32) {
	count := len(n.modules)
	rows = make([]int32, count+2)
	for _, a := range n.arcs {
		rows[a.to+2]++
	}
	for i := 2; i < len(rows); i++ {
		rows[i] += rows[i-1]
	}
	// rows[i+1] runs from the start of row i to its end while the row is filled, and is then where it belongs.
	sources = make([]int32, len(n.arcs))
	for node := range n.modules {
		for _, a := range n.row(int32(node)) {
			sources[rows[a.to+1]] = int32(node)
			rows[a.to+1]++
		}
	}
	return rows[:count+1], sources
}

// numbers is a heap of modules, smallest name first.
type numbers []int32

func (h numbers) Len() int           { return len(h) }
func (h numbers) Less(i, j int) bool { return h[i] < h[j] }
func (h numbers) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *numbers) Push(x any)        { *h = append(*h, x.(int32)) }
func (h *numbers) Pop() any {
	*h = (*h)[:len(*h)-1] // the caller has read it from the top: nothing to box
	return nil
}
