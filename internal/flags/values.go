package flags

import (
	"cmp"
	"slices"
)

// NameValue is one flag as /flags lists it.
type NameValue struct {
	Name, Value string
}

// Values lists every flag that has a value, sorted by name: given or default, but no optional flag that was not given. A
// flag given by an alias is listed under the alias, as Apache Mesos does. Values are written in Mesos' notation. Of a
// secret flag [Hidden] is listed.
func (s *Set) Values() []NameValue {
	var all []NameValue
	for _, f := range s.flags {
		if !f.has {
			continue
		}
		name := f.name
		if f.given != nil {
			name = f.given.name
		}
		value := Hidden
		if !f.secret {
			value = f.show()
			if f.redact != nil {
				value = f.redact(value)
			}
		}
		all = append(all, NameValue{name, value})
	}
	slices.SortFunc(all, func(a, b NameValue) int { return cmp.Compare(a.Name, b.Name) })
	return all
}
