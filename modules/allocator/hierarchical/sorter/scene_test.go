package sorter

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/resources"
)

// scene is a sorter with clients that are called by their paths.
type scene struct {
	t       *testing.T
	totals  *Totals
	s       Sorter[string]
	clients map[string]*Client[string]
}

func newScene(t *testing.T, total string, excluded ...string) *scene {
	totals := NewTotals(excluded)
	totals.Add(q(t, total))
	return &scene{t: t, totals: totals, s: NewDRF[string](totals, false), clients: map[string]*Client[string]{}}
}

// chance replaces the sorter by a random one.
func (c *scene) chance(seed uint64) *scene {
	c.s = NewRandom[string](c.totals, rand.New(rand.NewPCG(seed, 0)), false)
	return c
}

func q(t testing.TB, text string) resources.Quantities {
	t.Helper()
	parsed, err := resources.ParseQuantities(text)
	require.NoError(t, err)
	return parsed
}

// add makes active clients.
func (c *scene) add(paths ...string) {
	for _, path := range paths {
		c.addInactive(path)
		c.s.Activate(c.clients[path])
	}
}

func (c *scene) addInactive(path string) {
	c.clients[path] = c.s.Add(path, path)
	assert.Equal(c.t, path, c.clients[path].Path())
}

func (c *scene) remove(path string) {
	c.s.Remove(c.clients[path])
	delete(c.clients, path)
}

func (c *scene) gets(path, text string)      { c.s.Allocated(c.clients[path], q(c.t, text)) }
func (c *scene) givesBack(path, text string) { c.s.Unallocated(c.clients[path], q(c.t, text)) }

// order wants the active clients in order, between spaces.
func (c *scene) order(want string) {
	c.t.Helper()
	assert.Equal(c.t, strings.Fields(want), append([]string{}, c.s.Sort()...))
}
