package manager_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// hosted starts a manager whose module a is given a look at its host.
func hosted(t *testing.T, cfg manager.Config, look func(facade.Host), more ...testharness.Calculator) fixture {
	t.Helper()
	j := &testharness.Journal{}
	a := testharness.Calculator{Name: "a", New: func(_ context.Context, h facade.Host, _ facade.Parameters) error { look(h); return nil }}
	declared := []facade.Declared{a.In(j)}
	if len(more) > 0 {
		more[0].New = a.New
		declared = nil
		for _, c := range more {
			declared = append(declared, c.In(j))
		}
	}
	cfg.Daemon, cfg.Builtin, cfg.Bindings = roles.Slave, []facade.Library{testharness.Library(declared...)}, calculators("a")
	f := newManager(t, j, cfg)
	require.NoError(t, f.Start(t.Context()))
	return f
}

func TestHost(t *testing.T) {
	t.Run("gives a state folder of the module's own, for the daemon's user only", func(t *testing.T) {
		root := filepath.Join(t.TempDir(), "state")
		var dir string
		hosted(t, manager.Config{StateDir: root}, func(h facade.Host) {
			assert.NoDirExists(t, root, "made before it was asked for")
			var err error
			dir, err = h.StateDir()
			require.NoError(t, err)
		})
		info, err := os.Stat(dir)
		require.NoError(t, err)
		assert.Equal(t, os.FileMode(0o700), info.Mode().Perm())
		assert.Equal(t, filepath.Join(root, "module-a"), dir)
	})
	t.Run("says that there is no state without a work_dir", func(t *testing.T) {
		hosted(t, manager.Config{}, func(h facade.Host) {
			_, err := h.StateDir()
			require.ErrorContains(t, err, "--work_dir")
		})
	})
	t.Run("logs under the module's name", func(t *testing.T) {
		var out bytes.Buffer
		hosted(t, manager.Config{Logger: slog.New(slog.NewTextHandler(&out, nil))}, func(h facade.Host) { h.Logger().Info("hello") })
		assert.Contains(t, out.String(), "msg=hello module=a")
	})
	t.Run("ends the lifetime with the teardown", func(t *testing.T) {
		var life context.Context
		f := hosted(t, manager.Config{}, func(h facade.Host) { life = h.Lifetime() })
		require.NoError(t, life.Err())
		require.NoError(t, f.Close())
		require.ErrorIs(t, life.Err(), context.Canceled)
	})
	t.Run("hands in optional modules when they are there, and roles in plan order", func(t *testing.T) {
		picked := manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin",
			Modules: []manifest.Module{{Name: "here"}, {Name: "there"}, {Name: "old"}}}}}
		hosted(t, manager.Config{Manifests: []manifest.Manifest{picked}}, func(h facade.Host) {
			assert.Equal(t, facade.MesosVersion, h.MesosVersion())
			_, err := facade.Required[calculator.Calculator](h, "absent")
			require.ErrorContains(t, err, "not handed in")
			_, err = facade.Required[calculator.Calculator](h, "here")
			require.NoError(t, err)
			assert.Len(t, facade.RequiredRole[calculator.Calculator](h), 2)
			h.Metrics().Counter("calls", "how often").Add(1)
			h.Metrics().Gauge("level", "how high").Set(1)
			info, ok := h.Module("here")
			assert.True(t, ok)
			assert.Equal(t, "1.0.0", info.Version)
			_, ok = h.Module("absent")
			assert.False(t, ok)
			assert.Len(t, h.Libraries(), 1)
		},
			testharness.Calculator{Name: "a", Requires: []facade.Requirement{
				{Module: "absent", Optional: true}, {Module: "here", Optional: true}, {Role: "Calculator", Version: ">=1"}}},
			testharness.Calculator{Name: "here", Version: "1.0.0"},
			testharness.Calculator{Name: "there", Version: "2.0.0"},
			testharness.Calculator{Name: "old", Version: "0.9.0"})
	})
}
