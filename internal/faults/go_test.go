package faults

import (
	"context"
	"fmt"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

// adder may be nil: a typed nil in an interface is none that compares so.
type adder struct{}

func (*adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

func goManager(t *testing.T, modules ...facade.Declared) (*manager.Manager, *lifecycle.Recorder) {
	t.Helper()
	bus := lifecycle.NewBus(lifecycle.BusOptions{})
	events := lifecycle.NewRecorder(bus)
	m, err := manager.New(manager.Config{
		Daemon: roles.Slave, Bus: bus, WorkDir: t.TempDir(), Builtin: []facade.Library{{Modules: modules}},
		Bindings: []verify.Binding{{Flag: "calculator", Refs: []verify.Ref{{Name: name}}}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return m, events
}

func TestGoConstructorFaults(t *testing.T) {
	type created = func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error)
	for _, c := range []struct {
		what string
		new  created
		says string
	}{
		{"returns nil", func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) { return nil, nil }, "nil"},
		{"returns a typed nil", func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			var none *adder
			return none, nil
		}, "nil *faults.adder"},
		{"returns an error", func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return nil, fmt.Errorf("no licence")
		}, "no licence"},
		{"panics", func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) { panic("boom") }, "boom"},
		{"ends its goroutine", func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			runtime.Goexit()
			return nil, nil
		}, "Goexit"},
	} {
		t.Run("constructor that "+c.what, func(t *testing.T) {
			m, _ := goManager(t, facade.Module[calculator.Calculator]{Name: name, New: c.new})
			err := m.Start(t.Context())
			require.ErrorContains(t, err, c.says)
			require.ErrorContains(t, err, "module "+name)
			require.NoError(t, m.Close(), "something was left to close")
		})
	}
	t.Run("constructor that is not there", func(t *testing.T) {
		m, _ := goManager(t, facade.Module[calculator.Calculator]{Name: name})
		var found *finding.Error
		require.ErrorAs(t, m.Start(t.Context()), &found)
		assert.Equal(t, finding.Metadata, found.Findings[0].Rule)
	})
}

// TestCycleOfAThousand also holds that the whole path is told, once.
func TestCycleOfAThousand(t *testing.T) {
	var modules []facade.Declared
	called := func(i int) string {
		if i %= 1000; i > 0 {
			return fmt.Sprintf("%s_%03d", name, i)
		}
		return name
	}
	for i := range 1000 {
		modules = append(modules, facade.Module[calculator.Calculator]{Name: called(i),
			Requires: []facade.Requirement{{Module: called(i + 1)}},
			New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
				return &adder{}, nil
			}})
	}
	m, events := goManager(t, modules...)
	var found *finding.Error
	require.ErrorAs(t, m.Start(t.Context()), &found)
	require.Len(t, found.Findings, 1)
	assert.Equal(t, finding.Cycle, found.Findings[0].Rule)
	for i := range 1000 {
		assert.Contains(t, found.Findings[0].Problem, called(i))
	}
	assert.Empty(t, made(events.Events()))
}
