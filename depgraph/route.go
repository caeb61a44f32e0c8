package depgraph

import "fmt"

// routes says which modules are needed by a root, and the shortest way to each.
type routes struct {
	place  []int32 // when the search came by, from 0; -1 if never: not needed
	parent []int32 // module it was reached from, -1 if a root binds it
	via    []arc   // arc from the parent
	root   []int32 // root at the head of its path
	length []int32 // modules on its path, itself included
}

// trace walks breadth first from all roots at once along the edges that make their target needed. Roots and rows are
// sorted by name and the queue is first in, first out, so the first way found to a module is the shortest one, and of
// several the first by name.
func trace(n *net, roots []int32) routes {
	count := len(n.modules)
	r := routes{
		place: make([]int32, count), parent: make([]int32, count), via: make([]arc, count),
		root: make([]int32, count), length: make([]int32, count),
	}
	for i := range r.place {
		r.place[i], r.parent[i] = -1, -1
	}
	var queue []int32
	reach := func(node int32) bool {
		if r.place[node] >= 0 {
			return false
		}
		r.place[node] = int32(len(queue))
		queue = append(queue, node)
		return true
	}
	for i, node := range roots {
		if node >= 0 && reach(node) {
			r.root[node], r.length[node] = int32(i), 1
		}
	}
	for i := 0; i < len(queue); i++ {
		node := queue[i]
		for _, a := range n.row(node) {
			if n.modules[node].Edges[a.edge].Kind.needs() && reach(a.to) {
				r.parent[a.to], r.via[a.to] = node, a
				r.root[a.to], r.length[a.to] = r.root[node], r.length[node]+1
			}
		}
	}
	return r
}

func (r *routes) needed(node int32) bool { return r.place[node] >= 0 }

// before says whether a is the better start of an explanation than b: nearer to a root, then by name.
func (r *routes) before(a, b int32) bool {
	if r.needed(a) != r.needed(b) {
		return r.needed(a)
	}
	if r.needed(a) {
		return r.place[a] < r.place[b]
	}
	return a < b
}

// path returns the hops from the root to node, or node alone if no root needs it. Beyond limit hops it keeps the root
// and the last ones, with a hop between that counts the rest.
func (r *routes) path(n *net, roots []Root, node int32, limit int) []Hop {
	if !r.needed(node) {
		return []Hop{{Name: n.modules[node].Name}}
	}
	kept, skipped := int(r.length[node]), 0
	if kept+1 > limit {
		kept, skipped = limit-2, kept-(limit-2)
	}
	root := roots[r.root[node]]
	path := make([]Hop, 0, kept+3)
	path = append(path, Hop{Name: root.Name})
	if skipped > 0 {
		path = append(path, Hop{Name: fmt.Sprintf("(%d modules)", skipped)})
	}
	start := len(path)
	path = path[:start+kept]
	for i := len(path) - 1; i >= start; i-- {
		if parent := r.parent[node]; parent >= 0 {
			path[i] = n.hop(parent, r.via[node])
			node = parent
		} else {
			path[i] = Hop{Name: n.modules[node].Name, Via: Binds, Constraint: root.Constraint}
		}
	}
	return path
}
