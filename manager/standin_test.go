package manager_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/trial"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/golib"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
)

// carried is a vehicle for every file, with a library of the test's in it.
type carried struct{ library facade.Library }

func (carried) Name() string { return "carried" }

func (c carried) Recognise(vehicle.File) (vehicle.Description, bool, error) {
	return golib.Describe("carried", c.library), true, nil
}

func (c carried) Describe(_ vehicle.File, d vehicle.Description) (vehicle.Description, error) {
	return d, nil
}

func (c carried) Open(context.Context, vehicle.File, vehicle.Description) (vehicle.Library, error) {
	return golib.Open(c.library), nil
}

func TestStandIn(t *testing.T) {
	type sizes struct {
		Size  int64 `mms:"size" doc:"any"`
		Other int64 `mms:"other" doc:"any"`
	}
	var given facade.Parameters
	j := &testharness.Journal{}
	newer := testharness.Calculator{Name: "org_example_a", Version: "2.0.0", Schema: facade.SchemaOf[sizes](),
		New: func(_ context.Context, _ facade.Host, p facade.Parameters) error { given = p; return nil }}
	file := filepath.Join(t.TempDir(), "library")
	require.NoError(t, os.WriteFile(file, []byte("library"), 0o600))
	external := manifest.Library{File: file, Modules: []manifest.Module{{Name: "org_example_a",
		Parameters: []manifest.Parameter{{Key: "other", Value: "7"}}}}}
	fresh := func(t *testing.T, manifests ...manifest.Manifest) fixture {
		return newManager(t, j, manager.Config{
			Daemon: roles.Slave, Vehicles: []vehicle.Vehicle{carried{testharness.Library(newer.In(j))}},
			Builtin: []facade.Library{testharness.Library(testharness.Calculator{Name: "org_example_a", Version: "1.0.0"}.In(j))},
			Trial: func(_ context.Context, requests []trial.Request, _ trial.Options) ([]trial.Verdict, error) {
				return []trial.Verdict{{Description: requests[0].Description}}, nil
			},
			Parameters: map[string]facade.Parameters{"org_example_a": {{Key: "size", Value: "3"}, {Key: "unknown", Value: "x"}, {Key: "other", Value: "1"}}},
			Manifests:  manifests, Bindings: calculators("org_example_a"),
		})
	}
	version := func(f fixture) string {
		for _, m := range f.Modules() {
			if m.Declared.Name == "org_example_a" {
				return m.Declared.Version
			}
		}
		return ""
	}
	t.Run("a module of the manifest takes the place of one that the daemon is built with", func(t *testing.T) {
		f := fresh(t, manifest.Manifest{Libraries: []manifest.Library{external}})
		require.NoError(t, f.Start(t.Context()))
		assert.Equal(t, "2.0.0", version(f))
		assert.Equal(t, []string{"org_example_a"}, manager.BoundForTest(f.Manager, "calculator"))
		assert.Equal(t, facade.Parameters{{Key: "other", Value: "7"}, {Key: "size", Value: "3"}}, given,
			"it gets what flags say, so far as it knows it and the manifest says nothing else")
		assert.Contains(t, f.Result().Notices, verify.Notice{ID: verify.StandsIn, Module: "org_example_a", Library: file,
			Text: "it stands in for version 1.0.0, which mesos-slave is built with"})
	})
	t.Run("unloaded, it gives the place back", func(t *testing.T) {
		f := fresh(t)
		require.NoError(t, f.Load(t.Context(), manifest.Manifest{Libraries: []manifest.Library{external}}))
		assert.Equal(t, "2.0.0", version(f))
		require.NoError(t, f.Unload(t.Context(), "org_example_a"))
		assert.Equal(t, "1.0.0", version(f))
	})
	t.Run("a manifest that names both is wrong", func(t *testing.T) {
		f := fresh(t, manifest.Manifest{Libraries: []manifest.Library{external,
			{Name: "builtin", Modules: []manifest.Module{{Name: "org_example_a"}}}}})
		err := f.Start(t.Context())
		var held *finding.Error
		require.ErrorAs(t, err, &held)
		assert.Equal(t, finding.UniqueName, held.Findings[0].Rule)
		assert.Empty(t, version(f), "nothing of this start is in the books any more")
	})
}
