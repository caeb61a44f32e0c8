package sorter

import (
	"slices"

	"github.com/mesos-modules/mms/internal/resources"
)

// Client is one of a sorter's.
type Client[T any] struct {
	owner  T
	path   string
	node   *node[T] // a leaf
	active bool
}

// Path is what the client was added with.
func (c *Client[T]) Path() string { return c.path }

// node is one of the tree: a leaf, which is a client, or what clients are below. Of a
// client that others are below, the leaf is a child of its own, called ".".
type node[T any] struct {
	path     string
	parent   *node[T] // nil for the root
	children []*node[T]
	client   *Client[T] // of a leaf
	weight   float64

	// Of what is below too; the root, which has no neighbours, keeps none of it.
	has   resources.Quantities
	count uint64 // of allocations

	// What its place is by; the rest may have changed since it got it.
	share   float64 // divided by the weight
	times   uint64
	changed bool
}

func (n *node[T]) leaf() bool { return n.client != nil }

// tree is what all sorters have in common. The flat one has clients right below the
// root, whatever their paths.
type tree[T any] struct {
	root    *node[T]
	flat    bool
	weights map[string]float64 // those that are not 1
	nodes   map[string]*node[T]

	changed []*node[T] // leaves whose amounts have changed since the last Sort
	broken  bool       // there are other nodes, or weights, than at the last Sort
	shown   bool       // no client became active or inactive since the last Sort
}

func newTree[T any](flat bool) tree[T] {
	return tree[T]{root: &node[T]{}, flat: flat, weights: map[string]float64{}, nodes: map[string]*node[T]{}, broken: true}
}

// own is the name of the leaf of a client that others are below.
const own = "."

func (t *tree[T]) Add(path string, owner T) *Client[T] {
	c := &Client[T]{owner: owner, path: path}
	t.broken = true
	parent := t.root
	if !t.flat {
		for at, char := range path {
			if char == '/' {
				parent = t.inner(parent, path[:at])
			}
		}
	}
	if n := t.nodes[path]; n != nil { // others are below
		parent, path = n, path+"/"+own
	}
	c.node = t.newNode(parent, path)
	c.node.client = c
	return c
}

// inner returns the node of a path that something is to be below of.
func (t *tree[T]) inner(parent *node[T], path string) *node[T] {
	n := t.nodes[path]
	if n == nil {
		return t.newNode(parent, path)
	}
	if n.leaf() { // becomes an inner one, with what it has
		leaf := t.newNode(n, path+"/"+own)
		leaf.client, leaf.has, leaf.count = n.client, n.has, n.count
		leaf.client.node = leaf
		n.client = nil
	}
	return n
}

func (t *tree[T]) newNode(parent *node[T], path string) *node[T] {
	n := &node[T]{path: path, parent: parent, weight: t.weight(path)}
	parent.children = append(parent.children, n)
	t.nodes[path] = n
	return n
}

func (t *tree[T]) Remove(c *Client[T]) {
	t.broken = true
	t.Unallocated(c, c.node.has)
	n := c.node
	for n.parent != nil && len(n.children) == 0 {
		delete(t.nodes, n.path)
		at := slices.Index(n.parent.children, n)
		n.parent.children = slices.Delete(n.parent.children, at, at+1)
		n = n.parent
	}
	if n.parent == nil || len(n.children) != 1 || n.children[0].path != n.path+"/"+own {
		return
	}
	leaf := n.children[0] // nothing is below the client any more
	delete(t.nodes, leaf.path)
	n.client, n.children = leaf.client, nil
	n.client.node = n
}

func (t *tree[T]) Activate(c *Client[T])   { t.show(c, true) }
func (t *tree[T]) Deactivate(c *Client[T]) { t.show(c, false) }

func (t *tree[T]) show(c *Client[T], active bool) {
	if c.active != active {
		c.active, t.shown = active, false
	}
}

func (t *tree[T]) SetWeight(path string, weight float64) {
	if t.weights[path] == weight {
		return
	}
	t.weights[path] = weight
	if n := t.nodes[path]; n != nil {
		n.weight, t.broken = weight, true
	}
}

func (t *tree[T]) weight(path string) float64 {
	if w, given := t.weights[path]; given {
		return w
	}
	return 1
}

func (t *tree[T]) Allocated(c *Client[T], q resources.Quantities) {
	for n := c.node; n.parent != nil; n = n.parent {
		n.has = n.has.Add(q)
		n.count++
	}
	t.touch(c.node)
}

func (t *tree[T]) Unallocated(c *Client[T], q resources.Quantities) {
	for n := c.node; n.parent != nil; n = n.parent {
		n.has = n.has.Sub(q)
	}
	t.touch(c.node)
}

func (t *tree[T]) Uncount(c *Client[T]) {
	for n := c.node; n.parent != nil; n = n.parent {
		n.count--
	}
	t.touch(c.node)
}

func (t *tree[T]) Update(c *Client[T], before, after resources.Quantities) {
	for n := c.node; n.parent != nil; n = n.parent {
		n.has = n.has.Sub(before).Add(after)
	}
	t.touch(c.node)
}

func (t *tree[T]) touch(n *node[T]) {
	if !n.changed && !t.broken {
		n.changed = true
		t.changed = append(t.changed, n)
	}
}

func (t *tree[T]) standings(c *Client[T], totals *Totals) []Standing {
	var all []Standing
	for n := c.node; n.parent != nil; n = n.parent {
		all = append(all, Standing{Path: n.path, Share: totals.share(n.has), Weight: n.weight, Allocations: n.count})
	}
	slices.Reverse(all)
	return all
}

func (t *tree[T]) Has(c *Client[T]) resources.Quantities { return c.node.has }

// list appends the owners of active clients, in order.
func (n *node[T]) list(owners []T) []T {
	if n.leaf() {
		if n.client.active {
			owners = append(owners, n.client.owner)
		}
		return owners
	}
	for _, child := range n.children {
		owners = child.list(owners)
	}
	return owners
}
