package sorter

import (
	"cmp"
	"slices"
)

// NewDRF serves those first whose share divided by their weight is the smallest; of
// several such ones the one with fewer allocations so far, and then the first in the
// alphabet. The flat one takes paths as names.
func NewDRF[T any](totals *Totals, flat bool) Sorter[T] {
	return &drf[T]{tree: newTree[T](flat), totals: totals}
}

// drf sorts anew as little as it can: within one run of an allocator the totals stay,
// so only those move that something was allocated to.
type drf[T any] struct {
	tree[T]
	totals *Totals
	seen   uint64 // version of the totals
	order  []T
}

var _ Sorter[int] = (*drf[int])(nil)

// many is how many changes are not worth looking at one by one.
const many = 64

func (d *drf[T]) Sort() []T {
	switch {
	case d.broken || d.seen != d.totals.version || len(d.changed) > many:
		d.sort(d.root)
	case len(d.changed) > 0:
		for _, leaf := range d.changed {
			for n := leaf; n.parent != nil; n = n.parent {
				d.move(n)
			}
		}
	case d.shown:
		return d.order
	}
	for _, leaf := range d.changed {
		leaf.changed = false
	}
	d.changed = d.changed[:0]
	d.broken, d.shown, d.seen = false, true, d.totals.version
	clear(d.order) // what was removed is not kept
	d.order = d.root.list(d.order[:0])
	return d.order
}

func (d *drf[T]) Share(c *Client[T]) float64 { return d.totals.share(c.node.has) }

// sort sorts all below a node.
func (d *drf[T]) sort(n *node[T]) {
	for _, child := range n.children {
		d.measure(child)
		d.sort(child)
	}
	slices.SortFunc(n.children, before[T])
}

func (d *drf[T]) measure(n *node[T]) { n.share, n.times = d.totals.share(n.has)/n.weight, n.count }

// move finds the place of one among its neighbours, which are in order.
func (d *drf[T]) move(n *node[T]) {
	all := n.parent.children
	if len(all) == 1 {
		d.measure(n)
		return
	}
	from := slices.Index(all, n)
	d.measure(n)
	copy(all[from:], all[from+1:])
	rest := all[:len(all)-1]
	to, _ := slices.BinarySearchFunc(rest, n, before[T])
	copy(all[to+1:], all[to:len(all)-1])
	all[to] = n
}

func before[T any](a, b *node[T]) int {
	if a.share != b.share {
		return cmp.Compare(a.share, b.share)
	}
	if a.times != b.times {
		return cmp.Compare(a.times, b.times)
	}
	return cmp.Compare(a.path, b.path)
}
