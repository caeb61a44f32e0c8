package include

import (
	"bytes"
	"debug/elf"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var standards = []string{"-std=c++11", "-std=c++14", "-std=c++17", "-std=c++20"}

var strict = []string{"-I.", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wnon-virtual-dtor", "-Werror"}

// compilers returns g++ or gcc, which have to be there, and clang's, which may not be.
func compilers(t *testing.T, gnu, clang string) []string {
	_, err := exec.LookPath(gnu)
	require.NoError(t, err)
	if _, err := exec.LookPath(clang); err != nil {
		return []string{gnu}
	}
	return []string{gnu, clang}
}

func run(t *testing.T, name string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func mustRun(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, err := run(t, name, args...)
	require.NoError(t, err, "%s %s\n%s", name, strings.Join(args, " "), out)
	return out
}

// library makes a library of files in testdata, and returns its path. Include paths in args go before this folder.
func library(t *testing.T, compiler string, args ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "libtest.so")
	mustRun(t, compiler, append(append([]string{"-O0", "-fPIC", "-shared", "-o", path}, args...), "-I.")...)
	return path
}

// host makes the test host.
func host(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "host")
	mustRun(t, "gcc", "-I.", "-O0", "-o", path, "testdata/host.c", "-ldl")
	return path
}

func lines(text string) []string { return strings.Split(strings.TrimSuffix(text, "\n"), "\n") }

func TestHeadersCompileWithoutWarnings(t *testing.T) {
	variants := map[string][]string{
		"plain": nil, "without exceptions": {"-fno-exceptions"}, "without RTTI": {"-fno-rtti"}, "hidden": {"-fvisibility=hidden"},
	}
	for _, compiler := range compilers(t, "g++", "clang++") {
		for _, standard := range standards {
			for name, flags := range variants {
				oldestOrNewest := standard == standards[0] || standard == standards[len(standards)-1]
				if name != "plain" && (!oldestOrNewest || compiler != "g++") {
					continue
				}
				t.Run(strings.Join([]string{compiler, standard, name}, " "), func(t *testing.T) {
					t.Parallel()
					args := append([]string{standard, "-fsyntax-only"}, strict...)
					mustRun(t, compiler, append(append(args, flags...), "testdata/forms.cpp")...)
				})
			}
		}
	}
	for _, compiler := range compilers(t, "gcc", "clang") {
		for _, standard := range []string{"-std=c99", "-std=c11"} {
			t.Run(compiler+" "+standard, func(t *testing.T) {
				t.Parallel()
				args := []string{"-I.", "-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wstrict-prototypes", "-Werror", "-fsyntax-only", standard}
				mustRun(t, compiler, append(args, "testdata/module.c")...)
			})
		}
	}
}

func TestEveryHeaderCompilesAlone(t *testing.T) {
	err := fs.WalkDir(Files, ".", func(path string, d fs.DirEntry, err error) error {
		if d.IsDir() {
			return err
		}
		t.Run(path, func(t *testing.T) {
			t.Parallel()
			source := filepath.Join(t.TempDir(), "alone.cpp")
			require.NoError(t, os.WriteFile(source, []byte("#include <"+path+">\n#include <"+path+">\n"), 0o600))
			if strings.HasSuffix(path, ".h") {
				mustRun(t, "gcc", "-I.", "-std=c99", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-x", "c", source)
			}
			mustRun(t, "g++", append([]string{"-std=c++11", "-fsyntax-only", source}, strict...)...)
		})
		return err
	})
	require.NoError(t, err)
}

func TestWrongProgramsDoNotCompile(t *testing.T) {
	head := "#include <calculator.hpp>\n#include <test_module.hpp>\n" +
		"class Other : public TestModule { int foo(char, long) { return 0; } int bar(float, double) { return 0; } };\n" +
		"class Right : public Calculator { int compute(char, long) { return 0; } };\n" +
		"class Abstract : public Calculator {}; class Free {};\n"
	for name, c := range map[string]struct{ source, says string }{
		"a right one":                 {"MESOS_MODULE(Calculator, x) { return new Right(); }", ""},
		"an instance of another role": {"MESOS_MODULE(Calculator, x) { return new Other(); }", "cannot convert ‘Other*’ to ‘Calculator*’"},
		"an abstract class":           {"MESOS_MODULE(Calculator, x) { return new Abstract(); }", "‘virtual int Calculator::compute(char, long int)’"},
		"a class that is no role":     {"MESOS_MODULE(Free, x) { return new Free(); }", "mesos::modules::Role<Free>"},
		"an unknown word":             {`MESOS_MODULE(Calculator, x, verzion("1")) { return new Right(); }`, "verzion"},
		"an object of another role": {"static Calculator* make(const Parameters&) { return new Right(); }\n" +
			`mesos::modules::Module<TestModule> x("1", "1", "", "", "", nullptr, make);`, "no matching function"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source := filepath.Join(t.TempDir(), "wrong.cpp")
			require.NoError(t, os.WriteFile(source, []byte(head+c.source), 0o600))
			out, err := run(t, "env", "LC_ALL=C.UTF-8", "g++", "-I.", "-std=c++17", "-fsyntax-only", source)
			if c.says == "" {
				require.NoError(t, err, out)
				return
			}
			require.Error(t, err)
			assert.Contains(t, out, c.says)
		})
	}
}

func TestTheSeedsExampleGives75(t *testing.T) {
	t.Parallel()
	assert.Equal(t, []string{"module example Calculator  0+0", "table Calculator 32", "result 75", "destroyed", "closed"},
		lines(mustRun(t, host(t), library(t, "g++", "testdata/seed.cpp"), "mesos_module_example", "@65,10")))
}

func TestTheGuidesBuild(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	object, path := filepath.Join(dir, "test_module.o"), filepath.Join(dir, "libtest_module.so")
	mustRun(t, "g++", "-I.", "-c", "-fpic", "-o", object, "testdata/test_module.cpp")
	mustRun(t, "gcc", "-shared", "-o", path, object)
	assert.Equal(t, []string{
		"module - TestModule  0+0", "admits ", "admits ", "HelloWorld!", "table TestModule 56", "result 1089", "destroyed", "closed",
	}, lines(mustRun(t, host(t), path, "org_apache_mesos_TestModule", "@65,1024")))
}

func TestModuleInC(t *testing.T) {
	t.Parallel()
	h, path := host(t), library(t, "gcc", "-std=c99", "testdata/module.c")
	assert.Equal(t, []string{
		"module org_example_hello TestModule 1.0.0 1+1", "admits ", "refuses does not run beside org_example_rude",
		"I hello from C", "table TestModule 56", "result 75", "failed cancelled at 10", "element hi", "destroyed", "closed",
	}, lines(mustRun(t, h, path, "org_example_hello", "greeting=hi", "@65,10", "!", "@65,10")))
	assert.Contains(t, mustRun(t, h, path, "org_example_hello"), "not made: org_example_hello: parameter greeting is missing")
}

func TestForms(t *testing.T) {
	t.Parallel()
	h := host(t)
	for _, standard := range []string{"-std=c++11", "-std=c++20"} {
		path := library(t, "g++", standard, "testdata/forms.cpp", "testdata/second.cpp")
		for symbol, c := range map[string]struct{ words, want []string }{
			"mesos_module_checked_before": {[]string{"@65,10", "!", "@65,10"}, []string{
				"module checked_before Calculator 1.2.0 5+3", "admits ", "refuses the module's own check says no", "I made",
				"table Calculator 32", "result 75", "result -1", "destroyed", "closed"}},
			"mesos_module_checked_behind": {nil, []string{
				"module checked_behind TestModule  0+0", "admits ", "refuses the module's own check says no",
				"table TestModule 56", "element ", "destroyed", "closed"}},
			"mesos_module_quiet": {nil, []string{
				"module quiet Anonymous  0+0", "refuses not on a 1.12.0", "refuses not on a 1.13.0", "table Anonymous 32", "destroyed", "closed"}},
			"mesos_module_multiplier": {[]string{"@65,10"}, []string{
				"module multiplier Calculator  0+0", "table Calculator 32", "result 650", "destroyed", "closed"}},
			"mesos_module_nested": {[]string{"@65,10"}, []string{
				"module nested Calculator 1.0.0 1+1", "admits ", "admits ", "table Calculator 32", "result 55", "destroyed", "closed"}},
			"by_short": {[]string{"greeting=hi"}, []string{
				"module - TestModule  0+0", "admits ", "admits ", "table TestModule 56", "element hi", "destroyed", "closed"}},
			"by_long":        {[]string{"fail=1"}, []string{"module - TestModule  0+0", "not made: create returned null", "closed"}},
			"by_bare":        {nil, []string{"module - TestModule  0+0", "table TestModule 56", "element ", "destroyed", "closed"}},
			"by_lambda":      {nil, []string{"module - TestModule  0+0", "table TestModule 56", "element lambda", "destroyed", "closed"}},
			"by_bare_lambda": {nil, []string{"module - TestModule  0+0", "table TestModule 56", "element ", "destroyed", "closed"}},
		} {
			t.Run(standard+" "+symbol, func(t *testing.T) {
				assert.Equal(t, c.want, lines(mustRun(t, h, append([]string{path, symbol}, c.words...)...)))
			})
		}
	}
}

func TestWhatIsHiddenIsNoModule(t *testing.T) {
	t.Parallel()
	h, path := host(t), library(t, "g++", "-fvisibility=hidden", "testdata/forms.cpp", "testdata/second.cpp")
	assert.Contains(t, mustRun(t, h, path, "mesos_module_checked_before", "@65,10"), "result 75", "the macro exports by itself")
	assert.Contains(t, mustRun(t, h, path, "by_bare", "@65,10"), "result 75", "MESOS_EXPORT does it for an object")
	out, err := run(t, h, path, "by_short")
	require.Error(t, err)
	assert.Equal(t, "no symbol\n", out)
}

func TestACheckOfNoModuleKeepsTheLibraryFromOpening(t *testing.T) {
	t.Parallel()
	source := filepath.Join(t.TempDir(), "typo.cpp")
	require.NoError(t, os.WriteFile(source, []byte("#include <calculator.hpp>\nMESOS_MODULE_COMPATIBLE(exmaple) { return true; }\n"), 0o600))
	out, err := run(t, host(t), library(t, "g++", source), "mesos_module_example")
	require.Error(t, err)
	assert.Contains(t, out, "undefined symbol: mesos_module_exmaple")
}

func TestNothingThrownGetsOut(t *testing.T) {
	t.Parallel()
	h := host(t)
	throwing := library(t, "g++", "testdata/failing.cpp")
	wordy := library(t, "g++", "-fno-exceptions", "-fno-rtti", "-DFAIL_BY_WORD", "testdata/failing.cpp")

	both := []string{"failed by word", "failed by text 9", "result 5"}
	out := lines(mustRun(t, h, throwing, "mesos_module_failing", "@1,0", "@2,9", "@0,5", "@3,0", "@4,0", "@5,0", "@0,6"))
	assert.Equal(t, append(both, "failed by exception", "failed by Error", "failed threw something that is no std::exception", "result 6"), out[2:9])
	out = lines(mustRun(t, h, wordy, "mesos_module_failing", "@1,0", "@2,9", "@0,5", "@6,0", "@7,0", "!", "@6,0", "@7,0"))
	assert.Equal(t, append(both, "result 0", "result 0", "result 1", "result 1"), out[2:9])

	for how, want := range map[string]string{
		"null": "not made: create returned null", "word": "not made: create by word in mesos_module_failing",
		"throw": "not made: create by exception", "end": "not destroyed: cannot let go",
	} {
		assert.Contains(t, mustRun(t, h, throwing, "mesos_module_failing", "how="+how), want)
	}
}

func TestHeadersOfDifferentAgeKeepTheirTables(t *testing.T) {
	t.Parallel()
	newer := newerHeaders(t)
	h := host(t)
	for _, standard := range []string{"-std=c++14", "-std=c++17", "-std=c++20"} {
		t.Run(standard, func(t *testing.T) {
			t.Parallel()
			old, young := library(t, "g++", standard, "testdata/seed.cpp"), library(t, "g++", standard, "-I"+newer, "testdata/seed.cpp")
			oldSays := []string{"module example Calculator  0+0", "table Calculator 32", "result 75", "destroyed"}
			youngSays := []string{"module example Calculator  0+0", "table Calculator 40", "result 75", "destroyed"}
			symbol := "mesos_module_example"
			assert.Equal(t, append(append(append([]string{}, oldSays...), youngSays...), "closed", "closed"),
				lines(mustRun(t, h, old, symbol, "@65,10", young, symbol, "@65,10")))
			assert.Equal(t, append(append(append([]string{}, youngSays...), oldSays...), "closed", "closed"),
				lines(mustRun(t, h, young, symbol, "@65,10", old, symbol, "@65,10")))
		})
	}
}

// newerHeaders returns a copy of the headers in which Calculator has one method more.
func newerHeaders(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	require.NoError(t, os.CopyFS(dir, Files))
	edit := func(path, old, new string) {
		text, err := os.ReadFile(filepath.Join(dir, path))
		require.NoError(t, err)
		require.Contains(t, string(text), old)
		require.NoError(t, os.WriteFile(filepath.Join(dir, path), bytes.Replace(text, []byte(old), []byte(new), 1), 0o600))
	}
	edit("mesos/roles/calculator.h", "} mesos_calculator_table;", "  int32_t (*added)(void* object);\n} mesos_calculator_table;")
	edit("calculator.hpp", "    &CalculatorTable<T>::compute,\n", "    &CalculatorTable<T>::compute,\n    &CalculatorTable<T>::added,\n")
	edit("calculator.hpp", "  static const mesos_calculator_table value;\n",
		"  static const mesos_calculator_table value;\n  static int32_t added(void*) { return 0; }\n")
	return dir
}

func TestDescriptorsAreInTheFile(t *testing.T) {
	t.Parallel()
	sources := []string{"testdata/forms.cpp", "testdata/second.cpp"}
	for _, c := range []struct {
		standard string
		atOpen   []string // filled when the library is opened
	}{
		{"-std=c++11", []string{"by_lambda", "by_bare_lambda"}},
		{"-std=c++17", nil},
	} {
		for _, compiler := range compilers(t, "g++", "clang++") {
			t.Run(compiler+" "+c.standard, func(t *testing.T) {
				t.Parallel()
				file, err := elf.Open(library(t, compiler, append([]string{c.standard}, sources...)...))
				require.NoError(t, err)
				defer func() { _ = file.Close() }()
				symbols, err := file.DynamicSymbols()
				require.NoError(t, err)
				inFile, empty := map[string][]byte{}, []string(nil)
				for _, s := range symbols {
					assert.NotEqual(t, elf.STB_LOOS, elf.ST_BIND(s.Info), "%s is STB_GNU_UNIQUE, shared by libraries that must not share it", s.Name)
					if elf.ST_TYPE(s.Info) != elf.STT_OBJECT || s.Section == elf.SHN_UNDEF {
						continue
					}
					section := file.Sections[s.Section]
					if section.Type == elf.SHT_NOBITS {
						empty = append(empty, s.Name)
						continue
					}
					data := make([]byte, 8)
					_, err := section.ReadAt(data, int64(s.Value-section.Addr))
					require.NoError(t, err)
					inFile[s.Name] = data
				}
				assert.ElementsMatch(t, c.atOpen, empty)
				for _, name := range []string{"mesos_module_checked_before", "mesos_module_checked_behind", "mesos_module_quiet",
					"mesos_module_multiplier", "by_short", "by_long", "by_bare"} {
					assert.Equal(t, "MMSMOD\x00\x01", string(inFile[name]), name)
				}
				assert.Equal(t, "MMSLIB\x00\x01", string(inFile["mesos_module_library"]))
				assert.Equal(t, "MMSHDR\x00\x01", string(inFile["mesos_module_header"]), "the mark of the C++ headers")
				for name := range inFile {
					assert.NotContains(t, name, "Table", "a role's table is exported")
				}
			})
		}
	}
}
