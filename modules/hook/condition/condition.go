// Package condition says which tasks and executors a hook decorates: texts in which *
// stands for any number of any characters.
package condition

import (
	"errors"
	"fmt"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Patterns are those of one parameter, of which one has to match. It does not change.
type Patterns []string

// Parse reads the values of the parameter key. An empty one is an error: it would match
// nothing but what has no name.
func Parse(key string, values []string) (Patterns, error) {
	for _, v := range values {
		if v == "" {
			return nil, fmt.Errorf("parameter %s is empty: write a name, in which * stands for any characters", key)
		}
	}
	return Patterns(values), nil
}

// Match reports whether a name is like one of the patterns. Without patterns every name
// is.
func (p Patterns) Match(name string) bool {
	for _, pattern := range p {
		if like(pattern, name) {
			return true
		}
	}
	return len(p) == 0
}

// MatchRole reports the same of the role that resources are allocated to. Resources
// without one have no role, which is like no pattern.
func (p Patterns) MatchRole(resources []*mesosv1.Resource) bool {
	for _, r := range resources {
		if a := r.GetAllocationInfo(); a != nil && a.Role != nil {
			return p.Match(a.GetRole())
		}
	}
	return len(p) == 0
}

// like compares from both ends, and finds what stands between two stars as early as it
// can, which is right because stars stretch.
func like(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == name
	}
	first, last := parts[0], parts[len(parts)-1]
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		at := strings.Index(name, part)
		if at < 0 {
			return false
		}
		name = name[at+len(part):]
	}
	return true
}

// Pair is the value of a parameter such as set: a key, and a value that may be empty.
type Pair struct{ Key, Value string }

// Pairs reads key=value texts of the parameter named; check says what is wrong with a
// key. All problems come in one error.
func Pairs(parameter string, texts []string, check func(key string) error) ([]Pair, error) {
	var all []Pair
	var problems []error
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		err := check(key)
		if !ok {
			err = errors.New("there is no = in it")
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("parameter %s: %q: %w", parameter, text, err))
			continue
		}
		all = append(all, Pair{key, value})
	}
	return all, errors.Join(problems...)
}

// Unique fails with every key that is named again.
func Unique(keys []string) error {
	seen := map[string]bool{}
	var problems []error
	for _, key := range keys {
		if seen[key] {
			problems = append(problems, fmt.Errorf("%q is named more than once", key))
		}
		seen[key] = true
	}
	return errors.Join(problems...)
}
