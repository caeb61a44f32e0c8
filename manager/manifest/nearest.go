package manifest

import (
	"slices"
	"strings"

	"github.com/agnivade/levenshtein"
)

// nearest returns the candidate most like word, or "" if none is like it. Letter case does not count as a difference;
// of equally near candidates the first wins.
func nearest(word string, candidates []string) string {
	best, bestDistance := "", tolerance(word)+1
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(c)); d < bestDistance {
			best, bestDistance = c, d
		}
	}
	return best
}

// alike returns up to limit distinct candidates like word, the nearest first, then by name.
func alike(word string, candidates []string, limit int) []string {
	type near struct {
		name     string
		distance int
	}
	var found []near
	for _, c := range candidates {
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(c)); d <= tolerance(word) {
			found = append(found, near{c, d})
		}
	}
	slices.SortFunc(found, func(a, b near) int {
		if a.distance != b.distance {
			return a.distance - b.distance
		}
		return strings.Compare(a.name, b.name)
	})
	var names []string
	for _, f := range slices.Compact(found) {
		if len(names) < limit {
			names = append(names, f.name)
		}
	}
	return names
}

// tolerance is how many letters may differ before another word was meant: a third, but never more than four.
func tolerance(word string) int { return min(len(word)/3, 4) }
