package finding

import (
	"strings"

	"github.com/agnivade/levenshtein"
)

// Nearest returns the candidate that was probably meant by word, for a mend to propose, or "" if none is like it. Letter
// case does not count; of equally near candidates the first wins.
func Nearest(word string, candidates []string) string {
	const longest = 200 // bytes; the comparison is quadratic, and names come from files
	if word == "" || len(word) > longest {
		return ""
	}
	best, nearest := "", tolerance(word)+1
	for _, c := range candidates {
		if len(c) > longest {
			continue
		}
		if d := levenshtein.ComputeDistance(strings.ToLower(word), strings.ToLower(c)); d < nearest {
			best, nearest = c, d
		}
	}
	return best
}

// tolerance is how many letters may differ: a third, at least one, at most four.
func tolerance(word string) int { return max(1, min(len(word)/3, 4)) }
