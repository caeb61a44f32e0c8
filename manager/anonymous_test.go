package manager_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/anonymous"
)

type runner func(context.Context) error

func (r runner) Run(ctx context.Context) error { return r(ctx) }

func anonymousModule(name string, run runner) facade.Declared {
	return facade.Module[anonymous.Anonymous]{Name: name,
		New: func(context.Context, facade.Host, facade.Parameters) (anonymous.Anonymous, error) { return run, nil }}
}

func withAnonymous(t *testing.T, drain time.Duration, run runner) fixture {
	mf := limited("runs", manifest.Limits{Drain: drain})
	return newManager(t, &testharness.Journal{}, manager.Config{
		Daemon: roles.Master, Manifests: []manifest.Manifest{mf},
		Builtin: []facade.Library{testharness.Library(anonymousModule("runs", run), anonymousModule("unnamed", func(context.Context) error {
			panic("a module that nobody names runs")
		}))},
	})
}

func TestAnonymous(t *testing.T) {
	t.Run("runs from bind until teardown, without a flag", func(t *testing.T) {
		entered, left := make(chan struct{}), false
		f := withAnonymous(t, 0, func(ctx context.Context) error {
			close(entered)
			<-ctx.Done()
			left = true
			return ctx.Err()
		})
		require.NoError(t, f.Start(t.Context()))
		<-entered
		require.NoError(t, f.Close())
		assert.True(t, left, "teardown does not wait for Run")
		assert.Empty(t, lifecycle.Of[lifecycle.CallPanicked](f.events.Events()))
	})
	t.Run("that fails is told, and ends nothing else", func(t *testing.T) {
		f := withAnonymous(t, 0, func(context.Context) error { return errors.New("no more") })
		require.NoError(t, f.Start(t.Context()))
		_, err := f.events.Wait(t.Context(), func(e lifecycle.Event) bool {
			n, ok := e.(lifecycle.Notice)
			return ok && n.Module == "runs" && n.Text == "Run ended with an error: no more"
		})
		require.NoError(t, err)
		assert.Equal(t, lifecycle.Bound, f.State())
		require.NoError(t, f.Close())
	})
	t.Run("that does not return is passed and named", func(t *testing.T) {
		release := make(chan struct{})
		f := withAnonymous(t, time.Millisecond, func(context.Context) error { <-release; return nil })
		require.NoError(t, f.Start(t.Context()))
		err := f.Close()
		require.ErrorContains(t, err, "module runs")
		require.ErrorContains(t, err, "its Run did not return")
		close(release)
	})
}
