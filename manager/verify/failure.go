package verify

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
)

// onFailures holds that something is to follow the failure of a module that cannot fail without the daemon.
func onFailures(c *check) []finding.Finding {
	var all []finding.Finding
	losable := c.losable()
	for _, m := range c.modules {
		if m.onFailure.Policy != manifest.PolicyUnsaid && !losable[m.Name] && !m.unreadable() {
			all = append(all, c.against(finding.OnFailure, m, fault{
				fmt.Sprintf("\"on_failure\" is %q, and the module runs in the daemon's own process, as does all that it requires: it does not fail without the daemon", m.onFailure),
				"say \"isolation\": \"process\" of its library, or take \"on_failure\" out"}))
		}
	}
	return all
}

// losable are the modules that a process can take along that is not the daemon's: those in it, and those that require
// one of them.
func (c *check) losable() map[string]bool {
	requirers, ofRole := map[string][]*module{}, map[string][]*module{}
	var queue []*module
	for _, m := range c.modules {
		if m.lib.Isolated {
			queue = append(queue, m)
		}
		for _, r := range m.Requires {
			if r.Module != "" {
				requirers[r.Module] = append(requirers[r.Module], m)
			} else {
				ofRole[r.Role] = append(ofRole[r.Role], m)
			}
		}
	}
	losable := map[string]bool{}
	for i := 0; i < len(queue); i++ {
		m := queue[i]
		if losable[m.Name] {
			continue
		}
		losable[m.Name] = true
		queue = append(append(queue, requirers[m.Name]...), ofRole[m.Role]...)
		delete(ofRole, m.Role) // they are all in the queue now
	}
	return losable
}

// fallbacks holds against a module whom it falls back to, if that one could not take over.
func fallbacks(c *check) []finding.Finding {
	var all []finding.Finding
	rounds := c.rounds()
	for _, m := range c.modules {
		if m.onFailure.Policy != manifest.PolicyFallback || m.unreadable() {
			continue
		}
		if f, bad := c.wrongFallback(m, m.onFailure.Fallback, rounds[m.Name]); bad {
			all = append(all, c.against(finding.Fallback, m, f))
		}
	}
	return all
}

// wrongFallback judges the module that is to take over for m; round is the way over fallbacks from m to itself.
func (c *check) wrongFallback(m *module, name string, round []string) (fault, bool) {
	other := c.byName[name]
	switch {
	case name == m.Name:
		return fault{"the module falls back to itself", c.substitute(m)}, true
	case other == nil && c.absent[name]:
		return fault{}, false // its library has a finding, or the manifest's entry has
	case other == nil:
		return fault{fmt.Sprintf("the module falls back to %s, and no such module is loaded", show(name)), c.substitute(m)}, true
	case other.unreadable() || c.roles[m.Role].Name == "" || c.roles[other.Role].Name == "":
		return fault{}, false // has its finding
	case other.Role != m.Role:
		return fault{fmt.Sprintf("the module falls back to %s, which has the role %s and not %s", show(name), other.Role, m.Role), c.substitute(m)}, true
	case round != nil:
		return fault{"modules fall back to one another: " + arrows(round), "let one of them be required or optional"}, true
	}
	needs := walk([]root{{name: m.Name, module: name}}, c.declared())
	if needs.has(m.Name) {
		return fault{fmt.Sprintf("the module falls back to %s, which requires it: %s", show(name), arrows(needs.path(m.Name)[1:])), c.substitute(m)}, true
	}
	if shared := m.sharing(c, needs); shared != "" {
		return fault{fmt.Sprintf("the module falls back to %s, which is lost with the same process, that of %s: %s", show(name), nameOf(m.lib),
			arrows(needs.path(shared)[1:])), c.substitute(m)}, true
	}
	return fault{}, false
}

// sharing is the first by name of the modules reached that run in the module's process; "" if there is none.
func (m *module) sharing(c *check, needs reach) string {
	first := ""
	if !m.lib.Isolated {
		return first
	}
	for name := range needs {
		if x := c.byName[name]; x != nil && x.lib == m.lib && (first == "" || name < first) {
			first = name
		}
	}
	return first
}

// waiting are the modules that wait to take over for another one. A site that takes every module of its role leaves them
// alone until then.
func (c *check) waiting() map[string]bool {
	waiting := map[string]bool{}
	for _, m := range c.modules {
		if other := m.onFailure.Fallback; other != m.Name {
			waiting[other] = true
		}
	}
	return waiting
}

// rounds are the circles in which modules fall back to one another, each under the name of its member that was loaded
// first. One that falls back to itself makes none.
func (c *check) rounds() map[string][]string {
	next := func(m *module) *module {
		if m.onFailure.Policy != manifest.PolicyFallback || m.onFailure.Fallback == m.Name {
			return nil
		}
		return c.byName[m.onFailure.Fallback]
	}
	rounds := map[string][]string{}
	place, walkOf := make(map[*module]int, len(c.modules)), map[*module]int{} // in load order; the walk that came through, from 1
	for i, m := range c.modules {
		place[m] = i
	}
	for i, m := range c.modules {
		for ; m != nil && walkOf[m] == 0; m = next(m) {
			walkOf[m] = i + 1
		}
		if m == nil || walkOf[m] != i+1 {
			continue
		}
		var circle []string // the walk may have come into it from outside
		first := 0
		for x := m; len(circle) == 0 || x != m; x = next(x) {
			circle = append(circle, x.Name)
			if place[x] < place[c.byName[circle[first]]] {
				first = len(circle) - 1
			}
		}
		circle = slices.Concat(circle[first:], circle[:first], circle[first:first+1])
		rounds[circle[0]] = circle
	}
	return rounds
}

// substitute names modules that could take over for one.
func (c *check) substitute(m *module) string {
	var fit []string
	for _, name := range c.nameable(m.Role) {
		if x := c.byName[name]; name != m.Name && (x == nil || x.lib != m.lib) {
			fit = append(fit, name)
		}
	}
	if len(fit) == 0 {
		return fmt.Sprintf("load a module of role %s from another library, or let this one be required or optional", m.Role)
	}
	return fmt.Sprintf("name another module of role %s, one that does not depend on this one's process; there are: %s", m.Role, list(fit))
}

// arrows writes a way, of which the middle is left out if it is long.
func arrows(way []string) string {
	shown := make([]string, 0, len(way))
	for _, name := range way {
		shown = append(shown, show(name))
	}
	if skipped := len(shown) - maxListed; skipped > 0 {
		shown = slices.Concat(shown[:maxListed/2], []string{fmt.Sprintf("(%d modules)", skipped)}, shown[len(shown)-maxListed/2:])
	}
	return strings.Join(shown, " -> ")
}
