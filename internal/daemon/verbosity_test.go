package daemon

import (
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestVerbosity(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v := newVerbosity(slog.LevelWarn)
		defer v.close()
		state := func() []any { synctest.Wait(); return []any{v.Level(), v.shown.Level()} }
		quiet := []any{uint32(0), slog.LevelWarn}
		assert.Equal(t, quiet, state())

		v.Set(2, time.Minute)
		time.Sleep(30 * time.Second)
		assert.Equal(t, []any{uint32(2), slog.LevelDebug}, state())
		v.Set(1, time.Minute) // the first minute does not end it any more
		time.Sleep(45 * time.Second)
		assert.Equal(t, []any{uint32(1), slog.LevelDebug}, state())
		time.Sleep(15 * time.Second)
		assert.Equal(t, quiet, state())

		v.Set(3, time.Minute)
		v.Set(0, time.Minute)
		assert.Equal(t, quiet, state())
	})
}
