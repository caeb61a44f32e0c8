package verify

import (
	"slices"

	"github.com/mesos-modules/mms/depgraph"
	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/manifest"
)

// Plan is the verified result: what is loaded, in which order it is made and unmade, and who uses it. The same input
// gives the same bytes of JSON.
type Plan struct {
	Daemon       string `json:"daemon"`
	MesosVersion string `json:"mesos_version"`

	// Modules are all loaded ones in plan order: who is required comes before who requires.
	Modules []Module `json:"modules"`

	// Sites are those of this daemon whose role it can call, in the order of the role table, bound or not.
	Sites []Site `json:"sites"`

	// Needed names, in plan order, the modules of which one instance is made before the daemon starts: those of sites
	// that take one, a list or all, and whatever anything used here requires.
	Needed []string `json:"needed"`

	// Standby names, in plan order, the modules that are used only when another one is lost: those that take over for
	// it, and what these require.
	Standby []string `json:"standby,omitempty"`

	// Unused names, in plan order, the modules that nothing in this daemon uses.
	Unused []string `json:"unused"`

	// Graph is the plan as the graph package made it, for drawing and path queries.
	Graph *depgraph.Plan `json:"-"`
}

// Module is one loaded module in the plan.
type Module struct {
	Name           string      `json:"name"`
	Role           string      `json:"role"`
	Version        string      `json:"version,omitempty"`
	Library        string      `json:"library"` // "" for the daemon binary itself
	Vehicle        string      `json:"vehicle"`
	Isolation      string      `json:"isolation,omitempty"` // "process", or "" for one that runs in the daemon
	ShipsWithMesos bool        `json:"ships_with_mesos"`
	Parameters     []Parameter `json:"parameters,omitempty"`
	Requires       []string    `json:"requires,omitempty"`   // the modules that its requirements came to, in plan order
	OwnCheck       bool        `json:"own_check"`            // it declares a check of its own
	OnFailure      string      `json:"on_failure,omitempty"` // what follows when it is lost; "" for one that the daemon keeps
	At             string      `json:"at,omitempty"`         // where the manifest names it
}

// Parameter is a parameter as it may be shown: a secret value is hidden.
type Parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Site is a binding site of this daemon and what is bound to it.
type Site struct {
	Role        string   `json:"role"`
	Flag        string   `json:"flag,omitempty"` // canonical; empty where every module of the role is taken
	Name        string   `json:"name,omitempty"`
	Takes       string   `json:"takes"` // one, list, each, all
	Modules     []string `json:"modules"`
	FromDefault bool     `json:"from_default"`
}

// draw makes the plan of a set that no rule holds anything against.
func (c *check) draw() *Plan {
	p := &Plan{Daemon: c.Daemon.String(), MesosVersion: c.MesosVersion, Modules: make([]Module, 0, len(c.byName)), Sites: c.sites(),
		Needed: []string{}, Unused: []string{}, Graph: c.graph}
	order := c.graph.Order()
	place := make(map[string]int, len(order))
	for i, name := range order {
		place[name] = i
	}
	requires := make(map[string][]string, len(order))
	losable := c.losable()
	for _, name := range order {
		for _, r := range c.graph.Requirements(name) {
			requires[name] = append(requires[name], r.Module)
		}
		slices.SortFunc(requires[name], func(a, b string) int { return place[a] - place[b] })
		requires[name] = slices.Compact(requires[name])
		p.Modules = append(p.Modules, c.byName[name].planned(requires[name], losable[name]))
	}
	used, needed := c.use(requires)
	standby := c.standby(used, requires)
	for _, name := range order {
		if needed[name] {
			p.Needed = append(p.Needed, name)
		}
		switch {
		case used.has(name):
		case standby.has(name):
			p.Standby = append(p.Standby, name)
		default:
			p.Unused = append(p.Unused, name)
		}
	}
	return p
}

// use says what this daemon uses, and of what one instance is made before it starts. A module at a site that makes
// instances as it goes is used and not made; what it requires is made.
func (c *check) use(requires map[string][]string) (used reach, needed map[string]bool) {
	used = walk(c.roots.here, func(name string) []string { return requires[name] })
	needed = map[string]bool{}
	for _, r := range c.roots.here {
		if !r.takes.PerUse() {
			needed[r.module] = true
		}
	}
	for name := range used {
		for _, other := range requires[name] {
			needed[other] = true
		}
	}
	return used, needed
}

// standby is what takes over when something that is used is lost, over as many losses as it takes.
func (c *check) standby(used reach, requires map[string][]string) reach {
	var roots []root
	for _, m := range c.modules {
		if used.has(m.Name) && m.onFailure.Fallback != "" {
			roots = append(roots, root{name: m.Name, module: m.onFailure.Fallback})
		}
	}
	return walk(roots, func(name string) []string {
		next := requires[name]
		if other := c.byName[name].onFailure.Fallback; other != "" {
			next = append(slices.Clip(next), other)
		}
		return next
	})
}

func (m *module) planned(requires []string, losable bool) Module {
	planned := Module{Name: m.Name, Role: m.Role, Version: m.Version, Library: m.lib.Path, Vehicle: m.lib.Description.Vehicle,
		Isolation: m.lib.isolation(), ShipsWithMesos: m.lib.ShipsWithMesos, Parameters: m.shown(), Requires: requires, OwnCheck: m.Compatible,
		OnFailure: m.onFailure.String(), At: m.at}
	if losable && planned.OnFailure == "" {
		planned.OnFailure = string(manifest.PolicyRequired)
	}
	return planned
}

// isolation is how reports call where the library runs.
func (l *library) isolation() string {
	if l.Isolated {
		return string(manifest.IsolationProcess)
	}
	return ""
}

// shown hides the values that the module declares secret, and those that look it.
func (m *module) shown() []Parameter {
	var shown []Parameter
	for _, p := range m.parameters {
		i := slices.IndexFunc(m.Module.Parameters, func(s facade.ParameterSpec) bool { return s.Key == p.Key })
		secret := i >= 0 && m.Module.Parameters[i].Secret
		shown = append(shown, Parameter(manifest.Parameter(p).Redacted(secret)))
	}
	return shown
}
