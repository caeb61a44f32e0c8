package manager

import "slices"

// HandlesForTest returns the handles of a site as the role's type, as fx would
// inject them.
func HandlesForTest[T any](m *Manager, flag string) (all []T) {
	for _, h := range m.siteOf(flag).handles {
		all = append(all, h.(T))
	}
	return all
}

// BoundForTest returns the names of the modules that are bound to a site.
func BoundForTest(m *Manager, flag string) []string { return m.siteOf(flag).names }

// siteOf returns the site of a flag of this daemon.
func (m *Manager) siteOf(flag string) *site {
	for _, s := range m.sites {
		if s.Flag == flag || slices.Contains(s.Aliases, flag) {
			return s
		}
	}
	return nil
}

// RenewalsForTest says of how many handles new instances are told something.
func RenewalsForTest(m *Manager) int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return len(m.renewals)
}

// GroupsForTest numbers the groups of the libraries that have a process, in load order.
func GroupsForTest(m *Manager) (numbers []int) {
	seen := map[*group]int{}
	libs := m.mortals()
	groups := m.makeGroups(libs)
	for _, lib := range libs {
		if _, ok := seen[groups[lib]]; !ok {
			seen[groups[lib]] = len(seen)
		}
		numbers = append(numbers, seen[groups[lib]])
	}
	return numbers
}
