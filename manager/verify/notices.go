package verify

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"

	"github.com/mesos-modules/mms/roles"
)

// wellNamed is the naming rule: a reversed domain of at least two labels and a name, joined by underscores.
var wellNamed = regexp.MustCompile(`^[a-z]{2,}(_[A-Za-z0-9]+){2,}$`)

// notices are sorted like findings: by kind, then by library and module. Who is unused is known once there is a plan.
func (c *check) notices(plan *Plan) []Notice {
	all := []Notice{}
	for _, m := range c.modules {
		if !m.lib.ShipsWithMesos && !m.lib.own() && !wellNamed.MatchString(m.Name) {
			all = append(all, m.notice(Naming,
				"the name breaks the naming rule: a reversed domain and a name, joined by underscores (org_example_calculator), so that names never clash"))
		}
	}
	for _, l := range c.libraries {
		d := l.Description
		if c.newer(d.MesosVersion, d.MinMesos) {
			all = append(all, Notice{ID: NoEffect, Library: l.Path, Text: fmt.Sprintf(
				"the minimum Mesos version %s has no effect: the library was built for %s, and older daemons refuse it for that", d.MinMesos, d.MesosVersion)})
		}
	}
	all = append(all, c.standIns()...)
	all = append(all, c.otherDaemon()...)
	if plan != nil {
		for _, name := range plan.Unused {
			if m := c.byName[name]; !c.elsewhere.has(name) && !m.lib.own() {
				all = append(all, m.notice(Unused, "the module is loaded, and nothing uses it: no flag names it and no module that is used requires it"))
			}
		}
	}
	return sortNotices(all)
}

// standIns tells of modules of the manifest that have the name of one the daemon is built with.
func (c *check) standIns() []Notice {
	var all []Notice
	own := slices.IndexFunc(c.libraries, (*library).own)
	for _, m := range c.modules {
		if own < 0 || m.lib.own() || c.byName[m.Name] != m {
			continue
		}
		if i, has := c.libraries[own].index[m.Name]; has {
			all = append(all, m.notice(StandsIn, fmt.Sprintf("it stands in for version %s, which %s is built with",
				c.libraries[own].Description.Modules[i].Version, c.Daemon)))
		}
	}
	return all
}

// otherDaemon tells of modules that only flags of the other daemon lead to. One that is not loaded here may be built
// into that daemon.
func (c *check) otherDaemon() []Notice {
	var all []Notice
	other := roles.Both &^ c.Daemon
	for _, m := range c.modules {
		if c.byName[m.Name] == m && c.elsewhere.has(m.Name) && !c.here.has(m.Name) {
			all = append(all, m.notice(NotUsedHere, fmt.Sprintf("verified and not used here: %s leads to it, a flag of %s",
				c.elsewhere.path(m.Name)[0], other)))
		}
	}
	for _, r := range c.roots.elsewhere {
		if c.byName[r.module] == nil && r.module != "" && !c.absent[r.module] {
			all = append(all, Notice{ID: NotUsedHere, Module: r.module, Text: fmt.Sprintf(
				"not verified and not used here: %s names it, a flag of %s, and it is not loaded here; it may be built in there", r.name, other)})
		}
	}
	return all
}

func (m *module) notice(id NoticeID, text string) Notice {
	return Notice{ID: id, Module: m.Name, Library: m.lib.Path, Text: text}
}

// NoticeIDs returns the kinds of notices in the order in which they are reported.
func NoticeIDs() []NoticeID { return []NoticeID{Naming, NoEffect, StandsIn, NotUsedHere, Unused} }

func sortNotices(all []Notice) []Notice {
	rank := map[NoticeID]int{}
	for i, id := range NoticeIDs() {
		rank[id] = i
	}
	slices.SortStableFunc(all, func(a, b Notice) int {
		return cmp.Or(cmp.Compare(rank[a.ID], rank[b.ID]), cmp.Compare(a.Library, b.Library),
			cmp.Compare(a.Module, b.Module), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(all)
}

// WellNamed reports whether a module's name keeps the naming rule: a reversed domain and a name, joined by underscores.
func WellNamed(name string) bool { return wellNamed.MatchString(name) }
