package manager_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/internal/testharness"
	"github.com/mesos-modules/mms/lifecycle"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/goplugin"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/verify"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
)

func vehicles() []vehicle.Vehicle {
	return []vehicle.Vehicle{goplugin.New(""), native.New()}
}

// fixture is a manager with modules that write into a journal, and the events.
type fixture struct {
	*manager.Manager
	journal *testharness.Journal
	events  *lifecycle.Recorder
}

// newFixture makes a slave's manager over builtin modules; binds are the modules
// of --calculator.
func newFixture(t *testing.T, modules []testharness.Calculator, binds ...string) fixture {
	t.Helper()
	j := &testharness.Journal{}
	var declared []facade.Declared
	for _, c := range modules {
		declared = append(declared, c.In(j))
	}
	return newManager(t, j, manager.Config{
		Daemon:   roles.Slave,
		Builtin:  []facade.Library{testharness.Library(declared...)},
		Bindings: calculators(binds...),
	})
}

func newManager(t *testing.T, j *testharness.Journal, cfg manager.Config) fixture {
	t.Helper()
	cfg.Bus = lifecycle.NewBus(lifecycle.BusOptions{})
	events := lifecycle.NewRecorder(cfg.Bus)
	cfg.WorkDir = t.TempDir()
	if cfg.Vehicles == nil {
		cfg.Vehicles = vehicles()
	}
	m, err := manager.New(cfg)
	require.NoError(t, err)
	t.Cleanup(func() { _ = m.Close() })
	return fixture{Manager: m, journal: j, events: events}
}

func calculators(names ...string) []verify.Binding {
	if len(names) == 0 {
		return nil
	}
	b := verify.Binding{Flag: "calculator"}
	for _, n := range names {
		b.Refs = append(b.Refs, verify.Ref{Name: n})
	}
	return []verify.Binding{b}
}

// handles are what the daemon would be given for --calculator.
func handles(t *testing.T, f fixture) []calculator.Calculator {
	t.Helper()
	return manager.HandlesForTest[calculator.Calculator](f.Manager, "calculator")
}

func start(t *testing.T, f fixture) []calculator.Calculator {
	t.Helper()
	require.NoError(t, f.Start(t.Context()))
	return handles(t, f)
}
