package resources

import (
	"slices"
	"strings"
)

// Field is one entry of an object in the daemons' /state, where a value is a
// number or a text.
type Field struct {
	Name   string
	Number float64
	Text   string
	IsText bool
}

// Fields are the resources by name as /state shows them, in the order of the
// alphabet: sums of scalars as numbers, ranges and sets as text, revocable ones
// apart under name_revocable. The first four are there even with nothing: cpus,
// disk, gpus, mem. Of one name with several types the scalars show.
// The caller owns the slice.
func (r Resources) Fields() []Field {
	parts := []struct {
		resources Resources
		suffix    string
		names     []string
	}{
		{resources: r.NonRevocable(), names: []string{"cpus", "disk", "gpus", "mem"}},
		{resources: r.Revocable(), suffix: "_revocable"},
	}
	var fields []Field
	for _, part := range parts {
		names := append(part.names, part.resources.Names()...)
		slices.Sort(names)
		for _, name := range slices.Compact(names) {
			fields = append(fields, part.resources.Named(name).field(name, name+part.suffix))
		}
	}
	slices.SortStableFunc(fields, func(a, b Field) int { return strings.Compare(a.Name, b.Name) })
	return fields
}

// field shows resources of one name under another.
func (r Resources) field(name, shown string) Field {
	sum, found := r.Scalar(name)
	if found || r.Empty() {
		return Field{Name: shown, Number: sum.Float()}
	}
	if ranges := r.Ranges(name); len(ranges) > 0 {
		return Field{Name: shown, IsText: true, Text: string(appendRanges(nil, ranges))}
	}
	return Field{Name: shown, IsText: true, Text: string(appendSet(nil, r.Set(name)))}
}
