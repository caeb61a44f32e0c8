package sorter

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestStandings(t *testing.T) {
	for name, c := range map[string]*scene{"drf": newScene(t, "cpus:100;mem:100"), "random": newScene(t, "cpus:100;mem:100").chance(1)} {
		t.Run(name, func(t *testing.T) {
			c.s.SetWeight("b", 2)
			c.add("a", "b", "b/c")
			c.gets("b", "cpus:10")
			c.gets("b/c", "mem:30")
			assert.Equal(t, []Standing{{Path: "a", Weight: 1}}, c.s.Standings(c.clients["a"]))
			assert.Equal(t, []Standing{{"b", 0.3, 2, 2}, {"b/.", 0.1, 1, 1}}, c.s.Standings(c.clients["b"]), "a leaf of its own beside those below")
			assert.Equal(t, []Standing{{"b", 0.3, 2, 2}, {"b/c", 0.3, 1, 1}}, c.s.Standings(c.clients["b/c"]))

			c.givesBack("b/c", "mem:30")
			c.s.Uncount(c.clients["b/c"])
			assert.Equal(t, []Standing{{"b", 0.1, 2, 1}, {"b/c", 0, 1, 0}}, c.s.Standings(c.clients["b/c"]), "as if it had never been")
		})
	}
}
