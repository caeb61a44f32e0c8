package conformance_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles/calculator"
)

// needing is a compiled-in calculator that requires one of the native library.
func needing(j *testharness.Journal, requirement facade.Requirement) manager.Config {
	return manager.Config{
		Builtin: []facade.Library{testharness.Library(testharness.Calculator{Name: "org_example_top", Requires: []facade.Requirement{requirement},
			New: func(ctx context.Context, host facade.Host, _ facade.Parameters) error {
				base, err := facade.Required[calculator.Calculator](host, requirement.Module)
				if err != nil {
					return err
				}
				_, err = base.Compute(ctx, 'A', 10)
				return err
			}}.In(j))},
		Bindings: []verify.Binding{binds("calculator", "org_example_top")},
	}
}

func interdependencies(t *testing.T) {
	second := testharness.Requires("org_example_second", ">=2")
	t.Run("who is required comes first, across vehicles, and is handed in", func(t *testing.T) {
		journal := filepath.Join(t.TempDir(), "journal")
		t.Setenv("MMS_CONFORMANCE_JOURNAL", journal)
		j := &testharness.Journal{}
		r := run(t, needing(j, second))
		r.start(library(several(t), "org_example_second"))
		require.NoError(t, r.Close())
		assert.Equal(t, []string{"new org_example_top", "close org_example_top"}, j.Lines())
		assert.Equal(t, "new org_example_second\nclose org_example_second\n", read(t, journal))
		testharness.RequireMirror(t, r.events.Events())
		var made []string
		for _, e := range lifecycle.Of[lifecycle.StepEnded](r.events.Events()) {
			if e.Step == "create" {
				made = append(made, e.Module)
			}
		}
		assert.Equal(t, []string{"org_example_second", "org_example_top"}, made)
	})
	t.Run("what is missing is a finding with the way to it", func(t *testing.T) {
		err := run(t, needing(&testharness.Journal{}, second)).verified(library(several(t), "org_example_first"))
		requireRefused(t, err, finding.Requirement, "--calculator -> org_example_top -> org_example_second")
	})
	t.Run("a native module requires too", func(t *testing.T) {
		err := run(t, manager.Config{}).verified(library(several(t), "org_example_tested"))
		requireRefused(t, err, finding.Requirement, "org_example_second")
		require.NoError(t, run(t, manager.Config{}).verified(library(several(t), "org_example_tested", "org_example_second")))
	})
	t.Run("two modules that exclude each other are not loaded together", func(t *testing.T) {
		cfg := manager.Config{Builtin: []facade.Library{testharness.Library(testharness.Calculator{Name: "org_example_first", Version: "0.9.0"}.In(&testharness.Journal{}))},
			Bindings: []verify.Binding{binds("calculator", "org_example_first")}}
		requireRefused(t, run(t, cfg).verified(library(several(t), "org_example_third")), finding.Conflict, "org_example_third", "org_example_first", "0.9.0")
		require.NoError(t, run(t, manager.Config{}).verified(library(several(t), "org_example_first", "org_example_third")), "other versions do not conflict")
	})
	t.Run("requirements that go round are a finding with the whole way", func(t *testing.T) {
		j := &testharness.Journal{}
		round := func(name, next string) facade.Declared {
			return testharness.Calculator{Name: name, Requires: []facade.Requirement{testharness.Requires(next, "")}}.In(j)
		}
		cfg := manager.Config{Builtin: []facade.Library{testharness.Library(round("org_a_a", "org_b_b"), round("org_b_b", "org_c_c"), round("org_c_c", "org_a_a"))},
			Bindings: []verify.Binding{binds("calculator", "org_a_a")}}
		requireRefused(t, run(t, cfg).verified(), finding.Cycle, "org_a_a -> org_b_b -> org_c_c -> org_a_a")
	})
}

func moduleVersions(t *testing.T) {
	t.Run("a requirement that no version satisfies", func(t *testing.T) {
		err := run(t, needing(&testharness.Journal{}, testharness.Requires("org_example_second", ">=3"))).verified(library(several(t), "org_example_second"))
		requireRefused(t, err, finding.VersionClash, "2.1.0", ">=3", "org_example_top")
	})
	t.Run("a version is shown, and need not be there", func(t *testing.T) {
		r := run(t, manager.Config{})
		require.NoError(t, r.verified(library(several(t), "org_example_second", "org_example_tested")))
		second, _ := r.Module("org_example_second")
		tested, _ := r.Module("org_example_tested")
		assert.Equal(t, []string{"2.1.0", ""}, []string{second.Declared.Version, tested.Declared.Version})
	})
	t.Run("a version that is none is refused", func(t *testing.T) {
		path := build(t, inC("manifest", "manifest.c", `-DWRONG=.version = "v2"`))
		requireRefused(t, run(t, manager.Config{}).verified(library(path, testModule)), finding.Metadata, "v2")
	})
}

func automaticDeletion(t *testing.T) {
	journal := filepath.Join(t.TempDir(), "journal")
	t.Setenv("MMS_CONFORMANCE_JOURNAL", journal)
	t.Run("at the end, each once, in reverse order, and the library with it", func(t *testing.T) {
		r := mixed(t)
		require.NoError(t, r.Start(t.Context()))
		require.NoError(t, r.Close())
		require.NoError(t, r.Close())
		assert.Equal(t, "new org_example_first\nclose org_example_first\n", read(t, journal))
		ends := map[string]string{}
		for _, l := range r.Libraries() {
			ends[l.Description.Vehicle] = l.Ended.String()
		}
		assert.Equal(t, map[string]string{"native": "closed", "builtin": "stays: builtin libraries cannot be unloaded", "goplugin": "stays: goplugin libraries cannot be unloaded"}, ends)
	})
	t.Run("after a start that failed half way", func(t *testing.T) {
		cfg := manager.Config{Builtin: []facade.Library{testharness.Library(testharness.Calculator{Name: "org_example_top", Requires: []facade.Requirement{testharness.Requires("org_example_first", "")},
			New: func(context.Context, facade.Host, facade.Parameters) error { return testharness.ErrBroken }}.In(&testharness.Journal{}))},
			Bindings: []verify.Binding{binds("calculator", "org_example_top")}}
		before := read(t, journal)
		r := run(t, cfg)
		require.NoError(t, r.verified(library(several(t), "org_example_first")))
		require.ErrorIs(t, r.Instantiate(t.Context()), testharness.ErrBroken)
		assert.Equal(t, before+"new org_example_first\nclose org_example_first\n", read(t, journal))
		require.NoError(t, r.Close())
		assert.Equal(t, before+"new org_example_first\nclose org_example_first\n", read(t, journal), "closed twice")
	})
}
