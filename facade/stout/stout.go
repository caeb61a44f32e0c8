// Package stout reads and writes durations and sizes in the notation of Apache
// Mesos' flags and parameters: 15secs, 1.5mins, 64MB. It is named after the library
// of Mesos that has it.
package stout

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// durationUnits are the units of Mesos' duration texts, the largest first.
var durationUnits = [...]struct {
	name string
	size time.Duration
}{
	{"weeks", 7 * 24 * time.Hour}, {"days", 24 * time.Hour}, {"hrs", time.Hour}, {"mins", time.Minute},
	{"secs", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
}

var (
	errDuration = errors.New(`want a number and one of ns, us, ms, secs, mins, hrs, days, weeks without a space, like "5secs"`)
	errTooLong  = errors.New("longer than 292 years")
)

// ParseDuration reads a duration as Mesos writes it: a number without sign, with a fraction if need be, and directly
// behind it one of ns, us, ms, secs, mins, hrs, days, weeks. Go's own notation ("10s", "5m") is refused. A fraction is
// rounded to nanoseconds. Errors do not repeat the text.
func ParseDuration(text string) (time.Duration, error) {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	for _, unit := range durationUnits {
		if text[len(number):] == unit.name {
			return multiply(number, unit.size)
		}
	}
	return 0, errDuration
}

// multiply stays with whole numbers as long as it can: a float64 has too few digits for long times in nanoseconds.
func multiply(number string, unit time.Duration) (time.Duration, error) {
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return 0, errDuration
	}
	if whole, err := strconv.ParseInt(number, 10, 64); err == nil {
		if whole > math.MaxInt64/int64(unit) {
			return 0, errTooLong
		}
		return time.Duration(whole) * unit, nil
	}
	value, err := strconv.ParseFloat(number, 64)
	if err != nil && !errors.Is(err, strconv.ErrRange) {
		return 0, errDuration
	}
	ns := math.Round(value * float64(unit))
	if ns >= math.MaxInt64 {
		return 0, errTooLong
	}
	return time.Duration(ns), nil
}

// FormatDuration writes d as Mesos does: in its own order of magnitude or the unit below it, in whichever gives a whole
// number first, else as a fraction with 15 digits in the larger. So 90 s is "90secs", 60 s "1mins", 0 "0ns". Negative
// durations, which Mesos has no text for, come in nanoseconds.
func FormatDuration(d time.Duration) string {
	if d <= 0 {
		return strconv.FormatInt(int64(d), 10) + "ns"
	}
	for i, unit := range durationUnits {
		if d < unit.size {
			continue
		}
		for _, u := range durationUnits[i:min(i+2, len(durationUnits))] {
			if d%u.size == 0 {
				return strconv.FormatInt(int64(d/u.size), 10) + u.name
			}
		}
		return strconv.FormatFloat(float64(d)/float64(unit.size), 'g', 15, 64) + unit.name
	}
	return strconv.FormatInt(int64(d), 10) + "ns" // not reached: the last unit is 1
}

// ExactDuration writes d, which must not be negative, in the largest unit that leaves a whole number, so that it reads
// as what it was. It differs from [FormatDuration] only where that writes a fraction: 3601secs for 1.00027777777778hrs.
func ExactDuration(d time.Duration) string {
	for _, unit := range durationUnits {
		if d > 0 && d%unit.size == 0 {
			return strconv.FormatInt(int64(d/unit.size), 10) + unit.name
		}
	}
	return "0ns"
}

// Bytes is a size in bytes, written as Mesos writes sizes: "2GB".
type Bytes uint64

// byteUnits are powers of 1024, the smallest first.
var byteUnits = [...]string{"B", "KB", "MB", "GB", "TB"}

var errBytes = errors.New(`want a whole number and one of B, KB, MB, GB, TB, like "64MB"`)

// ParseBytes reads a size: a whole number and, in any letter case, a unit that is a power of 1024. Errors do not repeat
// the text.
func ParseBytes(text string) (Bytes, error) {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
	for power, unit := range byteUnits {
		if !strings.EqualFold(text[len(number):], unit) {
			continue
		}
		if number == "" || strings.Trim(number, "0123456789") != "" {
			return 0, errBytes
		}
		count, err := strconv.ParseUint(number, 10, 64)
		if shift := 10 * power; err != nil || count > math.MaxUint64>>shift {
			return 0, fmt.Errorf("larger than %d bytes", uint64(math.MaxUint64))
		}
		return Bytes(count << (10 * power)), nil
	}
	return 0, errBytes
}

// String writes b in the largest unit that loses nothing.
func (b Bytes) String() string {
	power := 0
	for b != 0 && b%1024 == 0 && power < len(byteUnits)-1 {
		b /= 1024
		power++
	}
	return strconv.FormatUint(uint64(b), 10) + byteUnits[power]
}
