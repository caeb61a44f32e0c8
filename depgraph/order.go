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
func sortModules(n *net, waiting *dependents) sorted {
	count := len(n.modules)
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
		for _, c := range waiting.on(node) {
			s.level[c.source] = max(s.level[c.source], s.level[node]+1)
			if missing[c.source]--; missing[c.source] == 0 {
				heap.Push(&ready, c.source)
			}
		}
	}
	return s
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
