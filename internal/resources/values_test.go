package resources

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestScalar(t *testing.T) {
	t.Run("is rounded to the nearest thousandth, halves away from zero", func(t *testing.T) {
		for v, want := range map[float64]Scalar{
			0: 0, 1: 1000, 0.1: 100, 0.0004: 0, 0.0005: 1, 0.00049999: 0, 1.2345: 1235, 1.23449: 1234,
			-0.0004: 0, -0.0005: -1, -1.5: -1500, 9e15: 9e18,
		} {
			assert.Equal(t, want, ScalarOf(v), "%v", v)
		}
	})
	t.Run("is the smallest number for what does not fit", func(t *testing.T) {
		for _, v := range []float64{math.NaN(), math.Inf(1), math.Inf(-1), 9.1e15, -9.1e15, 1e16, math.MaxFloat64} {
			assert.Equal(t, Scalar(math.MinInt64), ScalarOf(v), "%v", v)
		}
	})
	t.Run("prints and reads back without noise", func(t *testing.T) {
		for s, want := range map[Scalar]string{
			0: "0", 1: "0.001", 100: "0.1", 1500: "1.5", 1000: "1", 1024000: "1024", 488000_000: "488000",
			123456789: "123456.789", 1e18: "1e+15", -2500: "-2.5",
		} {
			assert.Equal(t, want, s.String())
			assert.Equal(t, s, ScalarOf(s.Float()))
		}
	})
	t.Run("adds tenths exactly", func(t *testing.T) {
		sum := Scalar(0)
		for range 10 {
			sum = sum.Add(ScalarOf(0.1))
		}
		assert.Equal(t, 1.0, sum.Float())
		assert.Equal(t, ScalarOf(0.3), ScalarOf(0.4).Sub(ScalarOf(0.1)))
	})
	t.Run("stops at the limits", func(t *testing.T) {
		assert.Equal(t, most, most.Add(1))
		assert.Equal(t, most, most.Add(most))
		assert.Equal(t, -most, (-most).Sub(1))
		assert.Equal(t, -most, (-most).Sub(most))
		assert.Equal(t, most-1, most.Sub(1))
		assert.Equal(t, Scalar(0), most.Add(-most))
		assert.Equal(t, most, ScalarOf(most.Float()), "the largest amount can be said")
	})
}

func TestRanges(t *testing.T) {
	const top = math.MaxUint64
	t.Run("coalesce", func(t *testing.T) {
		for _, c := range []struct{ name, in, want string }{
			{"sorts", "[5-6, 1-2]", "[1-2, 5-6]"},
			{"joins what overlaps", "[1-5, 3-8]", "[1-8]"},
			{"joins what touches", "[1-2, 3-4]", "[1-4]"},
			{"leaves gaps", "[1-2, 4-4]", "[1-2, 4-4]"},
			{"swallows", "[1-9, 2-3, 5-5]", "[1-9]"},
			{"keeps one of equals", "[7-7, 7-7]", "[7-7]"},
			{"knows the largest number", "[0-0, 18446744073709551615-18446744073709551615, 1-18446744073709551614]", "[0-18446744073709551615]"},
		} {
			t.Run(c.name, func(t *testing.T) {
				v, err := parseValue(c.in)
				require.NoError(t, err)
				assert.Equal(t, c.want, string(appendRanges(nil, v.ranges)))
			})
		}
	})
	t.Run("the whole of 64 bits can be taken apart", func(t *testing.T) {
		left := without([]Range{{0, top}}, []Range{{0, 0}, {5, 6}, {top, top}})
		assert.Equal(t, []Range{{1, 4}, {7, top - 1}}, left)
		assert.Empty(t, without([]Range{{top, top}}, []Range{{0, top}}))
		assert.Equal(t, uint64(top), Range{0, top}.size())
		assert.Equal(t, uint64(top), Range{1, top}.size())
	})
	t.Run("calculate like sets of numbers", func(t *testing.T) {
		rng := rand.New(rand.NewPCG(1, 2))
		for range 3000 {
			a, b := rng.Uint64()&0xffff, rng.Uint64()&0xffff
			ra, rb := bitRanges(a), bitRanges(b)
			beforeA, beforeB := append([]Range(nil), ra...), append([]Range(nil), rb...)
			require.Equal(t, bitRanges(a|b), unite(ra, rb))
			require.ElementsMatch(t, bitRanges(a&^b), without(ra, rb))
			require.Equal(t, a&b == b, includes(ra, rb), "%b %b", a, b)
			require.Equal(t, beforeA, ra)
			require.Equal(t, beforeB, rb)
		}
	})
}

// bitRanges is the slow way: number by number.
func bitRanges(bits uint64) (ranges []Range) {
	for i := range uint64(64) {
		if bits>>i&1 == 0 {
			continue
		}
		if n := len(ranges); n > 0 && ranges[n-1].End+1 == i {
			ranges[n-1].End = i
		} else {
			ranges = append(ranges, Range{i, i})
		}
	}
	return ranges
}

func TestSets(t *testing.T) {
	long := make([]string, 0, 100)
	for i := range 100 {
		long = append(long, string(rune('A'+i)))
	}
	a, b := []string{"c", "a"}, []string{"b", "a", "d"}
	assert.Equal(t, []string{"c", "a", "b", "d"}, uniteSets(a, b), "new items come behind, in their order")
	assert.Equal(t, []string{"c"}, setWithout(a, b))
	assert.Equal(t, []string{"c", "a"}, a)
	assert.Equal(t, []string{"b", "a", "d"}, b)
	assert.True(t, setIncludes(long, []string{"Z", "A"}))
	assert.False(t, setIncludes(long, []string{"Z", "nothing"}))
	assert.False(t, setIncludes(a, b))
	assert.Equal(t, long, uniteSets(long, long[50:]), "long sets behave like short ones")
	assert.Equal(t, long[50:], setWithout(long, long[:50]))
	item, twice := duplicate([]string{"b", "a", "b"})
	assert.True(t, twice)
	assert.Equal(t, "b", item)
}

func TestRoles(t *testing.T) {
	for _, role := range []string{"*", "web", "a/b/c", "a-b", "a.b", "...", `back\slash`, "ä", "*a"} {
		assert.NoError(t, ValidateRole(role), "%q", role)
	}
	for role, want := range map[string]string{
		"":      "must not be empty",
		"/a":    "begins or ends with a slash",
		"a/":    "begins or ends with a slash",
		"a//b":  "begins or ends with a slash or has two in a row",
		".":     `has "." as a component`,
		"a/..":  `has ".." as a component`,
		"a/*":   `has "*" as a component`,
		"-a":    "starts with a dash",
		"a/-b":  "starts with a dash",
		"a b":   "white space",
		"a\vb":  "white space",
		"a\x7f": "delete character",
	} {
		assert.ErrorContains(t, ValidateRole(role), want, "%q", role)
	}
	assert.True(t, IsStrictSubrole("a/b", "a"))
	assert.True(t, IsStrictSubrole("a/b/c", "a"))
	assert.False(t, IsStrictSubrole("a", "a"))
	assert.False(t, IsStrictSubrole("ab", "a"))
	assert.False(t, IsStrictSubrole("a", "a/b"))
	assert.False(t, IsStrictSubrole("a", "*"))
}
