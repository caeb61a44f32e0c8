package skew_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/process"
	"github.com/mesos-modules/mms/roles"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon is the present one.
type daemon struct {
	*manager.Manager
	log   *log
	state string // where modules have their folders
}

// log is what a daemon and its modules write.
type log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// adder and tester are what the daemon's own modules are.
type adder struct{ calculator.Unimplemented }

func (adder) Compute(_ context.Context, a byte, b int64) (int32, error) {
	return int32(a) + int32(b), nil
}

type tester struct{ testmodule.Unimplemented }

func (tester) Foo(context.Context, byte, int64) (int32, error)      { return 40, nil }
func (tester) Bar(context.Context, float32, float64) (int32, error) { return 50, nil }

var own = facade.Library{Modules: []facade.Declared{
	facade.Module[calculator.Calculator]{Name: "org_example_base", Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (calculator.Calculator, error) {
			return adder{}, nil
		}},
	facade.Module[testmodule.TestModule]{Name: "org_example_tester", Version: "1.0.0",
		New: func(context.Context, facade.Host, facade.Parameters) (testmodule.TestModule, error) {
			return tester{}, nil
		}},
}}

// start starts a daemon with modules of a program. In its table of roles all are as old
// as since.
func start(t *testing.T, program, since string, modules ...string) (daemon, error) {
	t.Helper()
	return startAs(t, "", program, since, modules...)
}

// startAs starts one that calls itself by another version.
func startAs(t *testing.T, version, program, since string, modules ...string) (daemon, error) {
	t.Helper()
	table := roles.Table()
	for i := range table {
		table[i].Version = since
	}
	library := manifest.Library{File: program}
	for _, name := range modules {
		library.Modules = append(library.Modules, manifest.Module{Name: name})
	}
	built := manifest.Library{Name: "builtin", Modules: []manifest.Module{{Name: "org_example_tester"}}}
	written := &log{}
	logger := slog.New(slog.NewTextHandler(written, nil))
	processes := process.New(process.Options{Logger: logger})
	state := t.TempDir()
	m, err := manager.New(manager.Config{
		Daemon: roles.Slave, MesosVersion: version, Roles: table, Builtin: []facade.Library{own}, Manifests: []manifest.Manifest{{Libraries: []manifest.Library{library, built}}},
		Vehicles: []vehicle.Vehicle{processes}, Launcher: processes, StateDir: state, Logger: logger,
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, m.Close()) })
	return daemon{m, written, state}, m.Start(t.Context())
}

// running starts a daemon, which has to succeed.
func running(t *testing.T, program, since string, modules ...string) daemon {
	t.Helper()
	d, err := start(t, program, since, modules...)
	require.NoError(t, err)
	return d
}

// instance makes an instance of a module in the daemon.
func instance[T any](t *testing.T, d daemon, module string) T {
	t.Helper()
	made, closing, err := manager.LoadModule[T](t.Context(), d.Manager, module)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, closing(context.Background())) })
	return made
}

// refused returns the findings of a start that has to fail.
func refused(t *testing.T, program, since string, modules ...string) []finding.Finding {
	t.Helper()
	return refusedBy(t, "", program, since, modules...)
}

// refusedBy is refused, by a daemon that calls itself by another version.
func refusedBy(t *testing.T, version, program, since string, modules ...string) []finding.Finding {
	t.Helper()
	_, err := startAs(t, version, program, since, modules...)
	require.Error(t, err)
	var held *finding.Error
	require.True(t, errors.As(err, &held), "%v", err)
	return held.Findings
}
