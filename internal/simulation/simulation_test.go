package simulation

import (
	"flag"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var (
	only  = flag.Uint64("seed", 0, "run this one seed; with -v it tells all that happens")
	count = flag.Uint64("seeds", 100, "how many seeds to run, from 1 on")
)

func TestSeeds(t *testing.T) {
	first, last := uint64(1), *count
	if *only != 0 {
		first, last = *only, *only
	}
	for seed := first; seed <= last; seed++ {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			var trace func(string)
			if *only != 0 && testing.Verbose() {
				trace = func(line string) { fmt.Println(line) }
			}
			outcome, err := Run(seed, t.TempDir(), trace)
			require.NoError(t, err)
			assert.Empty(t, outcome.Problems, "replay it: go test ./internal/simulation -run TestSeeds -seed=%d -v", seed)
			assert.NotZero(t, outcome.Tasks)
		})
	}
}

// The same seed does the same, to the last line.
func TestASeedIsReplayed(t *testing.T) {
	traces := make([][]string, 2)
	for i := range traces {
		_, err := Run(7, t.TempDir(), func(line string) { traces[i] = append(traces[i], line) })
		require.NoError(t, err)
	}
	assert.NotEmpty(t, traces[0])
	assert.Equal(t, traces[0], traces[1])
}
