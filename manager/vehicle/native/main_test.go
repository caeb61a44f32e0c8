package native

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/file"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/entered"
	"github.com/mesos-modules/mms/roles/calculator"
)

// childVariable makes the test binary act as a process that is expected to die.
const childVariable = "MMS_NATIVE_TEST_CHILD"

// libraries are built once, into a folder of the test run.
var libraries string

func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		os.Exit(child(job))
	}
	dir, err := os.MkdirTemp("", "native")
	if err == nil {
		libraries = dir
		err = buildAll(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	goleak.VerifyTestMain(m, goleak.Cleanup(func(code int) {
		_ = os.RemoveAll(dir)
		os.Exit(code)
	}))
}

// buildAll builds what testdata holds, two at a time, in the order of the slice
// where one needs another.
func buildAll(dir string) error {
	const include = "-I../../../facade/include"
	c := func(out, source string, more ...string) []string {
		return append([]string{"gcc", "-std=gnu11", "-O1", "-fPIC", "-shared", include, "-o", out, "testdata/" + source}, more...)
	}
	cxx := func(out, source, std string) []string {
		return []string{"g++", "-std=" + std, "-O1", "-fPIC", "-shared", include, "-o", out, "testdata/" + source}
	}
	first := [][]string{
		c("libplain.so", "plain.c"),
		c("behave.so", "behave.c", "-pthread"),
		c("flaws.so", "flaws.c"),
		c("bare.so", "bare.c", "-nostdlib", "-Wl,--build-id"),
		c("bare-sysv.so", "bare.c", "-nostdlib", "-Wl,--hash-style=sysv"),
		c("bare-relr.so", "bare.c", "-nostdlib", "-Wl,-z,pack-relative-relocs"),
		c("bare-unlinked.so", "bare.c", "-nostdlib", "-Wl,-z,nocombreloc"),
		c("undefined.so", "undefined.c"),
		c("null.so", "init.c", "-DINIT=*(volatile int*)8=1"),
		c("abort.so", "init.c", "-DINIT=abort()"),
		c("exit.so", "init.c", "-DINIT=exit(3)"),
		c("sound.so", "init.c", "-DINIT="),
		c("chains.so", "chains.c"),
		c("stays.so", "init.c", "-DINIT=", "-Wl,-z,nodelete"),
		{"gcc", "-O1", "-o", "program", "-x", "c", "testdata/main.c.txt"},
		{"gcc", "-O1", "-no-pie", "-o", "program-nopie", "-x", "c", "testdata/main.c.txt"},
		{"gcc", "-O1", "-fPIC", include, "-c", "-o", "object.o", "testdata/plain.c"},
		cxx("upstream.so", "upstream.cpp", "c++11"),
		cxx("lambda11.so", "lambda.cpp", "c++11"),
		cxx("lambda17.so", "lambda.cpp", "c++17"),
		cxx("seed11.so", "seed.cpp", "c++11"),
		cxx("seed14.so", "seed.cpp", "c++14"),
		cxx("seed17.so", "seed.cpp", "c++17"),
		cxx("seed20.so", "seed.cpp", "c++20"),
		{"go", "build", "-buildmode=c-shared", "-o", "cshared.so", "testdata/golib/lib.go"},
		{"go", "build", "-buildmode=plugin", "-o", "plugin.so", "testdata/golib/lib.go"},
	}
	second := [][]string{
		c("needs.so", "needs.c", "-L"+dir, "-lplain"),
		c("needs-origin.so", "needs.c", "-L"+dir, "-lplain", "-Wl,-rpath,$ORIGIN"),
		c("libmesos-1.11.so", "plain.c", "-Wl,-soname,libmesos-1.11.so"),
		{"gcc", "-shared", "-o", "seed-by-gcc.so", "seed.o"},
	}
	third := [][]string{
		c("needs-mesos.so", "plain.c", "-Wl,--no-as-needed", filepath.Join(dir, "libmesos-1.11.so")),
		{"strip", "-o", "stripped.so", "seed17.so"},
	}
	first = append(first, []string{"g++", "-std=c++17", "-O1", "-fpic", include, "-c", "-o", "seed.o", "testdata/seed.cpp"})
	for _, batch := range [][][]string{first, second, third} {
		if err := buildBatch(dir, batch); err != nil {
			return err
		}
	}
	return nil
}

func buildBatch(dir string, batch [][]string) error {
	errs := make([]error, len(batch))
	slots := make(chan struct{}, 3)
	var all sync.WaitGroup
	for i, line := range batch {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			args := append([]string(nil), line...)
			for j, x := range args {
				if j > 0 && args[j-1] == "-o" || strings.HasSuffix(x, ".so") || strings.HasSuffix(x, ".o") {
					if !filepath.IsAbs(x) && !strings.HasPrefix(x, "-") {
						args[j] = filepath.Join(dir, x)
					}
				}
			}
			if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("%s: %w\n%s", strings.Join(args, " "), err, out)
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}

// look is a file that was built.
func look(t testing.TB, name string) vehicle.File {
	t.Helper()
	f, err := file.Look(filepath.Join(libraries, name), file.Options{AllowWorldWritable: true})
	require.NoError(t, err)
	return f
}

// content is a file of these bytes.
func content(t testing.TB, b []byte) vehicle.File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lib.so")
	require.NoError(t, os.WriteFile(path, b, 0o600))
	return vehicle.File{Path: path, Size: int64(len(b))}
}

func bytesOf(t testing.TB, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(libraries, name))
	require.NoError(t, err)
	return b
}

func recognise(t testing.TB, v *Vehicle, f vehicle.File) vehicle.Description {
	t.Helper()
	d, mine, err := v.Recognise(f)
	require.NoError(t, err)
	require.True(t, mine)
	return d
}

// openLibrary goes the whole way, and closes the library with the test.
func openLibrary(t testing.TB, v *Vehicle, name string) vehicle.Library {
	t.Helper()
	f := look(t, name)
	d := recognise(t, v, f)
	if !d.Complete {
		var err error
		d, err = v.Describe(f, d)
		require.NoError(t, err)
	}
	l, err := v.Open(context.Background(), f, d)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, l.Close()) })
	return l
}

// view is what is loaded, for tests.
type view struct{ modules []facade.ModuleInfo }

func (view) MesosVersion() string                            { return "1.12.0" }
func (view) Libraries() []facade.LibraryInfo                 { return nil }
func (v view) Modules() []facade.ModuleInfo                  { return v.modules }
func (view) Module(string) (m facade.ModuleInfo, found bool) { return m, false }

// testHost is a host that records what is logged.
type testHost struct {
	view
	dir      string
	dirError error
	lifetime context.Context

	before func() // called before each line is recorded

	mu    sync.Mutex
	lines []string
}

func newTestHost(t testing.TB) *testHost {
	return &testHost{dir: t.TempDir(), lifetime: context.Background()}
}

func (h *testHost) StateDir() (string, error)                { return h.dir, h.dirError }
func (h *testHost) Metrics() facade.Metrics                  { return nil }
func (h *testHost) Lifetime() context.Context                { return h.lifetime }
func (h *testHost) Requirement(string) (any, bool)           { return nil, false }
func (h *testHost) Requirements(reflect.Type) []any          { return nil }
func (h *testHost) Export(string) (any, bool)                { return nil, false }
func (h *testHost) Logger() *slog.Logger                     { return slog.New(h) }
func (h *testHost) Enabled(context.Context, slog.Level) bool { return true }
func (h *testHost) WithAttrs([]slog.Attr) slog.Handler       { return h }
func (h *testHost) WithGroup(string) slog.Handler            { return h }

func (h *testHost) Handle(_ context.Context, r slog.Record) error {
	if h.before != nil {
		h.before()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.lines = append(h.lines, r.Level.String()+" "+r.Message)
	return nil
}

func (h *testHost) logged() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return append([]string(nil), h.lines...)
}

var _ facade.Host = (*testHost)(nil)

// child does one job and returns its exit code. Most jobs do not return.
func child(job string) int {
	name, module, _ := strings.Cut(job, " ")
	v := New()
	path := filepath.Join(os.Getenv(childVariable+"_DIR"), name)
	f, err := file.Look(path, file.Options{AllowWorldWritable: true})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 90
	}
	d, _, err := v.Recognise(f)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 91
	}
	if module == "" { // the trial
		if d, err = v.Describe(f, d); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 92
		}
		for _, m := range d.Modules {
			fmt.Println(m.Name, m.Role)
		}
		return 0
	}
	l, err := v.Open(context.Background(), f, d)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 93
	}
	if module == "nil" { // the next library is opened, and then a pointer of Go is nil
		entered.Guard()
		fmt.Println(dereferenced(nil))
		return 0
	}
	h := &testHost{dir: os.TempDir(), lifetime: context.Background()}
	module, call, _ := strings.Cut(module, " ")
	x, err := l.Create(context.Background(), module, h, nil)
	if what := map[string]int64{"segv": -2, "abort": -3}[call]; err == nil && what != 0 {
		_, err = x.Value.(calculator.Calculator).Compute(context.Background(), 0, what)
	}
	fmt.Fprintln(os.Stderr, "returned:", err)
	return 94
}

// dereferenced is the panic of a nil pointer.
func dereferenced(m *vehicle.Module) (panicked any) {
	defer func() { panicked = recover() }()
	return m.Name
}

// runChild runs the test binary for a job.
func runChild(t *testing.T, job string) (stdout, stderr string, state *os.ProcessState) {
	t.Helper()
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+job, childVariable+"_DIR="+libraries)
	cmd.Dir = t.TempDir() // for core files
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, io.Writer(&errs)
	err = cmd.Run()
	var exit *exec.ExitError
	if err != nil {
		require.ErrorAs(t, err, &exit)
	}
	return out.String(), errs.String(), cmd.ProcessState
}
