package depgraph

import (
	"fmt"
	"strings"
)

// Kind says what an edge means. The zero value is no kind: an edge with it is a finding.
type Kind uint8

// The kinds a module can declare, hardest first, and Binds, the edge from a root to its module, which occurs in paths
// and requirers only.
const (
	// RequiresModule needs the named module, in a version that satisfies the constraint.
	RequiresModule Kind = iota + 1
	// RequiresRole needs at least one other module of the role that satisfies the constraint, and takes all that do.
	RequiresRole
	// Optional is RequiresModule if the module is there, and nothing otherwise.
	Optional
	// After orders behind the module, or the modules of the role, that are there and satisfy the constraint.
	// It makes nobody needed.
	After
	// Conflicts forbids the module, or with a constraint those versions of it.
	Conflicts
	// Binds leads from a root to its module.
	Binds
)

var kindNames = [...]string{
	RequiresModule: "requires",
	RequiresRole:   "requires-role",
	Optional:       "optional",
	After:          "after",
	Conflicts:      "conflicts",
	Binds:          "binds",
}

// String is the stable name of the kind, as the text, JSON and DOT forms show it.
func (k Kind) String() string {
	if k == 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", uint8(k))
	}
	return kindNames[k]
}

// MarshalText makes JSON show the name.
func (k Kind) MarshalText() ([]byte, error) {
	if k == 0 || int(k) >= len(kindNames) {
		return nil, fmt.Errorf("depgraph: unknown edge kind %d", uint8(k))
	}
	return []byte(kindNames[k]), nil
}

// UnmarshalText reads what MarshalText writes.
func (k *Kind) UnmarshalText(text []byte) error {
	for i, name := range kindNames {
		if i > 0 && name == string(text) {
			*k = Kind(i)
			return nil
		}
	}
	return fmt.Errorf("depgraph: unknown edge kind %s, want one of %s", quote(string(text)), strings.Join(kindNames[1:], ", "))
}

// declarable says whether a module may declare edges of this kind.
func (k Kind) declarable() bool { return k >= RequiresModule && k <= Conflicts }

// needs says whether the edge makes its target needed, not only ordered.
func (k Kind) needs() bool { return k == RequiresModule || k == RequiresRole || k == Optional }

// soft says whether dropping the edge costs an order, not a service.
func (k Kind) soft() bool { return k == After || k == Optional }
