// Package nearest finds the name that was probably meant by a misspelt one, for an
// error to propose.
package nearest

import (
	"cmp"
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// longest is how many bytes a name may have to be compared: the comparison is
// quadratic, and names come from files.
const longest = 200

// Name returns the candidate most like word, or "" if none is like it. Letter case
// does not count; of equally near candidates the first wins.
func Name(word string, candidates []string) string {
	best, least := "", longest
	for _, c := range candidates {
		if d, like := distance(word, c); like && d < least {
			best, least = c, d
		}
	}
	return best
}

// Names returns up to most distinct candidates like word, the nearest first, then by
// name.
func Names(word string, candidates []string, most int) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	for _, c := range candidates {
		if d, like := distance(word, c); like {
			found = append(found, near{c, d})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		return cmp.Or(cmp.Compare(a.distance, b.distance), cmp.Compare(a.name, b.name))
	})
	found = slices.Compact(found)
	var names []string
	for _, f := range found[:min(len(found), most)] {
		names = append(names, f.name)
	}
	return names
}

// distance says in how many letters two names differ, and whether that is few: a
// third of the word, at least one, at most four, and not all of them.
func distance(word, candidate string) (letters int, few bool) {
	if word == "" || len(word) > longest || len(candidate) > longest {
		return 0, false
	}
	letters = levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(candidate))
	return letters, letters <= min(max(1, len(word)/3), 4, len(word)-1)
}
