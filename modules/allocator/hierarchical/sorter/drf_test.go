package sorter

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/resources"
)

// The names of the tests are those of upstream (src/tests/sorter_tests.cpp).

func TestDRF(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.order("")
	c.add("a", "b")
	c.gets("a", "cpus:5;mem:5")
	c.gets("b", "cpus:6;mem:6")
	c.order("a b")

	c.add("c", "d")
	c.gets("c", "cpus:1;mem:1")
	c.gets("d", "cpus:3;mem:1")
	c.order("c d a b")

	c.remove("d")
	c.s.Deactivate(c.clients["b"])
	c.order("c a")

	c.s.Activate(c.clients["b"])
	c.gets("c", "cpus:5;mem:5")
	c.order("a b c") // b and c have the same, and c was served more often

	c.totals.Add(q(t, "mem:150"))
	c.gets("a", "cpus:2;mem:40")
	c.order("b c a")
	assert.InDelta(t, 45.0/250, c.s.Share(c.clients["a"]), 1e-9)

	c.givesBack("b", "cpus:6;mem:6")
	c.totals.Sub(q(t, "mem:150"))
	c.order("b c a")
	assert.True(t, c.s.Has(c.clients["b"]).Empty())
}

func TestWDRF(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a")
	c.gets("a", "cpus:5;mem:5")
	c.s.SetWeight("b", 2)
	c.add("b")
	c.gets("b", "cpus:6;mem:6")
	c.order("b a") // 3 % and 5 %
	c.add("c")
	c.gets("c", "cpus:4;mem:4")
	c.order("b c a")
	c.gets("b", "cpus:2;mem:2")
	c.order("c b a") // both 4 %, c was served less often
	c.gets("b", "cpus:1")
	c.order("c b a")
	c.gets("b", "cpus:2")
	c.order("c a b")
	assert.InDelta(t, 0.11, c.s.Share(c.clients["b"]), 1e-9, "without the weight")
}

func TestUpdateWeight(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a", "b")
	c.gets("a", "cpus:5;mem:5")
	c.gets("b", "cpus:6;mem:6")
	c.order("a b")
	c.s.SetWeight("b", 2)
	c.order("b a")
	c.s.SetWeight("b", 2)
	c.s.SetWeight("b", 1)
	c.order("a b")
}

func TestAllocationCountTieBreak(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("b", "a")
	c.order("a b")
	c.gets("a", "cpus:3;mem:3")
	c.givesBack("a", "cpus:3;mem:3")
	c.order("b a") // equal shares, but a was served
	c.gets("b", "cpus:3;mem:3")
	c.givesBack("b", "cpus:3;mem:3")
	c.order("a b")
	c.s.Update(c.clients["a"], q(t, ""), q(t, "cpus:1"))
	c.order("b a")
	c.s.Update(c.clients["a"], q(t, "cpus:1"), q(t, ""))
	c.order("a b") // what replaces is no allocation
}

func TestFairnessExclusion(t *testing.T) {
	c := newScene(t, "cpus:100;gpus:10", "gpus")
	c.add("a", "b")
	c.gets("a", "gpus:10")
	c.gets("b", "cpus:1")
	c.order("a b")
	assert.Zero(t, c.s.Share(c.clients["a"]))
}

func TestShallowHierarchy(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a/a", "b/b")
	c.gets("a/a", "cpus:5;mem:5")
	c.gets("b/b", "cpus:6;mem:6")
	c.order("a/a b/b")
	c.add("c/c", "d/d")
	c.gets("c/c", "cpus:1;mem:1")
	c.gets("d/d", "cpus:3;mem:1")
	c.order("c/c d/d a/a b/b")
	c.remove("d/d")
	c.order("c/c a/a b/b")
}

func TestDeepHierarchy(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a/a/a/a/a", "b/b/b/b")
	c.gets("a/a/a/a/a", "cpus:5;mem:5")
	c.gets("b/b/b/b", "cpus:6;mem:6")
	c.order("a/a/a/a/a b/b/b/b")
	c.add("c/c/c/c", "d/d/d/d/d")
	c.gets("c/c/c/c", "cpus:1;mem:1")
	c.gets("d/d/d/d/d", "cpus:3;mem:1")
	c.order("c/c/c/c d/d/d/d/d a/a/a/a/a b/b/b/b")
	c.s.Deactivate(c.clients["c/c/c/c"])
	c.order("d/d/d/d/d a/a/a/a/a b/b/b/b")
}

func TestHierarchicalAllocation(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a", "b/c", "b/d")
	c.gets("a", "cpus:6")
	c.gets("b/c", "cpus:4")
	c.gets("b/d", "cpus:5")
	c.order("a b/c b/d") // b has 9 in all
	c.gets("a", "cpus:4")
	c.order("b/c b/d a")
	c.gets("b/c", "cpus:2")
	c.order("a b/d b/c")
	c.add("b/e/f")
	c.order("a b/e/f b/d b/c")
	c.givesBack("b/c", "cpus:6")
	c.order("b/e/f b/c b/d a")
}

func TestHierarchicalIterationOrder(t *testing.T) {
	c := newScene(t, "cpus:100")
	c.add("a/b", "c", "a/d/e", "a/d")
	c.gets("a/b", "cpus:4")
	c.gets("c", "cpus:8")
	c.gets("a/d/e", "cpus:2")
	c.gets("a/d", "cpus:1")
	c.order("a/d a/d/e a/b c")
	c.gets("a/d", "cpus:2")
	c.order("c a/b a/d/e a/d")
}

func TestAddChildToLeaf(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a", "b")
	c.gets("a", "cpus:10;mem:10")
	c.gets("b", "cpus:6;mem:6")
	c.order("b a")
	c.add("a/c")
	c.order("b a/c a") // a competes with its own child
	c.gets("a/c", "cpus:1")
	c.givesBack("a", "cpus:6;mem:6")
	c.order("a/c a b")
	assert.True(t, c.s.Has(c.clients["a"]).Equal(q(t, "cpus:4;mem:4")))
}

func TestAddChildToInternal(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("x/a", "x/b")
	c.gets("x/a", "cpus:10;mem:10")
	c.gets("x/b", "cpus:6;mem:6")
	c.order("x/b x/a")
	c.add("x")
	c.order("x x/b x/a")
	c.gets("x", "cpus:7;mem:7")
	c.order("x/b x x/a")
	c.add("z")
	c.gets("z", "cpus:20;mem:20")
	c.order("z x/b x x/a")
}

func TestAddChildToInactiveLeaf(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.addInactive("a")
	c.add("b")
	c.gets("a", "cpus:10;mem:10")
	c.gets("b", "cpus:6;mem:6")
	c.order("b")
	c.add("a/c")
	c.order("b a/c")
	c.s.Activate(c.clients["a"])
	c.order("b a/c a")
}

func TestRemoveLeafCollapseParent(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.add("a", "a/b", "c")
	c.gets("a", "cpus:4")
	c.gets("a/b", "cpus:6")
	c.gets("c", "cpus:5")
	c.order("c a a/b")
	c.remove("a/b") // and what it had is gone
	c.order("a c")
	c.gets("a", "cpus:4")
	c.order("c a")
	c.add("a/b")
	c.order("c a/b a")
	c.remove("a")
	c.order("a/b c")
	c.remove("a/b")
	c.order("c")
	c.add("a")
	c.order("a c")
}

func TestChangeWeightOnSubtree(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100")
	c.s.SetWeight("b", 3)
	c.add("a/x", "b/y", "b/z")
	c.gets("a/x", "cpus:5")
	c.gets("b/y", "cpus:5")
	c.gets("b/z", "cpus:4")
	c.order("b/z b/y a/x")
	c.s.SetWeight("b", 1)
	c.order("a/x b/z b/y")
	c.s.SetWeight("b/y", 2)
	c.order("a/x b/y b/z")
	c.s.SetWeight("a", 0.5)
	c.order("b/y b/z a/x")
	c.s.SetWeight("b", 0.1)
	c.order("a/x b/y b/z")
	c.add("b") // weighs 1 among its children, whatever b weighs
	c.gets("b", "cpus:3")
	c.order("a/x b/y b b/z")
}

func TestSplitResourceShares(t *testing.T) {
	c := newScene(t, "cpus:100;mem:100;disk:100;ports:100")
	c.add("a", "b")
	c.gets("a", "cpus:9;mem:9")
	c.gets("a", "disk:9")
	c.gets("b", "cpus:9.5")
	c.order("a b") // the largest of the parts, not their sum
}

func TestUpdateTotal(t *testing.T) {
	c := newScene(t, "cpus:10;mem:100")
	c.add("a", "b")
	c.gets("a", "cpus:2;mem:1") // 20 %
	c.gets("b", "cpus:1;mem:2")
	c.order("b a")
	c.totals.Sub(q(t, "cpus:10;mem:100"))
	c.totals.Add(q(t, "cpus:100;mem:10"))
	c.order("a b")
	c.totals.Sub(q(t, "cpus:100;mem:10"))
	c.order("a b") // nothing left, all equal
	assert.Zero(t, c.s.Share(c.clients["a"]))
	assert.True(t, c.totals.Sum().Empty())
}

func TestAllocationForInactiveClient(t *testing.T) {
	c := newScene(t, "cpus:10;mem:10")
	c.addInactive("a")
	c.addInactive("b")
	c.gets("a", "cpus:2;mem:2")
	c.gets("b", "cpus:3;mem:3")
	c.order("")
	c.s.Activate(c.clients["b"])
	c.s.Activate(c.clients["a"])
	c.order("a b")
}

func TestFlatTakesPathsAsNames(t *testing.T) {
	totals := NewTotals(nil)
	totals.Add(q(t, "cpus:10"))
	s := NewDRF[string](totals, true)
	first, second := s.Add("a", "a"), s.Add("a/b", "a/b")
	s.Activate(first)
	s.Activate(second)
	s.Allocated(second, q(t, "cpus:1"))
	require.Equal(t, []string{"a", "a/b"}, s.Sort())
	assert.True(t, s.Has(first).Empty())
}

// TestAgainstSortingAnew compares with one that sorts everything each time.
func TestAgainstSortingAnew(t *testing.T) {
	for seed := range uint64(60) {
		rng := rand.New(rand.NewPCG(seed, 0))
		c := newScene(t, "cpus:1000;mem:1000")
		paths := []string{"a", "b", "a/b", "a/c", "a/b/c", "d/e", "d/f", "d/f/g", "h", "i", "j"}
		if seed%2 == 0 { // nothing is below anything
			paths = []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}
		}
		for range 300 {
			path := paths[rng.IntN(len(paths))]
			client := c.clients[path]
			amount := q(t, fmt.Sprintf("cpus:%d;mem:%d", rng.IntN(4), rng.IntN(4)))
			switch {
			case client == nil:
				c.add(path)
			case rng.IntN(40) == 0:
				c.remove(path)
			case rng.IntN(20) == 0:
				c.s.Deactivate(client)
			case rng.IntN(10) == 0:
				c.s.Activate(client)
			case rng.IntN(20) == 0:
				c.s.SetWeight(path, float64(1+rng.IntN(3)))
			case rng.IntN(4) == 0 && c.s.Has(client).Contains(amount):
				c.s.Unallocated(client, amount)
			default:
				c.s.Allocated(client, amount)
			}
			if rng.IntN(3) == 0 {
				got := slices.Clone(c.s.Sort())
				c.s.(*drf[string]).broken = true
				require.Equal(t, c.s.Sort(), got, "seed %d", seed)
			}
		}
		for _, n := range c.s.(*drf[string]).nodes {
			sum := resources.Quantities{}
			for _, child := range n.children {
				sum = sum.Add(child.has)
			}
			require.True(t, n.leaf() || sum.Equal(n.has), "seed %d: %s has what all below have", seed, n.path)
		}
	}
}
