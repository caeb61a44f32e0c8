// Package sorter puts the clients of an allocator in the order in which they are
// to be served: by their share of the cluster (NewDRF, dominant resource fairness,
// Ghodsi et al., NSDI 2011), or by chance (NewRandom). Weights count in both.
//
// Clients have paths, and their paths are a tree: a/b is below a. Order is made
// level by level, as Apache Mesos does (src/master/allocator/mesos/sorter): all
// below a stands where a has its place among its neighbours. A client that has
// others below it competes with them like a child called ".", whose weight is 1.
//
// A sorter is for one goroutine at a time.
package sorter

import "github.com/mesos-modules/mms/internal/resources"

// Sorter keeps what clients have and puts them in order. Owners are what the
// clients stand for; only they come out. Clients begin inactive, without anything.
type Sorter[T any] interface {
	// Add makes a client. No other has its path.
	Add(path string, owner T) *Client[T]

	// Remove forgets a client and all that it has.
	Remove(c *Client[T])

	// Activate and Deactivate say whether Sort gives the client. What it has
	// counts in any case.
	Activate(c *Client[T])
	Deactivate(c *Client[T])

	// SetWeight is for a path, whether there is a client or not; without it a
	// weight is 1. It is above 0.
	SetWeight(path string, weight float64)

	// Allocated adds to what the client and all above it have, and counts as one
	// allocation. Unallocated takes away.
	Allocated(c *Client[T], q resources.Quantities)
	Unallocated(c *Client[T], q resources.Quantities)

	// Update replaces some of what the client has, which is no allocation.
	Update(c *Client[T], before, after resources.Quantities)

	// Sort returns the owners of the active clients, those to be served first at
	// the front. What is allocated meanwhile shows in the next Sort. The slice
	// is the sorter's, and good until that.
	Sort() []T

	// Share is the dominant share of a client, without its weight: 0 to 1, more if
	// more is allocated than there is.
	Share(c *Client[T]) float64

	// Has is what the client has, without those below it.
	Has(c *Client[T]) resources.Quantities

	// Uncount makes one allocation not have been, of the client and all above it;
	// what was allocated is taken away by Unallocated.
	Uncount(c *Client[T])

	// Standings are where the client stands, and all above it, each among its
	// neighbours: from the top of the tree down to the client itself. The slice is
	// the caller's.
	Standings(c *Client[T]) []Standing
}

// Standing is what a place among neighbours is by. Paths are different in one sorter.
type Standing struct {
	Path        string
	Share       float64 // the dominant share, with all below, without the weight
	Weight      float64
	Allocations uint64 // how often something was allocated here or below
}

// Totals are the resources of the cluster, which the shares are shares of. Several
// sorters may look at the same.
type Totals struct {
	excluded []string
	sum      resources.Quantities
	version  uint64
}

// NewTotals has nothing yet. Names that are excluded do not count in shares.
func NewTotals(excluded []string) *Totals { return &Totals{excluded: excluded} }

// Add adds what an agent has.
func (t *Totals) Add(q resources.Quantities) { t.set(t.sum.Add(q)) }

// Sub takes it away.
func (t *Totals) Sub(q resources.Quantities) { t.set(t.sum.Sub(q)) }

// Sum is the sum.
func (t *Totals) Sum() resources.Quantities { return t.sum }

func (t *Totals) set(sum resources.Quantities) {
	if !sum.Equal(t.sum) {
		t.sum = sum
		t.version++
	}
}

// share is the largest part of any resource.
func (t *Totals) share(q resources.Quantities) (share float64) {
	for name, amount := range q.All() {
		if total := t.sum.Get(name); total > 0 && !contains(t.excluded, name) {
			share = max(share, float64(amount)/float64(total))
		}
	}
	return share
}

func contains(names []string, name string) bool {
	for _, each := range names {
		if each == name {
			return true
		}
	}
	return false
}
