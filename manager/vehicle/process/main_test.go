package process_test

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"context"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/facade/moduletest"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/native"
	"github.com/mesos-modules/mms/manager/vehicle/process"
)

// folder holds what is built for all tests.
var folder string

func TestMain(m *testing.M) {
	if moduletest.Child() {
		return
	}
	if name := os.Getenv(jobVariable); name != "" {
		if err := job(name, os.Getenv(libraryVariable)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(run(m))
}

func run(m *testing.M) (status int) {
	var err error
	if folder, err = os.MkdirTemp("", "process"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() { _ = os.RemoveAll(folder) }()
	if status = m.Run(); status != 0 {
		return status
	}
	if err := errors.Join(goleak.Find(), childless()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// childless reports children, dead or alive.
func childless() error {
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
		return fmt.Errorf("there are children: %d, %w", pid, err)
	}
	return nil
}

var built sync.Map // name of a program -> func() error

// build builds a program of testdata, once, with more arguments for go build.
func build(t testing.TB, name string, args ...string) string {
	t.Helper()
	out := filepath.Join(folder, strings.ReplaceAll(strings.Join(append([]string{name}, args...), " "), "/", "_"))
	once, _ := built.LoadOrStore(out, sync.OnceValue(func() error {
		said, err := exec.Command("go", slices.Concat([]string{"build", "-o", out}, args, []string{"./testdata/" + name})...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, said)
		}
		return nil
	}))
	require.NoError(t, once.(func() error)())
	return out
}

// as returns the program by another name.
func as(t testing.TB, program, name string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.Link(program, path))
	return path
}

// fixture is the vehicle and what the processes print.
type fixture struct {
	*process.Vehicle
	said *book
}

func newFixture() fixture {
	said := &book{}
	return fixture{process.New(process.Options{Logger: said.logger()}), said}
}

// impatient makes it one that does not wait long for processes that are to end.
func (x fixture) impatient() fixture {
	x.Impatient()
	return x
}

func look(t testing.TB, path string) vehicle.File {
	t.Helper()
	f, err := file.Look(path, file.Options{AllowWorldWritable: true})
	require.NoError(t, err)
	return f
}

// launch launches a library, and closes it at the end of the test.
func (x fixture) launch(t testing.TB, path string) vehicle.Mortal {
	t.Helper()
	m, _, err := x.tryLaunch(t, path, vehicle.Confinement{})
	require.NoError(t, err, x.said)
	t.Cleanup(func() { _ = m.Close() }) // tests of closing look at the error
	return m
}

func (x fixture) tryLaunch(t testing.TB, path string, c vehicle.Confinement) (vehicle.Mortal, vehicle.Description, error) {
	t.Helper()
	f := look(t, path)
	for _, v := range []vehicle.Vehicle{x.Vehicle, native.New()} {
		d, ok, err := v.Recognise(f)
		require.NoError(t, err)
		if ok {
			return x.Launch(t.Context(), f, d, c)
		}
	}
	require.Fail(t, "nobody recognises "+path)
	return nil, vehicle.Description{}, nil
}

// book keeps what is logged, as text.
type book struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *book) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(b, &slog.HandlerOptions{Level: slog.LevelInfo, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *book) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}

// daemon is a facade.Host in the tests' own process.
type daemon struct {
	book     *book
	folder   string
	lifetime context.Context
	modules  []facade.ModuleInfo
	byName   map[string]any
	byRole   map[reflect.Type][]any

	mu       sync.Mutex
	measured map[string]float64
}

var _ facade.Host = (*daemon)(nil)

func (d *daemon) Logger() *slog.Logger {
	if d.book == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.book.logger()
}

func (d *daemon) StateDir() (string, error) {
	if d.folder == "" {
		return "", fmt.Errorf("no state: %w", os.ErrNotExist)
	}
	return d.folder, nil
}

func (d *daemon) Metrics() facade.Metrics             { return d }
func (d *daemon) Lifetime() context.Context           { return cmp.Or(d.lifetime, context.Background()) }
func (d *daemon) Requirement(name string) (any, bool) { v, ok := d.byName[name]; return v, ok }
func (d *daemon) Export(string) (any, bool)           { return nil, false }
func (d *daemon) Requirements(t reflect.Type) []any   { return d.byRole[t] }
func (d *daemon) MesosVersion() string                { return "1.12.0" }
func (d *daemon) Libraries() []facade.LibraryInfo     { return nil }
func (d *daemon) Modules() []facade.ModuleInfo        { return d.modules }

func (d *daemon) Module(name string) (facade.ModuleInfo, bool) {
	i := slices.IndexFunc(d.modules, func(m facade.ModuleInfo) bool { return m.Name == name })
	if i < 0 {
		return facade.ModuleInfo{}, false
	}
	return d.modules[i], true
}

func (d *daemon) Counter(name, _ string) facade.Counter { return measure{d, name, true} }
func (d *daemon) Gauge(name, _ string) facade.Gauge     { return measure{d, name, false} }

type measure struct {
	d    *daemon
	name string
	adds bool
}

func (m measure) Add(n float64) {
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	if m.d.measured == nil {
		m.d.measured = map[string]float64{}
	}
	m.d.measured[m.name] += n
}

func (m measure) Set(v float64) {
	m.Add(0)
	m.d.mu.Lock()
	defer m.d.mu.Unlock()
	m.d.measured[m.name] = v
}

func (d *daemon) measures() map[string]float64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := map[string]float64{}
	for name, v := range d.measured {
		all[name] = v
	}
	return all
}

// create makes an instance as a role, and destroys it at the end of the test.
func create[T any](t testing.TB, l vehicle.Library, module string, host facade.Host, p ...string) T {
	t.Helper()
	i, err := l.Create(t.Context(), module, host, parameters(p...))
	require.NoError(t, err)
	t.Cleanup(func() { _ = i.Destroy(context.Background()) }) // tests of destroying look at the error
	require.Implements(t, (*T)(nil), i.Value)
	return i.Value.(T)
}

func parameters(p ...string) (all facade.Parameters) {
	for i := 0; i < len(p); i += 2 {
		all = append(all, facade.Parameter{Key: p[i], Value: p[i+1]})
	}
	return all
}

// soon is how long a test waits for what has to happen.
const soon = 10 * time.Second
