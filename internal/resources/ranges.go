package resources

import (
	"cmp"
	"math"
	"slices"
	"strconv"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// Range is all whole numbers from Begin to End, both included.
type Range struct{ Begin, End uint64 }

// size is how many numbers a range has; all there are counts one less.
func (r Range) size() uint64 {
	if n := r.End - r.Begin; n < math.MaxUint64 {
		return n + 1
	}
	return math.MaxUint64
}

// Ranges here are lists in order without overlap or touch: coalesced. All
// functions want such lists, give such lists and change none.

// coalesce makes any ranges that are not inverted such a list, in place.
func coalesce(all []Range) []Range {
	if len(all) < 2 {
		return all
	}
	sortRanges(all)
	last := 0
	for _, r := range all[1:] {
		if touches(all[last], r) {
			all[last].End = max(all[last].End, r.End)
			continue
		}
		last++
		all[last] = r
	}
	return all[:last+1]
}

func sortRanges(all []Range) {
	slices.SortFunc(all, func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.Begin, b.Begin), cmp.Compare(a.End, b.End))
	})
}

// touches says whether later, which does not begin before r, overlaps r or
// follows right behind.
func touches(r, later Range) bool {
	return later.Begin <= r.End || later.Begin-1 == r.End
}

// rangesOf copies and coalesces.
func rangesOf(m *mesosv1.Value_Ranges) []Range {
	if len(m.GetRange()) == 0 {
		return nil
	}
	ranges := make([]Range, 0, len(m.GetRange()))
	for _, r := range m.GetRange() {
		ranges = append(ranges, Range{r.GetBegin(), r.GetEnd()})
	}
	return coalesce(ranges)
}

// rangesMessage copies.
func rangesMessage(ranges []Range) *mesosv1.Value_Ranges {
	bounds := slices.Clone(ranges)
	messages := make([]mesosv1.Value_Range, len(ranges)) // in one piece: ports may be in many
	m := &mesosv1.Value_Ranges{Range: make([]*mesosv1.Value_Range, len(ranges))}
	for i := range bounds {
		messages[i].Begin, messages[i].End = &bounds[i].Begin, &bounds[i].End
		m.Range[i] = &messages[i]
	}
	return m
}

func unite(a, b []Range) []Range {
	if len(b) == 0 {
		return a
	}
	if len(a) == 0 {
		return b
	}
	sum := make([]Range, 0, len(a)+len(b))
	for len(a) > 0 || len(b) > 0 {
		var next Range
		if len(b) == 0 || len(a) > 0 && a[0].Begin <= b[0].Begin {
			next, a = a[0], a[1:]
		} else {
			next, b = b[0], b[1:]
		}
		if n := len(sum); n > 0 && touches(sum[n-1], next) {
			sum[n-1].End = max(sum[n-1].End, next.End)
		} else {
			sum = append(sum, next)
		}
	}
	return sum
}

func without(a, b []Range) []Range {
	if len(a) == 0 || len(b) == 0 {
		return a
	}
	left := make([]Range, 0, len(a)+1)
	for _, r := range a {
		for len(b) > 0 && b[0].End < r.Begin {
			b = b[1:]
		}
		gone := false
		for _, hole := range b {
			if hole.Begin > r.End {
				break
			}
			if hole.Begin > r.Begin {
				left = append(left, Range{r.Begin, hole.Begin - 1})
			}
			if hole.End >= r.End {
				gone = true
				break
			}
			r.Begin = hole.End + 1
		}
		if !gone {
			left = append(left, r)
		}
	}
	return left
}

// includes says whether all numbers of b are in a.
func includes(a, b []Range) bool {
	for _, r := range b {
		for len(a) > 0 && a[0].End < r.Begin {
			a = a[1:]
		}
		if len(a) == 0 || a[0].Begin > r.Begin || a[0].End < r.End {
			return false
		}
	}
	return true
}

// appendRanges writes [1-2, 5-5].
func appendRanges(b []byte, ranges []Range) []byte {
	b = append(b, '[')
	for i, r := range ranges {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendUint(b, r.Begin, 10)
		b = append(b, '-')
		b = strconv.AppendUint(b, r.End, 10)
	}
	return append(b, ']')
}
