package manager_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/handle"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles/calculator"
)

// counting makes modules that say which of their instances they are.
func ordinal() func(context.Context, byte, int64) (int32, error) { return nil }

func TestSupervision(t *testing.T) {
	t.Run("starts a process again that ended, behind the same handle", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			j, p := &testharness.Journal{}, newProcesses(t)
			lib := p.add("a", testharness.Calculator{Name: "a"}.In(j))
			f := p.fixture(j, nil, []string{"a"}, lib)
			h := start(t, f)[0]
			_, err := h.Compute(t.Context(), 1, 2)
			require.NoError(t, err)

			died := time.Now()
			lib.kill()
			_, err = h.Compute(t.Context(), 1, 2)
			requireGone(t, err, "a")
			synctest.Wait()
			_, err = h.Compute(t.Context(), 1, 2)
			requireGone(t, err, "a")
			require.ErrorIs(t, err, handle.ErrUnbound)

			until(t, f, any1[lifecycle.ProcessRestarted])
			synctest.Wait()
			sum, err := h.Compute(t.Context(), 1, 2)
			require.NoError(t, err)
			assert.EqualValues(t, 3, sum)
			assert.Equal(t, []time.Duration{manager.DefaultBackoff}, lib.tried(died))
			require.NoError(t, f.Close())
			assert.Equal(t, []string{"new a", "call a", "new a", "call a", "close a"}, j.Lines())
			assert.Zero(t, lib.running())
		})
	})
}

// requireGone wants the error of a call into a module whose process ended.
func requireGone(t *testing.T, err error, module string) {
	t.Helper()
	var gone *vehicle.GoneError
	require.ErrorAs(t, err, &gone)
	assert.Equal(t, module, gone.Module)
	assert.Equal(t, "signal SIGKILL", gone.Detail)
}

var (
	_ = errors.New
	_ calculator.Calculator
	_ facade.Declared
)
