package local

import (
	"slices"
	"strings"
)

// kind says how much an entity stands for.
type kind int

const (
	values kind = iota // the named ones: Mesos' SOME
	all                // everybody, or everything: ANY
	none
)

// entity is who or what an entry, or a request, is about.
type entity struct {
	kind   kind
	values []string
}

var anything = entity{kind: all}

func some(values ...string) entity { return entity{values: values} }

// concerns reports whether an entry that names listed is about e, which a request
// brings. Who is nobody in particular is concerned by entries for all and for none.
func (e entity) concerns(listed entity) bool {
	switch e.kind {
	case none:
		return listed.kind == none
	case all:
		return listed.kind != values
	default:
		return listed.kind != values || listed.covers(e)
	}
}

// permittedBy reports whether an entry that concerns e lets it through.
func (e entity) permittedBy(listed entity) bool {
	switch e.kind {
	case none:
		return listed.kind == none
	case all:
		return listed.kind == all
	default:
		return listed.kind == all || listed.kind == values && listed.covers(e)
	}
}

// covers reports whether all values of e are listed. A listed role eng/% stands for
// all roles below eng.
func (listed entity) covers(e entity) bool {
	for _, v := range e.values {
		if !slices.ContainsFunc(listed.values, func(l string) bool {
			above, below := strings.CutSuffix(l, "/%")
			return l == v || below && strings.HasPrefix(v, above+"/")
		}) {
			return false
		}
	}
	return true
}
