package manager

import "github.com/mesos-modules/mms/manager/vehicle"

// turns gives libraries the same turn that can concern the same instances, because a
// module requires something of both or stands in for one of the other. So each group
// is emptied and filled by one at a time, and no group waits for another.
func (m *Manager) turns(libs []*library) map[*library]chan struct{} {
	m.mu.RLock()
	defer m.mu.RUnlock()
	g := groups{}
	stands := map[*module]bool{} // on a process
	for _, mod := range m.order {
		if _, mortal := mod.library.open.(vehicle.Mortal); mortal {
			stands[mod] = true
			g.join(mod, mod.library)
		}
		for _, r := range m.result.Plan.Graph.Requirements(mod.name) {
			if other := m.modules[r.Module]; stands[other] {
				stands[mod] = true
				g.join(mod, other)
			}
		}
	}
	for _, mod := range m.order {
		if other := m.modules[mod.onFailure.Fallback]; other != nil && stands[other] {
			g.join(mod, other)
		}
	}
	byGroup := map[any]chan struct{}{}
	turns := map[*library]chan struct{}{}
	for _, lib := range libs {
		first := g.find(lib)
		if byGroup[first] == nil {
			byGroup[first] = make(chan struct{}, 1)
		}
		turns[lib] = byGroup[first]
	}
	return turns
}

// groups are disjoint sets of libraries and modules: each knows another one of its set,
// up to one that knows none.
type groups map[any]any

func (g groups) find(x any) any {
	for g[x] != nil {
		x = g[x]
	}
	return x
}

func (g groups) join(x, y any) {
	if a, b := g.find(x), g.find(y); a != b {
		g[a] = b
	}
}
