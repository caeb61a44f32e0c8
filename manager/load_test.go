package manager_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/roles"
)

// paper is a vehicle for every file; its libraries have no modules.
type paper struct{ seen func(vehicle.File) }

func (paper) Name() string { return "paper" }

func (p paper) Recognise(f vehicle.File) (vehicle.Description, bool, error) {
	if p.seen != nil {
		p.seen(f)
	}
	return vehicle.Description{Vehicle: "paper", MMSVersion: "1", MesosVersion: "1.12.0"}, true, nil
}

func (paper) Describe(_ vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	return d, nil
}

func (paper) Open(context.Context, vehicle.File, vehicle.Description) (vehicle.Library, error) {
	return sheet{}, nil
}

type sheet struct{ vehicle.Library }

func (sheet) Close() error  { return nil }
func (sheet) Unloads() bool { return true }

// papers are libraries of that vehicle.
func papers(t *testing.T, count int) manifest.Manifest {
	t.Helper()
	var mf manifest.Manifest
	for range count {
		path := filepath.Join(t.TempDir(), "library")
		require.NoError(t, os.WriteFile(path, []byte(path), 0o600))
		mf.Libraries = append(mf.Libraries, manifest.Library{File: path})
	}
	return mf
}

func TestLoad(t *testing.T) {
	t.Run("the limit of a library does not hurry the child that opens it", func(t *testing.T) {
		asked := false
		f := newManager(t, &testharness.Journal{}, manager.Config{
			Daemon: roles.Slave, Vehicles: []vehicle.Vehicle{paper{}}, Limits: manifest.Limits{Open: time.Second},
			Trial: func(ctx context.Context, requests []trial.Request, _ trial.Options) ([]trial.Verdict, error) {
				asked = true
				assert.Equal(t, time.Second, requests[0].Limit)
				deadline, ok := ctx.Deadline()
				assert.True(t, ok)
				assert.Greater(t, time.Until(deadline), 20*time.Second, "two children may have to start, on a machine that is busy")
				return make([]trial.Verdict, len(requests)), nil
			},
		})
		require.NoError(t, f.Load(t.Context(), papers(t, 2)))
		assert.True(t, asked)
	})
	t.Run("that is cancelled recognises no more libraries", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		recognised := 0
		f := newManager(t, &testharness.Journal{}, manager.Config{
			Daemon: roles.Slave, Vehicles: []vehicle.Vehicle{paper{func(vehicle.File) { recognised++; cancel() }}},
		})
		require.ErrorIs(t, f.Load(ctx, papers(t, 3)), context.Canceled)
		assert.Equal(t, 1, recognised)
	})
	t.Run("looks for proposals without reading whole files, until it is cancelled", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"a", "b"} {
			require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(name), 0o600))
		}
		ctx, cancel := context.WithCancel(t.Context())
		recognised := 0
		f := newManager(t, &testharness.Journal{}, manager.Config{
			Daemon: roles.Slave, SearchPath: []string{dir}, Bindings: calculators("nobody"),
			Vehicles: []vehicle.Vehicle{paper{func(f vehicle.File) {
				recognised++
				assert.Zero(t, f.Digest)
				cancel()
			}}},
		})
		require.NoError(t, f.Load(ctx))
		require.ErrorContains(t, f.Verify(ctx), "nobody")
		assert.Equal(t, 1, recognised)
	})
}
