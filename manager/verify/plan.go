package verify

import (
	"github.com/mesos-modules/mms/depgraph"
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
	ShipsWithMesos bool        `json:"ships_with_mesos"`
	Parameters     []Parameter `json:"parameters,omitempty"`
	Requires       []string    `json:"requires,omitempty"` // the modules that its requirements came to, in plan order
	OwnCheck       bool        `json:"own_check"`          // it declares a check of its own
	Path           []string    `json:"path,omitempty"`     // shortest, from a binding flag or the manifest
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
