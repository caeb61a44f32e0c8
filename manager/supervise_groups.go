package manager

import "github.com/mesos-modules/mms/manager/vehicle"

// group is what the end of processes can concern together: libraries, and the modules
// that are in them, require one that is, or stand in for one. A group is emptied and
// filled by one of its libraries at a time, and no group waits for another.
type group struct {
	turn chan struct{} // held by the one
}

// take waits for the turn and returns what gives it back. (A channel, as in
// lifecycle.Sequence: fake time passes for those who wait for one.)
func (g *group) take() (giveBack func()) {
	g.turn <- struct{}{}
	return func() { <-g.turn }
}

// makeGroups says for each module that the end of a process can concern to which group
// it belongs, and returns the groups of the libraries.
func (m *Manager) makeGroups(libs []*library) map[*library]*group {
	m.mu.Lock()
	defer m.mu.Unlock()
	sets := sets{}
	stands := map[*module]bool{} // on a process
	for _, mod := range m.order {
		if _, mortal := mod.library.open.(vehicle.Mortal); mortal {
			stands[mod] = true
			sets.join(mod, mod.library)
		}
		for _, r := range m.requirements(mod) {
			if other := m.modules[r.Module]; stands[other] {
				stands[mod] = true
				sets.join(mod, other)
			}
		}
	}
	for _, mod := range m.order {
		if other := m.modules[mod.onFailure.Fallback]; other != nil && stands[other] {
			sets.join(mod, other)
		}
	}
	groups := map[any]*group{} // by their first member
	of := func(x any) *group {
		first := sets.find(x)
		if groups[first] == nil {
			groups[first] = &group{turn: make(chan struct{}, 1)}
		}
		return groups[first]
	}
	for _, mod := range m.order {
		if stands[mod] {
			mod.group = of(mod)
		}
	}
	byLibrary := map[*library]*group{}
	for _, lib := range libs {
		byLibrary[lib] = of(lib)
	}
	return byLibrary
}

// sets are disjoint: each member knows another one of its set, up to one that knows
// none.
type sets map[any]any

func (s sets) find(x any) any {
	for s[x] != nil {
		x = s[x]
	}
	return x
}

func (s sets) join(x, y any) {
	if a, b := s.find(x), s.find(y); a != b {
		s[a] = b
	}
}
