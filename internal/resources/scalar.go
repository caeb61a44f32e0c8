package resources

import (
	"math"
	"strconv"
)

// Scalar is an amount in thousandths. Three decimals are all that frameworks
// and daemons see of each other's numbers, so sums are exact and predictable.
type Scalar int64

// Zero and less is no amount; what does not fit is less than any.
const unfit Scalar = math.MinInt64

// ScalarOf rounds to the nearest thousandth, halves away from zero. NaN and
// what does not fit give the smallest Scalar, which no rule accepts.
func ScalarOf(v float64) Scalar {
	thousandths := math.Round(v * 1000)
	if !(thousandths >= math.MinInt64 && thousandths < math.MaxInt64) {
		return unfit
	}
	return Scalar(thousandths)
}

// Float is the amount as the messages have it. Only the fraction is divided, so
// that whole numbers stay whole.
func (s Scalar) Float() float64 { return float64(s/1000) + float64(s%1000)/1000 }

// String is the amount as logs have it, with 15 digits at most.
func (s Scalar) String() string { return strconv.FormatFloat(s.Float(), 'g', 15, 64) }

// Add stops at the limits instead of wrapping.
func (s Scalar) Add(o Scalar) Scalar {
	sum := s + o
	switch {
	case s > 0 && o > 0 && sum < 0:
		return math.MaxInt64
	case s < 0 && o < 0 && sum >= 0:
		return math.MinInt64
	default:
		return sum
	}
}

// Sub stops at the limits instead of wrapping.
func (s Scalar) Sub(o Scalar) Scalar {
	difference := s - o
	switch {
	case s >= 0 && o < 0 && difference < 0:
		return math.MaxInt64
	case s < 0 && o > 0 && difference >= 0:
		return math.MinInt64
	default:
		return difference
	}
}
