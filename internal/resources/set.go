package resources

import "slices"

// Sets here are lists of different items in the order in which they came. All
// functions want such lists, give such lists and change none.

// fewItems is how many are looked through one by one. Longer sets are sorted
// first, so that no set that a stranger sends is quadratic.
const fewItems = 16

// finder answers which items are in a set.
func finder(set []string) func(item string) bool {
	if len(set) <= fewItems {
		return func(item string) bool { return slices.Contains(set, item) }
	}
	sorted := slices.Sorted(slices.Values(set))
	return func(item string) bool {
		_, found := slices.BinarySearch(sorted, item)
		return found
	}
}

func uniteSets(a, b []string) []string {
	added := slices.DeleteFunc(slices.Clone(b), finder(a))
	return slices.Concat(a, added)
}

func setWithout(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), finder(b))
}

// setIncludes says whether all items of b are in a.
func setIncludes(a, b []string) bool {
	if len(b) > len(a) {
		return false
	}
	has := finder(a)
	return !slices.ContainsFunc(b, func(item string) bool { return !has(item) })
}

// duplicate is an item that a list has twice.
func duplicate(items []string) (item string, found bool) {
	sorted := slices.Sorted(slices.Values(items))
	for i := 1; i < len(sorted); i++ {
		if sorted[i] == sorted[i-1] {
			return sorted[i], true
		}
	}
	return "", false
}

// appendSet writes {a, b}.
func appendSet(b []byte, set []string) []byte {
	b = append(b, '{')
	for i, item := range set {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = append(b, item...)
	}
	return append(b, '}')
}
