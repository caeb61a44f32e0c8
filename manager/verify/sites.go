package verify

import (
	"slices"

	"github.com/mesos-modules/mms/roles"
)

// binding is a flag with the site that it stands for.
type binding struct {
	Binding
	role  roles.Role
	site  roles.Site
	known bool // there is such a site in some daemon
	here  bool // and it is in this one
}

// resolve finds the site of a flag or alias: one of this daemon if there is any, else one of the other.
func (c *check) resolve(b Binding) binding {
	resolved := binding{Binding: b}
	for _, role := range c.Roles {
		for _, site := range role.Sites {
			if site.Flag == "" || site.Flag != b.Flag && !slices.Contains(site.Aliases, b.Flag) {
				continue
			}
			if here := site.On&c.Daemon != 0; here || !resolved.known {
				resolved.role, resolved.site, resolved.known, resolved.here = role, site, true, here
			}
			if resolved.here {
				return resolved
			}
		}
	}
	return resolved
}

// sameSite says whether two flags are spellings of one.
func sameSite(a, b binding) bool {
	return a.known && b.known && a.role.Name == b.role.Name && a.site.Flag == b.site.Flag && a.here == b.here
}

// flags returns every flag and alias that any daemon knows.
func (c *check) flags() []string {
	var all []string
	for _, role := range c.Roles {
		for _, site := range role.Sites {
			if site.Flag != "" {
				all = append(append(all, site.Flag), site.Aliases...)
			}
		}
	}
	return all
}

// sites draws the sites of this daemon whose role it can call.
func (c *check) sites() []Site {
	all, waiting := []Site{}, c.waiting()
	for _, role := range c.Roles {
		for _, site := range role.Sites {
			if site.On&c.Daemon == 0 || role.Type == nil {
				continue
			}
			s := Site{Role: role.Name, Flag: site.Flag, Name: site.Name, Takes: site.Takes.String(), Modules: []string{}}
			if site.Takes == roles.All {
				s.Modules = append(s.Modules, slices.DeleteFunc(slices.Clone(c.byRole[role.Name]), func(name string) bool { return waiting[name] })...)
				slices.Sort(s.Modules)
			}
			for _, b := range c.bindings {
				if b.here && b.role.Name == role.Name && b.site.Flag == site.Flag && len(s.Modules) == 0 {
					s.FromDefault = b.FromDefault
					for _, ref := range b.Refs {
						s.Modules = append(s.Modules, ref.Name)
					}
				}
			}
			all = append(all, s)
		}
	}
	return all
}
