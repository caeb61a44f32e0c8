package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles"
)

const probePackage = "github.com/mesos-modules/mms/roles/probe"

func rootOf(t *testing.T) string {
	t.Helper()
	root, err := moduleRoot()
	require.NoError(t, err)
	return root
}

// probeAs generates a role Probe from a source, beside nothing else.
func probeAs(t *testing.T, source string, native bool) (files, error) {
	t.Helper()
	root := rootOf(t)
	return generate(root, []row{{Name: "Probe", Version: "1.12.0", Native: native, Package: probePackage, Type: "Probe"}},
		map[string][]byte{filepath.Join(root, "roles", "probe", "probe.go"): []byte(source)})
}

func TestGeneratedFilesAreWhatTheInterfacesGive(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run([]string{"-check"}, &out))
	assert.Empty(t, out.String())
}

func TestSameSourcesGiveTheSameBytes(t *testing.T) {
	root, rows := rootOf(t), rowsOf(roles.Table())
	first, err := generate(root, rows, nil)
	require.NoError(t, err)
	second, err := generate(root, rows, nil)
	require.NoError(t, err)
	assert.Equal(t, first, second)
}

func TestCheckNamesWhatDiffers(t *testing.T) {
	root := t.TempDir()
	stale := filepath.Join(root, "manager", "handle", "zz_gone.go")
	require.NoError(t, os.MkdirAll(filepath.Dir(stale), 0o755))
	require.NoError(t, os.WriteFile(stale, []byte("package handle\n"), 0o600))
	generated := files{"manager/handle/zz_new.go": []byte("package handle\n"), "roles/fingerprints.txt": []byte("#\n")}

	changed, err := differing(root, generated)
	require.NoError(t, err)
	assert.Equal(t, []string{"manager/handle/zz_gone.go", "manager/handle/zz_new.go", "roles/fingerprints.txt"}, changed)
	require.NoError(t, write(root, generated, changed))
	assert.NoFileExists(t, stale)

	changed, err = differing(root, generated)
	require.NoError(t, err)
	assert.Empty(t, changed)
	require.NoError(t, os.WriteFile(filepath.Join(root, "roles", "fingerprints.txt"), []byte("# edited\n"), 0o600))
	changed, err = differing(root, generated)
	require.NoError(t, err)
	assert.Equal(t, []string{"roles/fingerprints.txt"}, changed)
}

// overlay writes files below dir and says where go finds them instead of those below root.
func overlay(t *testing.T, root, dir string, all files) (path string) {
	t.Helper()
	overlay := struct{ Replace map[string]string }{map[string]string{}}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, all[name], 0o600))
		if strings.HasSuffix(name, ".go") {
			overlay.Replace[filepath.Join(root, filepath.FromSlash(name))] = path
		}
	}
	replace, err := json.Marshal(overlay)
	require.NoError(t, err)
	path = filepath.Join(dir, "overlay.json")
	require.NoError(t, os.WriteFile(path, replace, 0o600))
	return path
}

// withProbe generates what all roles and a role Probe give, with the sources.
func withProbe(t *testing.T, root string, source []byte, native bool) files {
	t.Helper()
	table, err := os.ReadFile(filepath.Join(root, "roles", "table.go"))
	require.NoError(t, err)
	table = bytes.Replace(table, []byte("import ("), []byte("import (\n\t\""+probePackage+"\""), 1)
	table = bytes.Replace(table, []byte("return []Role{"), fmt.Appendf(nil, "return []Role{\n"+
		`{Name: "Probe", Version: "1.12.0", On: Both, Type: reflect.TypeFor[probe.Probe](), Native: %v},`, native), 1)
	rows := append(rowsOf(roles.Table()), row{Name: "Probe", Version: "1.12.0", Native: native, Package: probePackage, Type: "Probe"})
	all, err := generate(root, rows, map[string][]byte{filepath.Join(root, "roles", "probe", "probe.go"): source})
	require.NoError(t, err)
	all = maps.Clone(all)
	all["roles/probe/probe.go"] = source
	all["roles/table.go"] = table
	return all
}

// Whatever the generator lets cross to another process does.
func TestEveryTypeOfTheProcessBridgeCrosses(t *testing.T) {
	root := rootOf(t)
	source, err := os.ReadFile("testdata/wide.go.txt")
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-v", "-overlay", overlay(t, root, t.TempDir(), withProbe(t, root, source, false)),
		"-run", "^TestEveryMethodOfEveryRole$/^Probe$", "./manager/vehicle/process/bridge")
	cmd.Dir = root
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	for _, method := range []string{"Numbers", "Lists", "Sinks", "Results", "Names"} {
		assert.Contains(t, string(out), "--- PASS: TestEveryMethodOfEveryRole/Probe/"+method)
	}
}

// A role is added by one interface and one row: everything else is generated, compiles, and carries every type there and back
// through C++.
func TestARoleIsOneInterfaceAndOneRow(t *testing.T) {
	root, dir := rootOf(t), t.TempDir()
	source, err := os.ReadFile("testdata/probe.go.txt")
	require.NoError(t, err)
	test, err := os.ReadFile("testdata/probe_test.go.txt")
	require.NoError(t, err)
	overlaid := withProbe(t, root, source, true)
	overlaid["manager/vehicle/native/bridge/probe_test.go"] = test

	headers := filepath.Join(dir, "facade", "include")
	require.NoError(t, os.CopyFS(headers, os.DirFS(filepath.Join(root, "facade", "include"))))
	overlayPath, library := overlay(t, root, dir, overlaid), filepath.Join(dir, "libprobe.so")

	out, err := exec.CommandContext(t.Context(), "g++", "-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fPIC", "-shared",
		"-I"+headers, "-o", library, "testdata/probe.cpp").CombinedOutput()
	require.NoError(t, err, string(out))
	cmd := exec.CommandContext(t.Context(), "go", "test", "-vet=off", "-count=1", "-overlay", overlayPath, "-run", "^(TestProbe|TestEveryNativeRoleHasABridge)$",
		"./manager/vehicle/native/bridge")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "CGO_CFLAGS=-g -O0 -I"+headers, "PROBE_LIBRARY="+library)
	out, err = cmd.CombinedOutput()
	require.NoError(t, err, string(out))
	assert.Contains(t, string(out), "ok")
}

func TestRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		body   string // of the interface, from line 6 on
		native bool
		says   []string
	}{
		"no context":            {"Do(a int32) error", false, []string{"probe.go:6:2", "Do", "the first parameter is a context.Context"}},
		"no error":              {"Do(ctx context.Context) int32", false, []string{"probe.go:6:2", "the last result is an error"}},
		"no method":             {"", false, []string{"probe.go:5:6", "Probe has no method"}},
		"embedded interface":    {"error", false, []string{"probe.go:6:2", "write its methods out"}},
		"not exported":          {"do(ctx context.Context) error", false, []string{"do is not exported"}},
		"variadic":              {"Do(ctx context.Context, a ...int32) error", false, []string{"take a slice"}},
		"unknown directive":     {"//mms:until 1.0.0\nDo(ctx context.Context) error", false, []string{"unknown directive //mms:until; there are since, default, optional and lasting"}},
		"directive twice":       {"//mms:since 1.0.0\n//mms:since 1.0.0\n//mms:default\nDo(ctx context.Context) error", false, []string{"//mms:since stands twice"}},
		"since without default": {"//mms:since 1.12.0\nDo(ctx context.Context) error", false, []string{"go together"}},
		"no version":            {"//mms:since soon\n//mms:default\nDo(ctx context.Context) error", false, []string{`wants a release, like 1.12.0, and has "soon"`}},
		"default of another type": {"//mms:since 1.12.0\n//mms:default \"x\"\nDo(ctx context.Context) (int32, error)", false,
			[]string{`//mms:default "x": "x" is no int32`}},
		"too many defaults":       {"//mms:since 1.12.0\n//mms:default 1, 2\nDo(ctx context.Context) (int32, error)", false, []string{"has 2 values, and the method returns 1"}},
		"default that is no Go":   {"//mms:since 1.12.0\n//mms:default 1 +\nDo(ctx context.Context) (int32, error)", false, []string{"no Go expression"}},
		"default from elsewhere":  {"//mms:since 1.12.0\n//mms:default context.Canceled\nDo(ctx context.Context) (any, error)", false, []string{"names another package"}},
		"type that cannot cross":  {"Do(ctx context.Context, f func()) error", true, []string{"probe.go:6:2", "role Probe: Do: f: a func() cannot cross to C", "take Native from the role's row"}},
		"a sink of a list":        {"Do(ctx context.Context, f func(all []string)) error", true, []string{"a func(all []string) cannot cross to C", "make a message of what it takes"}},
		"a sink of two values":    {"Do(ctx context.Context, f func(a, b string)) error", true, []string{"takes one text, []byte or API message"}},
		"a sink that answers":     {"Do(ctx context.Context, f func(a string) bool) error", true, []string{"and returns nothing"}},
		"a sink that is returned": {"Do(ctx context.Context) (func(a string), error)", true, []string{"Do returns a function"}},
		"optional of nothing":     {"//mms:optional\nDo(ctx context.Context) error", false, []string{"names the parameters that may be nil"}},
		"optional that is not there": {"//mms:optional a\nDo(ctx context.Context, b string) error", false,
			[]string{"//mms:optional a: the method has no parameter of that name"}},
		"optional that is no message": {"//mms:optional b\nDo(ctx context.Context, b string) error", false, []string{"only an API message can be nil"}},
		"int, whose size differs":     {"Do(ctx context.Context) (int, error)", true, []string{"a int cannot cross to C"}},
		"slice of slices":             {"Do(ctx context.Context, a [][]int32) error", true, []string{"slices are of scalars"}},
		"two results":                 {"Do(ctx context.Context) (int32, int32, error)", true, []string{"returns 2 values before the error, and one can cross"}},
		"default C++ cannot say":      {"//mms:since 1.12.0\n//mms:default one\nDo(ctx context.Context) (int32, error)", true, []string{"//mms:default one cannot be said in C++"}},
		"a map":                       {"Do(ctx context.Context, m map[string]string) error", false, []string{"probe.go:6:2", "role Probe: Do: m: a value of type map[string]string cannot cross to another process", "declare a message in facade/mesos"}},
		"int to a process":            {"Do(ctx context.Context) (int, error)", false, []string{"r1: a value of type int cannot cross to another process"}},
		"lists of lists to a process": {"Do(ctx context.Context, a [][]string) error", false, []string{"a: a value of type [][]string cannot cross to another process"}},
		"a sink of two to a process":  {"Do(ctx context.Context, f func(a, b string)) error", false, []string{"functions that take one of all that and return nothing"}},
		"a sink of a sink":            {"Do(ctx context.Context, f func(func(string))) error", false, []string{"a value of type func(func(string)) cannot cross"}},
		"a sink out of a process":     {"Do(ctx context.Context) (func(a string), error)", false, []string{"Do returns a function, which cannot cross to another process"}},
		"all problems at once":        {"Do() error\nTo(a int32) error", false, []string{"probe.go:6:2", "probe.go:7:1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := probeAs(t, "package probe\nimport \"context\"\nvar _ context.Context\nconst one = 1\ntype Probe interface {\n\t"+c.body+"\n}\n", c.native)
			require.Error(t, err)
			for _, part := range c.says {
				assert.ErrorContains(t, err, part)
			}
		})
	}
	t.Run("what only C cannot carry is fine without Native", func(t *testing.T) {
		out, err := probeAs(t, "package probe\nimport \"context\"\ntype Probe interface {\n\tDo(ctx context.Context, sink func([]int32)) (bool, string, error)\n}\n", false)
		require.NoError(t, err)
		assert.Contains(t, string(out["manager/handle/zz_probe.go"]), "Do(ctx context.Context, sink func([]int32)) (r1 bool, r2 string, err error)")
	})
	t.Run("more methods than the bridge to processes can tell apart", func(t *testing.T) {
		var methods strings.Builder
		for i := range maxMethods + 1 {
			fmt.Fprintf(&methods, "\tDo%d(ctx context.Context) error\n", i)
		}
		_, err := probeAs(t, "package probe\nimport \"context\"\ntype Probe interface {\n"+methods.String()+"}\n", false)
		assert.EqualError(t, err, "role Probe has 65 methods, and the bridge to processes can tell 64 apart: make two roles of it")
	})
	t.Run("a package that does not compile is named", func(t *testing.T) {
		_, err := probeAs(t, "package probe\ntype Probe interface { Do(nothing) }\n", false)
		assert.ErrorContains(t, err, "does not compile")
	})
	t.Run("an interface that is not there is named", func(t *testing.T) {
		_, err := probeAs(t, "package probe\n", false)
		assert.ErrorContains(t, err, "has no interface Probe")
	})
}

func TestNamesInOtherLanguages(t *testing.T) {
	for name, want := range map[string]string{
		"Calculator": "calculator", "TestModule": "test_module", "HTTPProxy": "http_proxy", "SlaveRunTask": "slave_run_task",
	} {
		assert.Equal(t, want, snake(name))
	}
	assert.Equal(t, "slaveRunTask", camel("SlaveRunTask"))
	assert.Equal(t, "delete_", cName("delete"))
}
