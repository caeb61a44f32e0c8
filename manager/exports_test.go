package manager_test

import (
	"context"
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

// ledger is what a shared module exports: an int that its requirers add to.
type ledger struct{ sum int64 }

func (l *ledger) Add(n int64) int64 { l.sum += n; return l.sum }

// adding is what its requirers take it for.
type adding interface{ Add(int64) int64 }

// keeper is a calculator that exports its ledger.
type keeper struct{ *ledger }

func (k keeper) Compute(_ context.Context, _ byte, b int64) (int32, error) {
	return int32(k.Add(b)), nil
}
func (k keeper) Export() any { return k.ledger }

// spender is one that stands on another's.
type spender struct{ adding }

func (s spender) Compute(_ context.Context, _ byte, b int64) (int32, error) {
	return int32(s.Add(b)), nil
}

func exporting(j *testharness.Journal) facade.Library {
	stands := func(name, on string) facade.Declared {
		return facade.Module[calculator.Calculator]{Name: name, Requires: []facade.Requirement{{Module: on, Version: ">=1"}},
			New: func(_ context.Context, h facade.Host, _ facade.Parameters) (calculator.Calculator, error) {
				to, err := facade.RequiredExport[adding](h, on)
				return spender{to}, err
			}}
	}
	return testharness.Library(
		facade.Module[calculator.Calculator]{Name: "keeper", Version: "1.0.0",
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return keeper{&ledger{}}, nil
			}},
		testharness.Calculator{Name: "plain", Version: "1.0.0"}.In(j),
		stands("one", "keeper"), stands("two", "keeper"), stands("mistaken", "plain"))
}

func TestExports(t *testing.T) {
	start := func(t *testing.T, names ...string) (fixture, error) {
		j := &testharness.Journal{}
		picked := manifest.Manifest{Libraries: []manifest.Library{{Name: "builtin", Modules: []manifest.Module{{Name: "one"}}}}}
		f := newManager(t, j, manager.Config{Daemon: roles.Slave, Builtin: []facade.Library{exporting(j)},
			Manifests: []manifest.Manifest{picked}, Bindings: calculators(names...)})
		return f, f.Start(t.Context())
	}
	t.Run("modules that require one share what it exports", func(t *testing.T) {
		f, err := start(t, "one", "two")
		require.NoError(t, err)
		var sums []int32
		for _, c := range manager.HandlesForTest[calculator.Calculator](f.Manager, "calculator") {
			sum, err := c.Compute(t.Context(), 0, 5)
			require.NoError(t, err)
			sums = append(sums, sum)
		}
		assert.Equal(t, []int32{5, 10}, sums)
	})
	t.Run("an instance that is made on demand gets what is made for it", func(t *testing.T) {
		f, err := start(t)
		require.NoError(t, err)
		c, closing, err := manager.Create[calculator.Calculator](t.Context(), f.Manager, "one", nil)
		require.NoError(t, err)
		sum, err := c.Compute(t.Context(), 0, 7)
		require.NoError(t, err)
		assert.Equal(t, int32(7), sum)
		require.NoError(t, closing(t.Context()))
	})
	t.Run("of a module that exports nothing there is nothing", func(t *testing.T) {
		_, err := start(t, "mistaken")
		require.ErrorContains(t, err, `module "plain" exports nothing`)
	})
}
