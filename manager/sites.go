package manager

import (
	"cmp"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// site is one binding site of this daemon: what its flag names, and the handles
// that the daemon holds. The handles exist from the start and never change.
type site struct {
	roles.Site
	role  roles.Role
	names []string        // of modules, in flag order
	has   map[string]bool // the same

	// handles implement the role, one for each name; nil for a role that has no
	// interface yet, and for Each, EachOf and All, whose instances have handles of
	// their own.
	handles []handle.Handle
}

// layOut makes the sites of the daemon with what the flags bind to them.
func (m *Manager) layOut() ([]*site, error) {
	var all []*site
	for _, role := range m.cfg.Roles {
		for _, row := range role.Sites {
			if row.On&m.cfg.Daemon == 0 {
				continue
			}
			s := &site{Site: row, role: role, has: map[string]bool{}}
			for _, ref := range m.boundBy(row) {
				s.names = append(s.names, ref.Name)
				s.has[ref.Name] = true
			}
			if err := m.makeHandles(s); err != nil {
				return nil, fmt.Errorf("site --%s: %w", row.Flag, err)
			}
			all = append(all, s)
		}
	}
	return all, nil
}

// boundBy returns the modules that flags, or else the default, bind to a site.
func (m *Manager) boundBy(row roles.Site) []verify.Ref {
	for _, b := range m.bound {
		if b.Flag == row.Flag || slices.Contains(row.Aliases, b.Flag) {
			return b.Refs
		}
	}
	return nil
}

// bindings are the given binding flags, then the defaults of the sites whose flag
// is not among them, in table order. The words of sites are resolved.
func (m *Manager) bindings() []verify.Binding {
	var all []verify.Binding
	for _, b := range m.cfg.Bindings {
		named := len(b.Refs) > 0
		if b.Refs = m.resolved(b); len(b.Refs) > 0 || !named {
			all = append(all, b)
		}
	}
	for _, role := range m.cfg.Roles {
		for _, row := range role.Sites {
			given := slices.ContainsFunc(m.cfg.Bindings, func(b verify.Binding) bool {
				return b.Flag == row.Flag || slices.Contains(row.Aliases, b.Flag)
			})
			if row.On&m.cfg.Daemon == 0 || given {
				continue
			}
			if refs := ordered(row, m.withAlways(row, m.standard(row))); len(refs) > 0 {
				all = append(all, verify.Binding{Flag: row.Flag, Refs: refs, FromDefault: true})
			}
		}
	}
	return all
}

// resolved are the modules that a flag names, in its order; words add those that are
// not there yet. A word of
// a site that only the other daemon has stands for modules that only that one is
// built with: it is left out, so that one flag file serves both.
func (m *Manager) resolved(b verify.Binding) []verify.Ref {
	row, here := m.rowOf(b.Flag)
	refs := make([]verify.Ref, 0, len(b.Refs))
	there := make(map[string]bool, len(b.Refs))
	for _, ref := range b.Refs {
		word := row.IsWord(ref.Name)
		if word && !here {
			continue
		}
		for _, name := range row.Named(ref.Name) {
			if !there[name] || !word { // a module that is named twice is a finding
				refs = append(refs, verify.Ref{Name: name, Constraint: ref.Constraint})
			}
			there[name] = true
		}
	}
	if here {
		return ordered(row, m.withAlways(row, refs))
	}
	return refs
}

// withAlways puts the modules of a site that are always there before those that are
// named, unless they are named among them.
func (m *Manager) withAlways(row roles.Site, named []verify.Ref) []verify.Ref {
	has := func(name string) bool {
		return slices.ContainsFunc(named, func(r verify.Ref) bool { return r.Name == name })
	}
	var refs []verify.Ref
	for _, always := range row.Always {
		if m.ships[always.Module] && !has(always.Module) && !slices.ContainsFunc(always.Unless, has) {
			refs = append(refs, verify.Ref{Name: always.Module})
		}
	}
	return append(refs, named...)
}

// ordered puts the modules that words stand for first, in the order of the words, if
// the site wants that.
func ordered(row roles.Site, refs []verify.Ref) []verify.Ref {
	if !row.Ordered {
		return refs
	}
	rank := map[string]int{}
	for _, w := range row.Words {
		for _, name := range w.Modules {
			if _, ok := rank[name]; !ok {
				rank[name] = len(rank)
			}
		}
	}
	slices.SortStableFunc(refs, func(a, b verify.Ref) int {
		ra, oka := rank[a.Name]
		rb, okb := rank[b.Name]
		if !oka {
			ra = len(rank)
		}
		if !okb {
			rb = len(rank)
		}
		return cmp.Compare(ra, rb)
	})
	return refs
}

// rowOf returns the site of a flag, one of this daemon if there is any.
func (m *Manager) rowOf(flag string) (found roles.Site, here bool) {
	for _, role := range m.cfg.Roles {
		for _, row := range role.Sites {
			if row.Flag != flag && !slices.Contains(row.Aliases, flag) {
				continue
			}
			if found = row; row.On&m.cfg.Daemon != 0 {
				return found, true
			}
		}
	}
	return found, false
}

// standard are the modules of a site's default, if the daemon is built with all of
// them.
func (m *Manager) standard(row roles.Site) (refs []verify.Ref) {
	if row.Default == "" {
		return nil
	}
	for word := range strings.SplitSeq(row.Default, ",") {
		for _, name := range row.Named(word) {
			if !m.ships[name] {
				return nil
			}
			refs = append(refs, verify.Ref{Name: name})
		}
	}
	return refs
}

// builtinNames are the names of the modules that are compiled into the daemon.
func (m *Manager) builtinNames() map[string]bool {
	names := map[string]bool{}
	for _, declared := range m.builtinModules() {
		if declared != nil { // verification holds it against its library
			names[declared.Declare().Name] = true
		}
	}
	return names
}

func (m *Manager) makeHandles(s *site) error {
	if s.role.Type == nil || s.Takes.PerUse() || s.Takes == roles.All {
		return nil
	}
	names := s.names
	if s.Takes == roles.One {
		names = []string{""} // a handle is there even if nothing is bound to it
		if len(s.names) > 0 {
			names = s.names[:1]
		}
	}
	for _, name := range names {
		h, err := m.newHandle(s.role.Name, s.Flag, name)
		if err != nil {
			return err
		}
		s.handles = append(s.handles, h)
	}
	return nil
}

// newHandle makes a handle whose panics become events.
func (m *Manager) newHandle(role, flag, module string) (h handle.Handle, err error) {
	h, err = handle.New(role, handle.Options{
		Site: flag, Role: role, Module: module,
		Panicked: func(method string, value any, stack []byte) {
			if elsewhere, ok := value.(interface{ RemoteStack() string }); ok && elsewhere.RemoteStack() != "" {
				stack = []byte(elsewhere.RemoteStack()) // of the process where it happened
			}
			inside := m.inside(h, module)
			m.bus.Publish(lifecycle.CallPanicked{
				Header: lifecycle.Header{Module: inside, Library: m.libraryOf(inside)},
				Method: method, Value: fmt.Sprint(value), Stack: string(stack),
			})
		},
	})
	return h, err
}

// inside returns the module that calls through a handle get into: what it was made for,
// unless another one stands in for that.
func (m *Manager) inside(h handle.Handle, module string) string {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for inst := range m.instances {
		if inst.now != nil && slices.ContainsFunc(inst.bindings, func(b *binding) bool { return b.handle == h }) {
			return inst.now.by.name
		}
	}
	return module
}

// roleOf returns the table's row whose interface is t.
func (m *Manager) roleOf(t reflect.Type) (roles.Role, bool) {
	for _, r := range m.cfg.Roles {
		if r.Type == t {
			return r, true
		}
	}
	return roles.Role{}, false
}
