package facade

import "slices"

// Parameter is one key and value of the manifest.
type Parameter struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// Parameters is an ordered multimap, as the manifest has it: order and
// repetition are kept.
type Parameters []Parameter

// Get returns the first value of key.
func (p Parameters) Get(key string) (value string, ok bool) {
	for _, x := range p {
		if x.Key == key {
			return x.Value, true
		}
	}
	return "", false
}

// All returns the values of key in their order. The slice is the caller's.
func (p Parameters) All(key string) []string {
	var all []string
	for _, x := range p {
		if x.Key == key {
			all = append(all, x.Value)
		}
	}
	return all
}

// Equal reports whether both hold the same pairs in the same order.
func (p Parameters) Equal(q Parameters) bool { return slices.Equal(p, q) }
