// Package finding holds what verification holds against a module or library, and
// the table of rules it is held by. It knows nothing of the phases that produce
// findings.
package finding

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Finding is one thing held against a module or a library, with the path to it
// and what would mend it. While one stands, nothing is instantiated.
type Finding struct {
	Rule    Rule     `json:"rule"`
	Module  string   `json:"module,omitempty"`
	Library string   `json:"library,omitempty"` // as the manifest names it
	Path    []string `json:"path,omitempty"`    // from a binding flag, or else the manifest, to the guilty end
	Problem string   `json:"problem"`
	Mend    string   `json:"mend"`
}

// String is the finding as one paragraph of plain text.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: ", f.Rule)
	if f.Module != "" {
		fmt.Fprintf(&b, "module %s: ", f.Module)
	}
	if f.Library != "" {
		fmt.Fprintf(&b, "%s: ", f.Library)
	}
	b.WriteString(f.Problem)
	if len(f.Path) > 0 {
		fmt.Fprintf(&b, " [%s]", strings.Join(f.Path, " -> "))
	}
	if f.Mend != "" {
		fmt.Fprintf(&b, "; %s", f.Mend)
	}
	return b.String()
}

// Sort brings findings into the order of the rules, then of library, module and
// text, so that one input gives one report.
func Sort(all []Finding) {
	rank := map[Rule]int{}
	for i, x := range Rules() {
		rank[x.Rule] = i + 1
	}
	last := len(rank) + 1 // of a rule that is not in the table
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(cmp.Or(rank[a.Rule], last), cmp.Or(rank[b.Rule], last)),
			cmp.Compare(a.Rule, b.Rule),
			cmp.Compare(a.Library, b.Library),
			cmp.Compare(a.Module, b.Module),
			cmp.Compare(a.Problem, b.Problem),
			cmp.Compare(a.Mend, b.Mend),
			slices.Compare(a.Path, b.Path),
		)
	})
}

// Error is a set of findings as an error. Its text has one line per finding.
type Error struct{ Findings []Finding }

func (e *Error) Error() string {
	lines := make([]string, len(e.Findings))
	for i, f := range e.Findings {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}
