package sorter

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
)

// NewRandom serves by lot, anew at each Sort. The chance of each node to come before
// its neighbours is that of its weight; where all clients below a node are inactive it
// takes no part. Of several sorters with one source of chance the order of the calls
// counts. The flat one takes paths as names.
func NewRandom[T any](totals *Totals, chance *rand.Rand, flat bool) Sorter[T] {
	return &random[T]{tree: newTree[T](flat), totals: totals, chance: chance}
}

type random[T any] struct {
	tree[T]
	totals *Totals
	chance *rand.Rand
	lots   []lot[T]
	order  []T
}

var _ Sorter[int] = (*random[int])(nil)

type lot[T any] struct {
	owner  T
	weight float64 // among all
	number float64
}

// Sort draws from the exponential distribution: that with rate w comes before the
// others with the chance of w among all rates, and so on for the rest (Efraimidis and
// Spirakis, 2006).
func (r *random[T]) Sort() []T {
	if r.broken || !r.shown {
		slices.SortFunc(r.root.children, func(a, b *node[T]) int { return cmp.Compare(a.path, b.path) })
		clear(r.lots)
		r.lots = r.draw(r.root, 1, r.lots[:0])
		r.broken, r.shown = false, true
	}
	r.changed = r.changed[:0] // what they have does not count
	for i := range r.lots {
		r.lots[i].number = -math.Log(1-r.chance.Float64()) / r.lots[i].weight
	}
	slices.SortStableFunc(r.lots, func(a, b lot[T]) int { return cmp.Compare(a.number, b.number) })
	clear(r.order)
	r.order = r.order[:0]
	for i := range r.lots {
		r.order = append(r.order, r.lots[i].owner)
	}
	return r.order
}

// draw collects the active clients below a node, which has a part of the weight of all.
func (r *random[T]) draw(n *node[T], part float64, lots []lot[T]) []lot[T] {
	if n.leaf() {
		return append(lots, lot[T]{owner: n.client.owner, weight: part})
	}
	sum := 0.0
	for _, child := range n.children {
		if child.takesPart() {
			sum += child.weight
		}
	}
	for _, child := range n.children {
		if child.takesPart() {
			lots = r.draw(child, part*child.weight/sum, lots)
		}
	}
	return lots
}

func (n *node[T]) takesPart() bool {
	if n.leaf() {
		return n.client.active
	}
	return slices.ContainsFunc(n.children, (*node[T]).takesPart)
}

func (r *random[T]) Share(c *Client[T]) float64 { return r.totals.share(c.node.has) }

func (r *random[T]) Standings(c *Client[T]) []Standing { return r.standings(c, r.totals) }
