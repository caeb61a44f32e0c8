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
	plain  bool // the order is that of the root's children: all are leaves, and active
}

var _ Sorter[int] = (*drf[int])(nil)

// many is how many changes are not worth looking at one by one.
const many = 64

func (d *drf[T]) Sort() []T {
	anew := d.broken || d.seen != d.totals.version || len(d.changed) > many
	switch {
	case anew:
		d.sort(d.root)
	case d.shown && d.plain:
		for _, leaf := range d.changed {
			from, to := d.move(leaf)
			shift(d.order, from, to)
		}
	default:
		for _, leaf := range d.changed {
			for n := leaf; n.parent != nil; n = n.parent {
				d.move(n)
			}
		}
	}
	if anew || !d.shown || !d.plain && len(d.changed) > 0 {
		d.list()
	}
	for _, leaf := range d.changed {
		leaf.changed = false
	}
	d.changed = d.changed[:0]
	d.broken, d.shown, d.seen = false, true, d.totals.version
	return d.order
}

// list makes the order of the tree's.
func (d *drf[T]) list() {
	clear(d.order) // what was removed is not kept
	d.order = d.root.list(d.order[:0])
	d.plain = len(d.order) == len(d.root.children) && !slices.ContainsFunc(d.root.children, func(n *node[T]) bool { return !n.leaf() })
}

func (d *drf[T]) Share(c *Client[T]) float64 { return d.totals.share(c.node.has) }

func (d *drf[T]) Standings(c *Client[T]) []Standing { return d.standings(c, d.totals) }

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
func (d *drf[T]) move(n *node[T]) (from, to int) {
	all := n.parent.children
	from, _ = slices.BinarySearchFunc(all, n, before[T])
	d.measure(n)
	to = from
	switch {
	case from > 0 && before(n, all[from-1]) < 0:
		to, _ = slices.BinarySearchFunc(all[:from], n, before[T])
	case from < len(all)-1 && before(n, all[from+1]) > 0:
		at, _ := slices.BinarySearchFunc(all[from+1:], n, before[T])
		to = from + at
	}
	shift(all, from, to)
	return from, to
}

// shift moves one of a list to another place.
func shift[E any](all []E, from, to int) {
	one := all[from]
	if from < to {
		copy(all[from:to], all[from+1:to+1])
	} else {
		copy(all[to+1:from+1], all[to:from])
	}
	all[to] = one
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
