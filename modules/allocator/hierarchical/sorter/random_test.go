package sorter

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
)

// firsts counts who comes first.
func (c *scene) firsts(n int) map[string]int {
	counts := map[string]int{}
	for range n {
		counts[c.s.Sort()[0]]++
	}
	return counts
}

func TestRandom(t *testing.T) {
	const n = 20000
	t.Run("equal weights have equal chances", func(t *testing.T) {
		c := newScene(t, "cpus:10").chance(1)
		c.add("a", "b", "c", "d")
		c.gets("a", "cpus:9") // does not count
		for _, path := range []string{"a", "b", "c", "d"} {
			assert.InDelta(t, n/4, c.firsts(n)[path], n/40, path)
		}
		assert.InDelta(t, 0.9, c.s.Share(c.clients["a"]), 1e-9)
	})
	t.Run("chances are those of the weights", func(t *testing.T) {
		c := newScene(t, "cpus:10").chance(2)
		c.s.SetWeight("b", 3)
		c.add("a", "b")
		assert.InDelta(t, n*3/4, c.firsts(n)["b"], n/40)
		c.s.SetWeight("b", 1)
		assert.InDelta(t, n/2, c.firsts(n)["b"], n/40)
	})
	t.Run("who is below shares the chance of who is above", func(t *testing.T) {
		c := newScene(t, "cpus:10").chance(3)
		c.s.SetWeight("b", 2)
		c.s.SetWeight("b/x", 3)
		c.add("a", "b/x", "b/y", "b")
		got := c.firsts(n)
		assert.InDelta(t, n/3, got["a"], n/40)
		assert.InDelta(t, n*2/3*3/5, got["b/x"], n/40)
		assert.InDelta(t, n*2/3/5, got["b/y"], n/40)
		assert.InDelta(t, n*2/3/5, got["b"], n/40)
	})
	t.Run("who is inactive takes no chance away", func(t *testing.T) {
		c := newScene(t, "cpus:10").chance(4)
		c.s.SetWeight("c", 100)
		c.add("a", "b")
		c.addInactive("c/d")
		got := c.firsts(n)
		assert.InDelta(t, n/2, got["a"], n/40)
		assert.Zero(t, got["c/d"])
		c.s.Activate(c.clients["c/d"])
		assert.Greater(t, c.firsts(n)["c/d"], n*9/10)
		c.remove("c/d")
		assert.InDelta(t, n/2, c.firsts(n)["b"], n/40)
	})
	t.Run("one seed gives one order, another another", func(t *testing.T) {
		orders := func(seed uint64) (all []string) {
			c := newScene(t, "cpus:10").chance(seed)
			c.add("a", "b", "c", "d", "e/f", "e/g")
			for range 20 {
				all = append(all, c.s.Sort()...)
			}
			return all
		}
		assert.Equal(t, orders(7), orders(7))
		assert.NotEqual(t, orders(7), orders(8))
	})
	t.Run("all that are active come once", func(t *testing.T) {
		c := newScene(t, "cpus:10").chance(5)
		c.order("")
		c.add("c", "a/b", "a")
		assert.Equal(t, []string{"a", "a/b", "c"}, slices.Sorted(slices.Values(c.s.Sort())))
	})
}
