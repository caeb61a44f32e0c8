package catalog

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/roles"
)

func ExampleOfRole() {
	for _, m := range OfRole("Authenticatee") {
		fmt.Println(m.Name, m.Words, m.Daemons, m.Vehicles)
	}
	// Output: org_apache_mesos_CRAMMD5Authenticatee [crammd5] [mesos-slave] [builtin goplugin native]
}

func TestModules(t *testing.T) {
	all := Modules()
	t.Run("each is there once, by role and name", func(t *testing.T) {
		var keys []string
		for _, m := range all {
			keys = append(keys, m.Role+" "+m.Name)
		}
		assert.True(t, slices.IsSorted(keys), "%v", keys)
		assert.Len(t, slices.Compact(keys), len(all))
	})
	t.Run("each has a role, and ships as something", func(t *testing.T) {
		for _, m := range all {
			_, ok := roles.ByName(m.Role)
			assert.True(t, ok, "%s: %q", m.Name, m.Role)
			assert.NotEmpty(t, m.Vehicles, m.Name)
			assert.NotEmpty(t, m.Description, m.Name)
		}
	})
	t.Run("what a flag's word stands for ships", func(t *testing.T) {
		for _, r := range roles.Table() {
			for _, s := range r.Sites {
				for _, w := range s.Words {
					for _, name := range w.Modules {
						assert.True(t, slices.ContainsFunc(all, func(m Module) bool { return m.Name == name && m.Role == r.Name }), "--%s=%s: %s", s.Flag, w.Name, name)
					}
				}
			}
		}
	})
	t.Run("every role has one", func(t *testing.T) {
		for _, r := range roles.Table() {
			assert.NotEmpty(t, OfRole(r.Name), r.Name)
		}
	})
}

// What is not compiled in is looked for in the sources.
func TestListsAreThoseOfTheSources(t *testing.T) {
	t.Run("what comes as a plugin", func(t *testing.T) {
		for _, m := range apart() {
			source := goModuleWith(t, m.Name)
			for _, part := range []string{`Version: "` + m.Version + `"`, `Description: "` + m.Description + `"`} {
				assert.True(t, strings.Contains(source, part), "%s: its source does not have %s", m.Name, part)
			}
		}
	})
	t.Run("what is native", func(t *testing.T) {
		files := []string{"../../examples/cpp/hello.cpp"}
		more, err := filepath.Glob("../../modules/*/*/native/*.cpp")
		require.NoError(t, err)
		named := regexp.MustCompile(`(?:MESOS_MODULE\(\w+, |Module<\w+> )(org_apache_mesos_\w+)`)
		var found []string
		for _, file := range append(files, more...) {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			for _, m := range named.FindAllSubmatch(content, -1) {
				found = append(found, string(m[1]))
			}
		}
		slices.Sort(found)
		assert.Equal(t, native, slices.Compact(found))
	})
}

// goModuleWith is the text of the package below modules, with a go.mod, that names a
// module.
func goModuleWith(t *testing.T, name string) string {
	t.Helper()
	mods, err := filepath.Glob("../../modules/*/*/go.mod")
	require.NoError(t, err)
	for _, mod := range mods {
		files, err := filepath.Glob(filepath.Join(filepath.Dir(mod), "*.go"))
		require.NoError(t, err)
		var all strings.Builder
		for _, file := range files {
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(content)
		}
		if strings.Contains(all.String(), `"`+name+`"`) {
			return all.String()
		}
	}
	require.FailNow(t, "no Go module below modules declares "+name)
	return ""
}
