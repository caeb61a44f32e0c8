package moduletest

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

func TestFaults(t *testing.T) {
	base := With(StandIn[calculator.Calculator]("org_example_base", "1.0.0", &made{}))
	needs := []facade.Requirement{{Module: "org_example_base", Optional: true}}
	top := calc{requires: needs, compute: nil}
	var below calculator.Calculator
	top.create = func(_ context.Context, h facade.Host, _ facade.Parameters) (err error) {
		below, err = facade.Required[calculator.Calculator](h, "org_example_base")
		return err
	}
	top.compute = func(ctx context.Context, a byte, b int64) (int32, error) { return below.Compute(ctx, a, b) }

	t.Run("none: the requirement works", func(t *testing.T) {
		n, err := Load[calculator.Calculator](New(t, top.library(), base), name).Compute(t.Context(), 1, 2)
		require.NoError(t, err)
		assert.EqualValues(t, 3, n)
	})
	t.Run("a requirement that is not handed in", func(t *testing.T) {
		_, err := TryLoad[calculator.Calculator](New(t, top.library(), base, WithoutRequirement("org_example_base")), name)
		require.ErrorContains(t, err, "not handed in")
	})
	t.Run("a requirement that fails", func(t *testing.T) {
		_, err := Load[calculator.Calculator](New(t, top.library(), base, BreakRequirement("org_example_base")), name).Compute(t.Context(), 1, 2)
		require.ErrorContains(t, err, "no module is bound")
	})
	t.Run("a requirement that hangs until the kit is closed", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			kit := New(t, top.library(), base, HangRequirement("org_example_base"))
			c := Load[calculator.Calculator](kit, name)
			result := make(chan error, 1)
			go func() { _, err := c.Compute(t.Context(), 1, 2); result <- err }()
			synctest.Wait()
			assert.Empty(t, result)
			kit.Close()
			require.ErrorContains(t, <-result, "org_example_base (role Calculator) panicked")
		})
	})
	t.Run("no state folder", func(t *testing.T) {
		c := calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error { _, err := h.StateDir(); return err }}
		_, err := TryLoad[calculator.Calculator](New(t, c.library(), FailStateDir(errBroken)), name)
		require.ErrorIs(t, err, errBroken)
	})
	t.Run("a daemon that stops meanwhile", func(t *testing.T) {
		c := calc{create: func(ctx context.Context, _ facade.Host, _ facade.Parameters) error { <-ctx.Done(); return ctx.Err() }}
		_, err := TryLoad[calculator.Calculator](New(t, c.library(), CancelNew()), name)
		require.ErrorIs(t, err, context.Canceled)
	})
	t.Run("a lifetime that ends early", func(t *testing.T) {
		var life context.Context
		c := calc{create: func(_ context.Context, h facade.Host, _ facade.Parameters) error { life = h.Lifetime(); return nil }}
		kit := New(t, c.library())
		Load[calculator.Calculator](kit, name)
		require.NoError(t, life.Err())
		kit.EndLifetime()
		require.ErrorIs(t, life.Err(), context.Canceled)
		_, _, err := Create[calculator.Calculator](kit, name)
		require.NoError(t, err)
		require.ErrorIs(t, life.Err(), context.Canceled, "one made later lives on")
	})
	t.Run("every role can be replaced", func(t *testing.T) {
		kit := New(t, calc{}.library())
		for _, r := range roles.Table() {
			if r.Type != nil {
				_, err := kit.outOfOrder(facade.ModuleInfo{Name: "m", Role: r.Name}, hanging)
				require.NoError(t, err, r.Name)
			}
		}
	})
}
