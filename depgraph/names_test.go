package depgraph

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNameTable(t *testing.T) {
	t.Run("finds every name, and the first of several modules of one", func(t *testing.T) {
		var modules []Module
		for i := range 1000 {
			m := Module{Name: fmt.Sprintf("m%03d", i/2)}
			modules = append(modules, m)
		}
		table := newNameTable(modules)
		assert.Equal(t, 500, table.count)
		for i := range 500 {
			node, ok := table.find(fmt.Sprintf("m%03d", i))
			assert.True(t, ok)
			assert.Equal(t, int32(2*i), node)
		}
	})
	t.Run("knows what is not there, also when it is empty", func(t *testing.T) {
		for _, modules := range [][]Module{nil, {{Name: "a"}}} {
			table := newNameTable(modules)
			_, ok := table.find("b")
			assert.False(t, ok)
			_, ok = table.find("")
			assert.False(t, ok)
		}
	})
	t.Run("tells names apart whose hashes are equal", func(t *testing.T) {
		table := newNameTable([]Module{{Name: "a"}, {Name: "b"}})
		_, ok := table.findHashed("c", table.hash("a"))
		assert.False(t, ok)
		node, ok := table.findHashed("a", table.hash("a"))
		assert.True(t, ok)
		assert.Zero(t, node)
	})
	t.Run("gives fetch a hash for each edge, in their order", func(t *testing.T) {
		modules := []Module{{Name: "a", Edges: []Edge{{Target: "b"}, {Target: "gone"}}}, {Name: "b", Edges: []Edge{{Target: "a", Constraint: ">=1"}}}}
		table := newNameTable(modules)
		hashes, _ := table.fetch(modules, nil)
		assert.Equal(t, []uint64{table.hash("b"), table.hash("gone"), table.hash("a")}, hashes)
	})
}
