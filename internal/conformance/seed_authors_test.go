package conformance_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/manifest"
	"github.com/mesos-modules/mms/roles/calculator"
	"github.com/mesos-modules/mms/roles/testmodule"
)

func seedCalculator(t *testing.T) {
	for _, standard := range []string{"c++11", "c++20"} {
		r := run(t, manager.Config{})
		r.start(library(build(t, inCpp("calculator", standard, "calculator.cpp")), "example"))
		calculates, closing, err := manager.LoadModule[calculator.Calculator](t.Context(), r.Manager, "example")
		require.NoError(t, err)
		n, err := calculates.Compute(t.Context(), 'A', 10)
		require.NoError(t, err)
		assert.EqualValues(t, 75, n)
		require.NoError(t, closing(t.Context()))
		require.NoError(t, r.Close())
	}
}

// requireHello calls the HelloWorld module.
func requireHello(t *testing.T, r running) {
	t.Helper()
	m, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), r.Manager, "org_example_hello")
	require.NoError(t, err)
	foo, err := m.Foo(t.Context(), 'A', 10)
	require.NoError(t, err)
	bar, err := m.Bar(t.Context(), 2.5, 3)
	require.NoError(t, err)
	baz, err := m.Baz(t.Context(), 1, 2)
	require.NoError(t, err)
	assert.Equal(t, []int32{75, 7, -1}, []int32{foo, bar, baz}, "baz is younger than the guide, and answered with its default")
}

func helloWorld(t *testing.T) {
	for form, define := range map[string]string{"by macro": "-DMACRO", "by object": "-DOBJECT"} {
		t.Run(form, func(t *testing.T) {
			r := run(t, manager.Config{})
			r.start(library(build(t, inCpp("hello", "c++11", "hello.cpp", define)), "org_example_hello"))
			requireHello(t, r)
			require.NoError(t, r.Close())
		})
	}
}

// guidesBuild takes the guide's two lines, without the library of Mesos, which is
// not needed, and with -c, which the guide forgot.
func guidesBuild(t *testing.T) {
	dir := t.TempDir()
	include, err := filepath.Abs(headers)
	require.NoError(t, err)
	source, err := filepath.Abs("testdata/hello.cpp")
	require.NoError(t, err)
	for _, line := range [][]string{
		{"g++", "-c", "-fpic", "-I" + include, "-o", "test_module.o", source},
		{"gcc", "-shared", "-o", "libtest_module.so", "test_module.o"},
	} {
		cmd := exec.Command(line[0], line[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		require.NoError(t, err, string(out))
	}
	r := run(t, manager.Config{SearchPath: []string{dir}})
	r.start(manifest.Manifest{Libraries: []manifest.Library{{Name: "test_module", Modules: []manifest.Module{{Name: "org_example_hello"}}}}})
	requireHello(t, r)
	require.NoError(t, r.Close())
	assert.Equal(t, "closed", r.Libraries()[0].Ended.String())
}

// olderHeaders are the headers as they were before the role got its later methods.
func olderHeaders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, os.DirFS(headers)))
	cut := func(name string, patterns ...string) {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		require.NoError(t, err)
		for _, p := range patterns {
			shorter := regexp.MustCompile(p).ReplaceAll(text, nil)
			require.Less(t, len(shorter), len(text), "%s: nothing is like %s", name, p)
			text = shorter
		}
		require.NoError(t, os.WriteFile(path, text, 0o600))
	}
	cut("mesos/roles/test_module.h", `(?m)^  /\* since .*\n.*\n`)
	cut("test_module.hpp", `(?m)^  // Since .*\n.*\n`, `(?s)  static int32_t (baz|parameters)\(.*?\n  }\n`, `(?m)^    &TestModuleTable<T>::(baz|parameters),\n`)
	return dir
}

func headerAges(t *testing.T) {
	older := olderHeaders(t)
	standards := []string{"c++14", "c++17", "c++20"}
	var recipes []recipe
	for _, s := range standards {
		recipes = append(recipes,
			inCpp("older", s, "aged.cpp", "-I"+older, "-DNAME=org_example_older", "-DSHIFT=1000"),
			inCpp("newer", s, "aged.cpp", "-DNAME=org_example_newer", "-DSHIFT=0", "-DBAZ"))
	}
	paths := built(t, recipes...)
	for i := range standards {
		for j := range standards {
			old, young := library(paths[2*i], "org_example_older"), library(paths[2*j+1], "org_example_newer")
			for _, order := range [][]manifest.Manifest{{old, young}, {young, old}} {
				t.Run(fmt.Sprintf("older in %s, newer in %s, %s first", standards[i], standards[j], order[0].Libraries[0].Modules[0].Name), func(t *testing.T) {
					r := run(t, manager.Config{})
					r.start(order...)
					assert.Equal(t, []int32{1075, 1000, -1}, answers(t, r, "org_example_older"))
					assert.Equal(t, []int32{75, 0, 6}, answers(t, r, "org_example_newer"))
					require.NoError(t, r.Close())
					for _, l := range r.Libraries() {
						assert.Equal(t, "closed", l.Ended.String())
					}
				})
			}
		}
	}
}

func answers(t *testing.T, r running, name string) []int32 {
	t.Helper()
	m, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), r.Manager, name)
	require.NoError(t, err)
	foo, err := m.Foo(t.Context(), 'A', 10)
	require.NoError(t, err)
	bar, err := m.Bar(t.Context(), 0, 0)
	require.NoError(t, err)
	baz, err := m.Baz(t.Context(), 2, 3)
	require.NoError(t, err)
	return []int32{foo, bar, baz}
}

func upstreamBinary(t *testing.T) {
	mesos := build(t, inC("mesos-1.11.0", "plain.c", "-Wl,-soname,libmesos-1.11.0.so"))
	for about, path := range map[string]string{
		"that needs libmesos":       build(t, inC("needs", "plain.c", "-Wl,--no-as-needed", mesos)),
		"that calls its namespaces": build(t, inCpp("forupstream", "c++11", "forupstream.cpp")),
	} {
		t.Run(about, func(t *testing.T) {
			err := run(t, manager.Config{}).verified(library(path, "org_apache_mesos_Upstream"))
			requireRefused(t, err, finding.Handshake, path, "Apache Mesos")
			assert.Contains(t, findings(err)[0].Mend, "mesos-module headers")
		})
	}
}

func typeCheck(t *testing.T) {
	t.Run("Go: the compiler names both types", func(t *testing.T) {
		out, err := exec.Command("go", "build", "-o", os.DevNull, "./testdata/wrong").CombinedOutput()
		require.Error(t, err)
		for _, says := range []string{"testmodule.TestModule", "calculator.Calculator", "missing method Compute"} {
			assert.Contains(t, string(out), says)
		}
	})
	t.Run("C++: the compiler names both types", func(t *testing.T) {
		for _, define := range []string{"-DMACRO", "-DOBJECT"} {
			out, err := exec.Command("g++", "-fsyntax-only", "-I"+headers, define, "testdata/wrong.cpp").CombinedOutput()
			require.Error(t, err, define)
			assert.Contains(t, string(out), "TestModule", define)
			assert.Contains(t, string(out), "Calculator", define)
		}
	})
	t.Run("C: the table at the head of the object names its role", func(t *testing.T) {
		cfg := manager.Config{}
		cfg.Bindings = append(cfg.Bindings, binds("calculator", "org_example_other"))
		r := run(t, cfg)
		require.NoError(t, r.verified(library(build(t, inC("othertable", "othertable.c")), "org_example_other")))
		err := r.Instantiate(t.Context())
		require.ErrorContains(t, err, "module org_example_other")
		require.ErrorContains(t, err, "Calculator")
		require.ErrorContains(t, err, "TestModule")
	})
	t.Run("whoever asks for another type is told both", func(t *testing.T) {
		r := run(t, manager.Config{})
		r.start(library(build(t, inCpp("calculator", "c++11", "calculator.cpp")), "example"))
		_, _, err := manager.LoadModule[testmodule.TestModule](t.Context(), r.Manager, "example")
		require.ErrorContains(t, err, "Calculator")
		require.ErrorContains(t, err, "testmodule.TestModule")
	})
}
