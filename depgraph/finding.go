package depgraph

import (
	"fmt"
	"strings"
)

// Rule is the stable id of what a finding is about.
type Rule string

// The rules, in the order in which findings are sorted.
const (
	RuleSize          Rule = "graph-size"       // more modules and edges than the planner accepts
	RuleDuplicate     Rule = "duplicate-name"   // several modules of one name
	RuleBadVersion    Rule = "bad-version"      // a version that is not a strict semantic version
	RuleBadConstraint Rule = "bad-constraint"   // a constraint that cannot be parsed
	RuleBadKind       Rule = "bad-edge-kind"    // an edge of a kind that a module cannot declare
	RuleSelf          Rule = "self-requirement" // a module names itself
	RuleMissingRoot   Rule = "missing-root"     // a root's module is not there
	RuleMissingModule Rule = "missing-module"   // a required module is not there
	RuleMissingRole   Rule = "missing-role"     // no other module of a required role satisfies the constraint
	RuleVersionClash  Rule = "version-clash"    // a module's version does not satisfy all its requirers
	RuleConflict      Rule = "conflict"         // a module is there that another one forbids
	RuleCycle         Rule = "cycle"            // modules that would have to come before themselves
)

// Rules returns all rules, in the order in which findings are sorted. The slice is the caller's.
func Rules() []Rule {
	return []Rule{RuleSize, RuleDuplicate, RuleBadVersion, RuleBadConstraint, RuleBadKind, RuleSelf, RuleMissingRoot,
		RuleMissingModule, RuleMissingRole, RuleVersionClash, RuleConflict, RuleCycle}
}

// Finding is one thing that stands against a plan. It is an error too, so that one can be returned as such.
type Finding struct {
	Rule Rule `json:"rule"`
	// Module is the guilty one: for a version clash the module in the wrong version, for a cycle the smallest name in
	// it, for a missing module or role the requirer nearest to a root ("" if that is the root itself).
	Module string `json:"module"`
	// Target is the module or role that the guilty edge names, where there is one.
	Target string `json:"target,omitempty"`
	// Text is the problem in one sentence, Mend what to do about it.
	Text string `json:"text"`
	Mend string `json:"mend"`
	// Path leads from a root to the guilty end if the module is needed by one, else it starts at the module itself:
	// the shortest path, and of several the first by name. Empty for RuleSize, which is about the whole. Beyond a million hops in all findings together, long paths
	// keep their root and their last 62 hops, with a hop between that says how many were left out.
	Path []Hop `json:"path"`
	// Cycle is the whole cycle for RuleCycle, from Module back to Module.
	Cycle []Hop `json:"cycle,omitempty"`
	// Requirers are all who want the missing or clashing module or role, roots first, then by name.
	Requirers []Requirer `json:"requirers,omitempty"`
	// AtHand are the modules of that name or role, given ones and candidates: those that fit first, then the newest; at
	// most a hundred.
	AtHand []AtHand `json:"atHand,omitempty"`
}

// Hop is one station of a path. Via, Role and Constraint belong to the edge that leads to it from the station before;
// the first hop has none.
type Hop struct {
	Name       string `json:"name"`
	Via        Kind   `json:"via,omitempty"`
	Role       string `json:"role,omitempty"` // the role through which it was reached, if so
	Constraint string `json:"constraint,omitempty"`
}

// Requirer is somebody who wants a module or role.
type Requirer struct {
	Name       string `json:"name"`
	Kind       Kind   `json:"kind"`
	Constraint string `json:"constraint,omitempty"`
	Satisfied  bool   `json:"satisfied"`
}

// AtHand is a module that has the name or role of a missing or clashing one.
type AtHand struct {
	Name    string `json:"name"`
	Version string `json:"version,omitempty"`
	Given   bool   `json:"given"` // it is among the modules to be planned, not only a candidate
	Fits    bool   `json:"fits"`  // its version satisfies every requirer
}

// Error is the finding on one line.
func (f Finding) Error() string { return string(f.Rule) + ": " + f.Text + "; " + f.Mend }

// Explain is the finding as a small paragraph: problem, path, mend. Printing a finding gives Error, the one line.
func (f Finding) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", f.Rule, f.Text)
	if len(f.Path) > 1 {
		fmt.Fprintf(&b, "  path: %s\n", PathString(f.Path))
	}
	fmt.Fprintf(&b, "  mend: %s\n", f.Mend)
	return b.String()
}

// tooLarge is the finding on a graph beyond maxArcs.
func tooLarge(size int) *Finding {
	return &Finding{Rule: RuleSize, Path: []Hop{},
		Text: fmt.Sprintf("the graph has %d modules and edges, every module of a required role counted; the limit is %d", size, maxArcs),
		Mend: "require modules by name instead of by role, or split the installation"}
}
