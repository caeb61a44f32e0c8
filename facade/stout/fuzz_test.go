package stout_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade/stout"
)

func FuzzUnits(f *testing.F) {
	for _, text := range []string{"1.5secs", "90secs", "0ns", "15250weeks", "9223372036854775807ns", "4KB", "16777215TB", "10s", ""} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d, err := stout.ParseDuration(text); err == nil {
			written := stout.FormatDuration(d)
			again, err := stout.ParseDuration(written)
			require.NoError(t, err)
			assert.InEpsilon(t, float64(d)+1, float64(again)+1, 1e-12, "%s became %s", text, written)
		}
		if b, err := stout.ParseBytes(text); err == nil {
			again, err := stout.ParseBytes(b.String())
			require.NoError(t, err)
			assert.Equal(t, b, again)
		}
	})
}
