package resources

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	mesosv1 "github.com/mesos-modules/mms/facade/mesos/v1"
)

// value is a value as text has it: one of the fields is set, as kind says.
type value struct {
	kind   mesosv1.Value_Type
	number float64
	ranges []Range // coalesced
	set    []string
	text   string
}

// parseValue reads a value: [1-2,5-5] is ranges, {a,b} a set, 1.5 a scalar and
// anything else without brackets a text. Spaces do not count. Bounds of ranges
// are separated as loosely as Mesos has it: [1,2] is [1-2].
func parseValue(text string) (value, error) {
	text = strings.ReplaceAll(text, " ", "")
	if text == "" {
		return value{}, errors.New("the value is empty")
	}
	for _, pair := range []string{"{}", "[]", "()"} {
		if !balanced(text, pair[0], pair[1]) {
			return value{}, fmt.Errorf("the brackets %s in %q do not match", pair, text)
		}
	}
	switch bracket := strings.IndexByte(text, '['); {
	case bracket == 0:
		return parseRanges(text)
	case bracket > 0:
		return value{}, fmt.Errorf("unexpected [ in %q", text)
	}
	switch brace := strings.IndexByte(text, '{'); {
	case brace == 0:
		return value{kind: mesosv1.Value_SET, set: tokens(text, "{},\n")}, nil
	case brace > 0:
		return value{}, fmt.Errorf("unexpected { in %q", text)
	}
	if number, ok := parseNumber(text); ok {
		return value{kind: mesosv1.Value_SCALAR, number: number}, nil
	}
	return value{kind: mesosv1.Value_TEXT, text: text}, nil
}

func balanced(text string, open, shut byte) bool {
	depth := 0
	for i := range len(text) {
		switch text[i] {
		case open:
			depth++
		case shut:
			depth--
		}
		if depth < 0 {
			return false
		}
	}
	return depth == 0
}

func parseRanges(text string) (value, error) {
	bounds := tokens(text, "[]-,\n")
	if len(bounds)%2 != 0 {
		return value{}, fmt.Errorf("%q has a range with one end", text)
	}
	ranges := make([]Range, 0, len(bounds)/2)
	for i := 0; i < len(bounds); i += 2 {
		begin, err := parseBound(bounds[i])
		if err != nil {
			return value{}, err
		}
		end, err := parseBound(bounds[i+1])
		if err != nil {
			return value{}, err
		}
		if begin > end {
			return value{}, fmt.Errorf("range %d-%d ends before it begins", begin, end)
		}
		ranges = append(ranges, Range{begin, end})
	}
	return value{kind: mesosv1.Value_RANGES, ranges: coalesce(ranges)}, nil
}

// parseBound reads a decimal number, with a plus or not, or a hexadecimal one.
func parseBound(text string) (uint64, error) {
	digits, base := strings.TrimPrefix(text, "+"), 10
	if strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X") {
		digits, base = text[2:], 16
	}
	n, err := strconv.ParseUint(digits, base, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is no whole number from 0 to %d", text, uint64(math.MaxUint64))
	}
	return n, nil
}

// parseNumber reads a finite decimal number. What Go reads beyond that
// (hexadecimal, infinity) is text.
func parseNumber(text string) (float64, bool) {
	if strings.ContainsAny(text, "xX_") {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && !math.IsInf(v, 0) && !math.IsNaN(v)
}

// tokens are the parts between any of the separators that are not empty.
func tokens(text, separators string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(separators, r) })
}

// trim takes off the white space that Mesos takes off around names.
func trim(text string) string { return strings.Trim(text, " \t\n\r") }
