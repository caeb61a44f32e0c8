package manifest

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

const (
	day  = 24 * time.Hour
	week = 7 * day
)

// units are those of Mesos' duration texts, the largest first.
var units = [...]struct {
	name string
	size time.Duration
}{
	{"weeks", week}, {"days", day}, {"hrs", time.Hour}, {"mins", time.Minute},
	{"secs", time.Second}, {"ms", time.Millisecond}, {"us", time.Microsecond}, {"ns", time.Nanosecond},
}

var errDuration = errors.New(`want a number and one of ns, us, ms, secs, mins, hrs, days, weeks without a space, like "5secs"`)

// parseLimit reads a time limit in Mesos' notation; 0 is refused, because it would read as "no time" and mean "default".
func parseLimit(text string) (time.Duration, error) {
	number := strings.TrimRight(text, "abcdefghijklmnopqrstuvwxyz")
	for _, u := range units {
		if text[len(number):] != u.name {
			continue
		}
		if strings.Trim(number, "0123456789.") != "" {
			return 0, errDuration
		}
		value, err := strconv.ParseFloat(number, 64)
		if err != nil {
			return 0, errDuration
		}
		switch ns := math.Round(value * float64(u.size)); {
		case ns >= math.MaxInt64:
			return 0, errors.New("longer than 292 years")
		case ns < 1:
			return 0, errors.New("a limit must be longer than 0; leave it out for the daemon's default")
		default:
			return time.Duration(ns), nil
		}
	}
	return 0, errDuration
}

// formatLimit writes d in the largest unit that leaves a whole number.
func formatLimit(d time.Duration) string {
	for _, u := range units {
		if d%u.size == 0 && d != 0 {
			return strconv.FormatInt(int64(d/u.size), 10) + u.name
		}
	}
	return "0ns"
}
