package resources

import (
	"math"
	"strconv"
)

// Scalar is an amount in thousandths. Three decimals are all that frameworks
// and daemons see of each other's numbers, so sums are exact and predictable.
type Scalar int64

const (
	// most is the largest amount, 9e15: one that messages can say exactly.
	most Scalar = 9_000_000_000_000_000_000
	// unfit is what does not fit: less than any amount.
	unfit Scalar = math.MinInt64
)

// ScalarOf rounds to the nearest thousandth, halves away from zero. NaN and
// what is beyond 9e15 give the smallest Scalar, which no rule accepts.
func ScalarOf(v float64) Scalar {
	thousandths := math.Round(v * 1000)
	if !(math.Abs(thousandths) <= float64(most)) {
		return unfit
	}
	return Scalar(thousandths)
}

// Float is the amount as the messages have it. Only the fraction is divided, so
// that whole numbers stay whole.
func (s Scalar) Float() float64 { return float64(s/1000) + float64(s%1000)/1000 }

// String is the amount as logs have it, with 15 digits at most.
func (s Scalar) String() string { return strconv.FormatFloat(s.Float(), 'g', 15, 64) }

// Add stops at 9e15 and -9e15 instead of wrapping.
func (s Scalar) Add(o Scalar) Scalar {
	sum := s + o
	switch {
	case s > 0 && o > 0 && (sum < 0 || sum > most):
		return most
	case s < 0 && o < 0 && (sum >= 0 || sum < -most):
		return -most
	default:
		return sum
	}
}

// Sub stops like Add.
func (s Scalar) Sub(o Scalar) Scalar { return s.Add(-o) }
