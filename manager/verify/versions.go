package verify

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"
)

// The rules about versions. The relation that the design document of Mesos modules asks for is
//
//	role version <= library version <= Mesos version
//
// and, unless the module declares a check of its own, library version = Mesos version.

// compare orders two strict versions (major.minor.patch) by their numbers alone: 1.12.0-rc.1 is compared as 1.12.0. ok
// is false if one of them cannot be read, which is another rule's business.
func (c *check) compare(a, b string) (order int, ok bool) {
	va, vb := c.version(a), c.version(b)
	if va == nil || vb == nil {
		return 0, false
	}
	return cmp.Or(cmp.Compare(va.Major(), vb.Major()), cmp.Compare(va.Minor(), vb.Minor()), cmp.Compare(va.Patch(), vb.Patch())), true
}

func (c *check) newer(a, b string) bool {
	order, ok := c.compare(a, b)
	return ok && order > 0
}

// version reads each text once: a set of modules has few different ones.
func (c *check) version(text string) *semver.Version {
	v, seen := c.versions[text]
	if !seen {
		v, _ = semver.StrictNewVersion(text) // nil if it is none
		c.versions[text] = v
	}
	return v
}

// builtFor is the release a module was built for: its own statement, or else its library's.
func (m *module) builtFor() string {
	if m.MesosVersion != "" {
		return m.MesosVersion
	}
	return m.lib.Description.MesosVersion
}

// speaksForModules says whether some module relies on the library for what it does not state itself: one that was
// picked, or, where none was, one that it has.
func (l *library) speaksForModules(own func(*module) string) bool {
	for _, m := range l.named {
		if own(m) == "" {
			return true
		}
	}
	if len(l.named) > 0 {
		return false
	}
	for _, d := range l.Description.Modules {
		if own(&module{Module: d}) == "" {
			return true
		}
	}
	return len(l.Description.Modules) == 0
}

func ownMMS(m *module) string   { return m.MMSVersion }
func ownMesos(m *module) string { return m.MesosVersion }

func handshake(_ *check, l *library) []fault {
	if l.Description.MMSVersion != "" || !l.speaksForModules(ownMMS) {
		return nil
	}
	return []fault{{"the library does not say for which version of the module management system it was built",
		"put MESOS_MODULE_LIBRARY() into one of its source files (C, C++), or export a facade.Library (Go), and rebuild it"}}
}

func libraryMMSVersion(c *check, l *library) []fault {
	if l.Description.MMSVersion == "" || !l.speaksForModules(ownMMS) {
		return nil
	}
	return c.mmsVersion("library", l.Description.MMSVersion)
}

func moduleMMSVersion(c *check, m *module) []fault {
	if m.MMSVersion == "" {
		return nil
	}
	return c.mmsVersion("module", m.MMSVersion)
}

// mmsVersion compares the text, as upstream does; the number only tells the two directions apart.
func (c *check) mmsVersion(who, stated string) []fault {
	latest := 0
	for _, accepted := range c.MMSVersions {
		if accepted == stated {
			return nil
		}
		if n, err := strconv.Atoi(accepted); err == nil {
			latest = max(latest, n)
		}
	}
	accepted := strings.Join(c.MMSVersions, ", ")
	n, err := strconv.Atoi(stated)
	switch {
	case err != nil:
		return []fault{{fmt.Sprintf("the %s states %s as its version of the module management system, which is no whole number; this daemon accepts %s",
			who, show(stated), accepted), "rebuild it with the headers or the facade of this daemon"}}
	case n > latest:
		return []fault{{fmt.Sprintf("the %s was built for version %d of the module management system, later than what this daemon accepts (%s)",
			who, n, accepted), "use a newer daemon, or rebuild the library for this one"}}
	default:
		return []fault{{fmt.Sprintf("the %s was built for version %s of the module management system, which this daemon does not accept (it accepts %s)",
			who, show(stated), accepted), "rebuild the library for this daemon"}}
	}
}

func roleVersion(c *check, m *module) []fault {
	role, ok := c.roles[m.Role]
	if !ok || !c.newer(role.Version, m.builtFor()) {
		return nil
	}
	return []fault{{fmt.Sprintf("the library was built for Mesos %s, older than the role version %s supported by this daemon: %s changed incompatibly then",
		m.builtFor(), role.Version, role.Name),
		fmt.Sprintf("rebuild it against Mesos %s or later, up to %s", role.Version, c.MesosVersion)}}
}

func libraryVersion(c *check, l *library) []fault {
	if !l.speaksForModules(ownMesos) {
		return nil
	}
	return c.notNewer("library", l.Description.MesosVersion)
}

func moduleVersion(c *check, m *module) []fault { return c.notNewer("module", m.MesosVersion) }

func (c *check) notNewer(who, built string) []fault {
	if !c.newer(built, c.MesosVersion) {
		return nil
	}
	return []fault{{fmt.Sprintf("the %s was compiled against a newer Mesos release: %s, and this daemon is %s", who, built, c.MesosVersion),
		fmt.Sprintf("use a daemon of Mesos %s or later, or rebuild the library against %s", built, c.MesosVersion)}}
}

// equalVersion speaks only where role, library and daemon version are in order: else the version is wrong whether or not
// a check is declared.
func equalVersion(c *check, m *module) []fault {
	order, ok := c.compare(m.builtFor(), c.MesosVersion)
	if m.Compatible || !ok || order >= 0 || len(roleVersion(c, m)) > 0 {
		return nil
	}
	return []fault{{fmt.Sprintf("the library was built for Mesos %s and this daemon is %s; the module declares no compatibility check, so the two have to be equal",
		m.builtFor(), c.MesosVersion),
		fmt.Sprintf("rebuild it against Mesos %s, or declare a compatibility check in the module", c.MesosVersion)}}
}

// minMesos can only tighten: that the daemon is not older than what the library was built for is libraryVersion's.
func minMesos(c *check, l *library) []fault {
	min, built := l.Description.MinMesos, l.Description.MesosVersion
	if !c.newer(min, c.MesosVersion) || c.newer(built, c.MesosVersion) && !c.newer(min, built) {
		return nil
	}
	return []fault{{fmt.Sprintf("the library works with Mesos %s and later, and this daemon is %s", min, c.MesosVersion),
		fmt.Sprintf("use a daemon of Mesos %s or later, or an older version of the library", min)}}
}

// strictVersion is the fault of a text that is no version, or none.
func (c *check) strictVersion(what, text string) []fault {
	if c.version(text) != nil {
		return nil
	}
	return []fault{{fmt.Sprintf("%s, %s, is no strict semantic version", what, show(text)),
		"write it as major.minor.patch, like 1.12.0"}}
}
