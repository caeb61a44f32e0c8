package spawn

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestGivenUpWhileLimitsArePutOn has nobody answer.
func TestGivenUpWhileLimitsArePutOn(t *testing.T) {
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer w.Close() //nolint:errcheck // nothing was written
	ctx, cancel := context.WithCancel(t.Context())
	l := &launch{report: r}
	given := make(chan error)
	go func() { given <- l.taken(ctx) }()
	cancel()
	assert.ErrorIs(t, <-given, os.ErrClosed)
}
