package depgraph

import (
	"iter"
	"slices"
)

// Plan is the verified order of the modules. It never changes and may be read by any number of goroutines. Slices that
// it returns are the caller's.
type Plan struct {
	net
	roots  []Root
	routes routes
	sorted sorted
}

// Requirement is a module that another one is handed, because it asked for it by name or by role.
type Requirement struct {
	Module     string `json:"module"`
	Kind       Kind   `json:"kind"`
	Role       string `json:"role,omitempty"` // the role through which it was asked for, if so
	Constraint string `json:"constraint,omitempty"`
}

// Len is the number of modules.
func (p *Plan) Len() int { return len(p.modules) }

// Order returns all modules, each behind everything it requires or comes after; where that leaves a choice, by name.
func (p *Plan) Order() []string { return p.names(p.sorted.order) }

// Backward iterates in the reverse of Order, the order in which to tear down.
func (p *Plan) Backward() iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, node := range slices.Backward(p.sorted.order) {
			if !yield(p.modules[node].Name) {
				return
			}
		}
	}
}

// Levels groups the modules: those of level 0 wait for nobody, the others for at least one module of the level below
// and for none of their own level or above. Within a level they are sorted by name.
func (p *Plan) Levels() [][]string {
	levels := make([][]string, p.sorted.levels)
	for i, level := range p.sorted.level {
		levels[level] = append(levels[level], p.modules[i].Name)
	}
	return levels
}

// Needed returns, in plan order, the modules that a root needs, directly or through requirements by name, by role
// (every module that satisfies it) and optional ones that are there: those to be instantiated.
func (p *Plan) Needed() []string {
	return p.names(slices.DeleteFunc(slices.Clone(p.sorted.order), func(node int32) bool { return !p.routes.needed(node) }))
}

// IsNeeded says whether the module is in Needed.
func (p *Plan) IsNeeded(module string) bool {
	node, ok := p.byName.find(module)
	return ok && p.routes.needed(node)
}

// Why returns the shortest path from a root to the module, or nil if no root needs it or it is not in the plan.
func (p *Plan) Why(module string) []Hop {
	if !p.IsNeeded(module) {
		return nil
	}
	node := p.numberOf(module)
	return p.routes.path(&p.net, p.roots, node, int(p.routes.length[node])+1)
}

// Requirements returns what the module is to be handed, sorted by name, one entry for each edge that asks: modules it
// requires, those of the roles it requires, and optional ones that are there. Nil if there is none or no such module.
func (p *Plan) Requirements(module string) []Requirement {
	node, ok := p.byName.find(module)
	if !ok {
		return nil
	}
	var out []Requirement
	for _, a := range p.row(node) {
		if h := p.hop(node, a); h.Via.needs() {
			out = append(out, Requirement{Module: h.Name, Kind: h.Via, Role: h.Role, Constraint: h.Constraint})
		}
	}
	return out
}

// Behind returns the modules that the module is ordered behind: those it requires, and those it comes after. They are
// sorted by name, each once. Nil if there is none or no such module.
func (p *Plan) Behind(module string) []string {
	node, ok := p.byName.find(module)
	if !ok {
		return nil
	}
	var out []string
	for _, a := range p.row(node) {
		out = append(out, p.hop(node, a).Name)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (p *Plan) names(nodes []int32) []string {
	names := make([]string, len(nodes))
	for i, node := range nodes {
		names[i] = p.modules[node].Name
	}
	return names
}
