package moduletool

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles"
)

// oddity stands for a role whose interface has what interfaces can have. What is
// read is its source below.
type Oddity interface {
	Mixed(context.Context) error
}

const odditySource = `package moduletool

import (
	"context"

	wire "example.org/wire/v1"
	"example.org/plain"
)

// Size is a type of the role's own.
type Size int

type other interface{ Left() }

type Oddity interface {
	// Mixed is first. And more is said of it.
	//
	// At length.
	Mixed(ctx context.Context, a, b string, size Size, when func(*wire.Event) bool, all map[string][]Size) (plain.Mode, *Size, bool, error)

	//mms:since 1.12.0
	//mms:default
	Later(ctx context.Context) error

	Bare(ctx context.Context, n float64) error
}
`

func TestReadGoRole(t *testing.T) {
	role := roles.Role{Name: "Oddity", Type: reflect.TypeFor[Oddity]()}
	written := func(t *testing.T, source string) (goRole, error) {
		dir := t.TempDir()
		require.NoError(t, writeFile(filepath.Join(dir, "internal/moduletool/role.go"), []byte(source)))
		return readGoRole(dir, role)
	}

	t.Run("methods without a default are written out, with what they import", func(t *testing.T) {
		r, err := written(t, odditySource)
		require.NoError(t, err)
		assert.Equal(t, goRole{
			Import:  "github.com/mesos-modules/mms/internal/moduletool",
			Package: "moduletool",
			Type:    "moduletool.Oddity",
			Imports: []string{
				`"example.org/plain"`, `wire "example.org/wire/v1"`,
				`"github.com/mesos-modules/mms/facade"`, `"github.com/mesos-modules/mms/internal/moduletool"`,
			},
			Methods: []goMethod{{
				Name: "Mixed", Doc: "Mixed is first.",
				Signature: "(ctx context.Context, a, b string, size moduletool.Size, when func(*wire.Event) bool, all map[string][]moduletool.Size) (plain.Mode, *moduletool.Size, bool, error)",
				Zeros:     "*new(plain.Mode), nil, false, nil",
				Call:      `t.Context(), "", "", *new(moduletool.Size), nil, nil`,
				Discard:   "_, _, _, ",
			}, {
				Name: "Bare", Signature: "(ctx context.Context, n float64) error", Zeros: "nil", Call: "t.Context(), 0",
			}},
			Rest: []string{"Later"},
		}, r)
	})
	t.Run("where all have a default, all are", func(t *testing.T) {
		r, err := written(t, "package moduletool\n\nimport \"context\"\n\ntype Oddity interface {\n\t//mms:since 1.12.0\n\tRun(ctx context.Context) error\n}\n")
		require.NoError(t, err)
		require.Len(t, r.Methods, 1)
		assert.Equal(t, "Run", r.Methods[0].Name)
		assert.Empty(t, r.Rest)
	})
	for name, c := range map[string]struct{ source, says string }{
		"sources of another release": {"package moduletool\n", "have no interface of the role Oddity"},
		"broken sources":             {"package {", "read the role Oddity: "},
		"an embedded interface":      {"package moduletool\n\ntype Oddity interface{ other }\n", "an entry that is no method"},
		"an import that is missing":  {"package moduletool\n\ntype Oddity interface{ Do(x wire.Event) error }\n", "nothing is imported as wire"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := written(t, c.source)
			assert.ErrorContains(t, err, c.says)
		})
	}
	t.Run("no sources at all", func(t *testing.T) {
		_, err := readGoRole(t.TempDir(), role)
		assert.ErrorContains(t, err, "have no interface of the role Oddity")
	})
}

const oddTable = `typedef struct mesos_odd_table {
  mesos_role_table head;
  int32_t (*mixed)(void* object, const mesos_context* context, mesos_bytes name, int64_t n, mesos_sink* result, mesos_error* error);
  /* since 1.12.0 */
  int32_t (*later)(void* object, const mesos_context* context, mesos_error* error);
  int32_t (*count)(void* object, const mesos_context* context, uint8_t a, double b, int64_t* result, mesos_error* error);
} mesos_odd_table;

#define MESOS_ODD_HEAD {MESOS_ROLE_MAGIC, sizeof(mesos_odd_table), 0, "Odd"}
`

const oddClass = `
class Odd {
 public:
  virtual ~Odd() {}

  virtual std::vector<std::string> mixed(const std::map<std::string, int>& all, const std::string& name) = 0;

  // Since 1.12.0.
  virtual void later() {}

  virtual long count(char a, unsigned char) = 0;
};
`

func TestReadNativeRole(t *testing.T) {
	r, err := readNativeRole([]textFile{
		{"mesos/roles/odd.h", []byte(oddTable)}, {"mesos/roles/oddity.hpp", []byte("\nclass Odd {};\n")}, {"odd.hpp", []byte(oddClass)},
	}, "Odd")
	require.NoError(t, err)
	assert.Equal(t, nativeRole{
		CppHeader: "odd.hpp", CHeader: "mesos/roles/odd.h", Class: "Odd", Table: "mesos_odd_table", Head: "MESOS_ODD_HEAD",
		Methods: []nativeMethod{{
			Name: "mixed", Camel: "mixed", Result: "std::vector<std::string>", CppParams: "const std::map<std::string, int>& /*all*/, const std::string& /*name*/",
			CParams: "void* object, const mesos_context* context, mesos_bytes name, int64_t n, mesos_sink* result, mesos_error* error",
			Unused:  []string{"object", "context", "name", "n", "result", "error"},
		}, {
			Name: "count", Camel: "count", Result: "long", CppParams: "char /*a*/, unsigned /*char*/",
			CParams: "void* object, const mesos_context* context, uint8_t a, double b, int64_t* result, mesos_error* error",
			Unused:  []string{"object", "context", "a", "b", "error"},
			Zero:    true, Call: "object, NULL, 0, 0, &result, &error", ResultVar: "int64_t",
		}},
		Rest: []string{"later"},
	}, r)

	t.Run("headers of another release", func(t *testing.T) {
		_, err := readNativeRole([]textFile{{"mesos/roles/odd.h", []byte(oddTable)}}, "Odd")
		assert.EqualError(t, err, "the headers do not declare the role Odd; they may be of another release than the table of roles")
	})
	t.Run("every native role is in the headers", func(t *testing.T) {
		headers, err := headerFiles()
		require.NoError(t, err)
		for _, role := range nativeRoles() {
			r, err := readNativeRole(headers, role)
			require.NoError(t, err)
			assert.NotEmpty(t, r.Methods, role)
			for _, m := range r.Methods {
				assert.NotEmpty(t, m.Result, "%s of %s is in C++ as in C", m.Name, role)
			}
		}
	})
}

func TestWriteNew(t *testing.T) {
	t.Run("what was begun is taken back when something goes wrong", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "include")))
		err := writeNew(dir, []textFile{{"a.c", []byte("a")}, {"include/b.h", []byte("b")}})
		require.ErrorContains(t, err, "make the folder of b.h")
		assert.NoFileExists(t, filepath.Join(dir, "a.c"))
	})
	t.Run("a dangling link in the way is in the way", func(t *testing.T) {
		dir := t.TempDir()
		require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "a.c")))
		require.ErrorContains(t, writeNew(dir, []textFile{{"a.c", []byte("a")}}), "it has a.c")
		assert.NoFileExists(t, filepath.Join(dir, "nowhere"))
	})
}

func TestNames(t *testing.T) {
	for _, c := range []struct{ name, base, path string }{
		{"org_example_adder", "adder", "example.org/adder"},
		{"org_example_net_adder", "adder", "example.org/net-adder"},
		{"org_example_Adder", "adder", "example.org/adder"},
		{"org_example_func", "org_example_func", "example.org/func"},
		{"org_example_main", "org_example_main", "example.org/main"},
		{"org_example_2", "org_example_2", "example.org/2"},
		{"adder", "adder", "example.org/adder"},
		{"_x_", "_x_", "example.org/_x_"},
	} {
		assert.NoError(t, checkName(c.name, "c"), c.name)
		assert.Equal(t, c.base, baseName(c.name), c.name)
		assert.Equal(t, c.path, importPath(c.name), c.name)
	}
	for _, bad := range []string{"", "a b", "a-b", "a.b", "/etc", "ä", "9a", "go", "template", strings.Repeat("x", longestName+1)} {
		var misuse *usageError
		assert.ErrorAs(t, checkName(bad, "cpp"), &misuse, bad)
	}
	assert.NoError(t, checkName("template", "go"), "a word of C++ alone")
}
