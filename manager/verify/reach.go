package verify

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/mesos-modules/mms/roles"
)

// root is something outside the modules that wants one of them.
type root struct {
	name       string // head of the paths: "--allocator", "role:Anonymous"
	module     string
	constraint string
	takes      roles.Cardinality
}

// rootsOf are the roots of this daemon, and those that flags of the other one have.
type rootsOf struct{ here, elsewhere []root }

// rootsIn returns whoever wants modules in this daemon, or through flags of the other one, sorted.
func (c *check) rootsIn(here bool) []root {
	var all []root
	for _, b := range c.bindings {
		if b.known && b.here == here {
			flag := "--" + b.Flag
			for _, ref := range b.Refs {
				all = append(all, root{flag, ref.Name, ref.Constraint, b.site.Takes})
			}
		}
	}
	waiting := c.waiting()
	for _, m := range c.modules {
		for _, s := range c.roles[m.Role].Sites {
			if here && s.Takes == roles.All && s.On&c.Daemon != 0 && !waiting[m.Name] {
				all = append(all, root{name: "role:" + m.Role, module: m.Name, takes: roles.All})
			}
		}
	}
	slices.SortFunc(all, func(a, b root) int {
		return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.module, b.module), cmp.Compare(a.constraint, b.constraint))
	})
	return all
}

// reach is where roots lead to: for each module reached, the step before, which is a module or the root.
type reach map[string]step

type step struct{ module, root string } // one of the two

// walk goes breadth first from the roots, so that the path to each module is a shortest one.
func walk(roots []root, next func(module string) []string) reach {
	r := make(reach, len(roots))
	queue := make([]string, 0, len(roots))
	visit := func(name string, from step) {
		if _, seen := r[name]; !seen {
			r[name] = from
			queue = append(queue, name)
		}
	}
	for _, x := range roots {
		visit(x.module, step{root: x.name})
	}
	for i := 0; i < len(queue); i++ {
		for _, name := range next(queue[i]) {
			visit(name, step{module: queue[i]})
		}
	}
	return r
}

func (r reach) has(module string) bool {
	_, ok := r[module]
	return ok
}

// maxPath bounds a path in a finding: beyond it the root and the last stations are kept.
const maxPath = 64

// path returns the way from a root to the module, or nil.
func (r reach) path(module string) []string {
	if !r.has(module) {
		return nil
	}
	var back []string
	for from := (step{module: module}); ; from = r[from.module] {
		if from.root != "" {
			back = append(back, from.root)
			break
		}
		back = append(back, from.module)
	}
	if skipped := len(back) - maxPath; skipped > 0 {
		back = append(back[:maxPath-1], fmt.Sprintf("(%d modules)", skipped), back[len(back)-1])
	}
	slices.Reverse(back)
	return back
}

// declared gives, for one walk, the loaded modules that a module declares to require, sorted. Versions are not looked
// at. A role is followed once: its modules are all reached by then.
func (c *check) declared() func(module string) []string {
	followed := map[string]bool{}
	return func(name string) []string {
		m := c.byName[name]
		if m == nil {
			return nil
		}
		var all []string
		for _, r := range m.Requires {
			switch {
			case r.Module != "" && c.byName[r.Module] != nil:
				all = append(all, r.Module)
			case r.Role != "" && !followed[r.Role]:
				followed[r.Role] = true
				all = append(all, c.byRole[r.Role]...)
			}
		}
		slices.Sort(all)
		return all
	}
}

// reaches gives what declared gives, and the module that takes over.
func (c *check) reaches() func(module string) []string {
	declared := c.declared()
	return func(name string) []string {
		all := declared(name)
		if m := c.byName[name]; m != nil && c.byName[m.onFailure.Fallback] != nil {
			all = append(all, m.onFailure.Fallback)
		}
		return all
	}
}

// pathTo leads from a flag of this daemon to the module, or from a flag of the other one, or from where the manifest
// names it.
func (c *check) pathTo(m *module) []string {
	switch {
	case c.here.has(m.Name):
		return c.here.path(m.Name)
	case c.elsewhere.has(m.Name):
		return c.elsewhere.path(m.Name)
	default:
		return fromManifest(m.at, m.Name)
	}
}

func fromManifest(at, module string) []string {
	if at == "" {
		return nil
	}
	return []string{at, module}
}

// pathToLibrary leads to the library through the first of its modules to which a path leads.
func (c *check) pathToLibrary(lib *library) []string {
	for _, m := range lib.named {
		if path := c.pathTo(m); path != nil {
			return append(path, nameOf(lib))
		}
	}
	return nil
}
