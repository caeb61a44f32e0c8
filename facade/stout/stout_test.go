package stout_test

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/stout"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"0ns": 0, "0weeks": 0, "1ns": 1, "2us": 2 * time.Microsecond, "3ms": 3 * time.Millisecond, "15secs": 15 * time.Second,
		"10mins": 10 * time.Minute, "6hrs": 6 * time.Hour, "2days": 48 * time.Hour, "2weeks": 14 * 24 * time.Hour,
		"1.5secs": 1500 * time.Millisecond, ".5secs": 500 * time.Millisecond, "1.secs": time.Second, "1.001secs": 1001 * time.Millisecond,
		"0.1ns": 0, "9223372036854775807ns": math.MaxInt64, "15250weeks": 15250 * 7 * 24 * time.Hour,
	} {
		t.Run("reads "+text, func(t *testing.T) {
			d, err := stout.ParseDuration(text)
			require.NoError(t, err)
			assert.Equal(t, want, d)
		})
	}
	const want = `want a number and one of ns, us, ms, secs, mins, hrs, days, weeks without a space, like "5secs"`
	for _, text := range []string{"", "5", "secs", "10s", "5m", "1h", "1 secs", "-1secs", "+1secs", "1e3secs", "1.2.3secs", ".secs",
		"0x1secs", "1_0secs", "infsecs", "nansecs", "1Secs", "1secs ", " 1secs", "1sec", "1min", "1week", "5secs5ms"} {
		t.Run("refuses "+text, func(t *testing.T) {
			_, err := stout.ParseDuration(text)
			assert.EqualError(t, err, want)
		})
	}
	for _, text := range []string{"15251weeks", "9223372036854775808ns", "99999999999999999999999weeks", "1" + fmt.Sprintf("%0400d", 0) + ".0secs"} {
		t.Run("is bounded: "+text, func(t *testing.T) {
			_, err := stout.ParseDuration(text)
			assert.EqualError(t, err, "longer than 292 years")
		})
	}
	for want, d := range map[string]time.Duration{
		"90secs": 90 * time.Second, "1mins": time.Minute, "1500ms": 1500 * time.Millisecond, "10days": 240 * time.Hour,
		"1weeks": 168 * time.Hour, "0ns": 0, "1ns": 1, "999ns": 999, "1us": 1000, "1500ns": 1500, "15secs": 15 * time.Second,
		"36hrs": 36 * time.Hour, "8days": 192 * time.Hour, "1.00027777777778hrs": time.Hour + time.Second,
		"1.000000001secs": time.Second + 1, "-5ns": -5, "-9223372036854775808ns": math.MinInt64,
		"2weeks": 336 * time.Hour, "100mins": 100 * time.Minute,
	} {
		t.Run("writes "+want, func(t *testing.T) { assert.Equal(t, want, stout.FormatDuration(d)) })
	}
}

func TestBytes(t *testing.T) {
	for text, want := range map[string]stout.Bytes{
		"0B": 0, "1B": 1, "4KB": 4096, "4kb": 4096, "2Gb": 2 << 30, "1MB": 1 << 20, "3TB": 3 << 40, "16777215TB": 16777215 << 40,
		"18446744073709551615B": math.MaxUint64,
	} {
		t.Run("reads "+text, func(t *testing.T) {
			b, err := stout.ParseBytes(text)
			require.NoError(t, err)
			assert.Equal(t, want, b)
		})
	}
	for _, text := range []string{"", "B", "5", "1.5GB", "-1B", "+1B", "1 KB", "1K", "1KiB", "1e3B", "0x1B", "1PB", " 1B", "1B "} {
		t.Run("refuses "+text, func(t *testing.T) {
			_, err := stout.ParseBytes(text)
			assert.EqualError(t, err, `want a whole number and one of B, KB, MB, GB, TB, like "64MB"`)
		})
	}
	for _, text := range []string{"16777216TB", "18446744073709551616B", "99999999999999999999999GB"} {
		t.Run("is bounded: "+text, func(t *testing.T) {
			_, err := stout.ParseBytes(text)
			assert.EqualError(t, err, "larger than 18446744073709551615 bytes")
		})
	}
	for want, b := range map[string]stout.Bytes{"0B": 0, "2GB": 2 << 30, "4KB": 4096, "1025B": 1025, "1536MB": 1536 << 20, "2048TB": 2 << 50} {
		t.Run("writes "+want, func(t *testing.T) { assert.Equal(t, want, b.String()) })
	}
}

func TestExactDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0ns": 0, "1ns": 1, "90secs": 90 * time.Second, "3601secs": time.Hour + time.Second, "1500ms": 1500 * time.Millisecond,
		"2weeks": 336 * time.Hour, "9223372036854775807ns": math.MaxInt64,
	} {
		t.Run(want+" is written and read", func(t *testing.T) {
			assert.Equal(t, want, stout.ExactDuration(d))
			again, err := stout.ParseDuration(want)
			require.NoError(t, err)
			assert.Equal(t, d, again)
		})
	}
}
