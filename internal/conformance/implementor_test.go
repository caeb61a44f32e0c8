package conformance_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImplementorAddsARole does what a Mesos implementor does to add a role: one
// interface, one row of the table, the generator, and nothing else. It does so in a
// copy of this module, and then calls modules of the new role: one compiled in and
// one in C++.
func TestImplementorAddsARole(t *testing.T) {
	c := copyModule(t)
	c.file("roles/greeter/greeter.go", read(t, "testdata/greeter/greeter.go.txt"))
	c.edit("roles/table.go", "\t\t{Name: \"Hook\"", read(t, "testdata/greeter/row.go.txt")+"\t\t{Name: \"Hook\"")
	c.edit("roles/table.go", "\t\"github.com/mesos-modules/mms/roles/hook\"", "\t\"github.com/mesos-modules/mms/roles/greeter\"\n\t\"github.com/mesos-modules/mms/roles/hook\"")

	out, err := c.generate("-check")
	require.Error(t, err, "nothing is generated yet")
	assert.Contains(t, out, "roles/greeter/zz_generated.go")

	out, err = c.generate()
	require.NoError(t, err, out)
	written := strings.Fields(out)
	assert.Equal(t, []string{
		"facade/include/greeter.hpp",
		"facade/include/mesos/module/greeter.hpp",
		"facade/include/mesos/roles/greeter.h",
		"manager/handle/zz_greeter.go",
		"manager/handle/zz_roles.go",
		"manager/vehicle/native/bridge/zz_greeter.go",
		"manager/vehicle/native/bridge/zz_roles.go",
		"manager/vehicle/process/bridge/zz_greeter.go",
		"manager/vehicle/process/bridge/zz_greeter_test.go",
		"manager/vehicle/process/bridge/zz_roles.go",
		"manager/vehicle/process/bridge/zz_roles_test.go",
		"roles/fingerprints.txt",
		"roles/greeter/zz_generated.go",
	}, written, "another role is touched, or something is left out")
	out, err = c.generate("-check")
	require.NoError(t, err, out)

	t.Run("its modules work on every vehicle that the row allows", func(t *testing.T) {
		c.file("cmd/greet/main.go", read(t, "testdata/greeter/main.go.txt"))
		c.run("go", "build", "-o", "greet", "./cmd/greet")
		for define, waves := range map[string]string{"-DSILENT": "waves", "-DWAVES": "~~~"} {
			c.run("g++", "-std=c++11", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared", define, "-Ifacade/include", "-o", "libhello.so", c.source("testdata/greeter/hello.cpp"))
			assert.Equal(t, "Good day, Mesos waves\nHello, Mesos "+waves+"\n", c.run("./greet", c.path("libhello.so")))
		}
	})

	t.Run("changing it later without raising its version is refused", func(t *testing.T) {
		c.edit("roles/greeter/greeter.go", "name string", "name string, loud bool")
		for _, args := range [][]string{{"-check"}, {}} {
			out, err := c.generate(args...)
			require.Error(t, err)
			for _, says := range []string{"role Greeter", "Greet(context.Context, string, bool)", "raise its Version in roles/table.go", "roles/greeter/greeter.go:9:2"} {
				assert.Contains(t, out, says)
			}
		}
		c.edit("roles/table.go", `{Name: "Greeter", Version: "1.12.0"`, `{Name: "Greeter", Version: "1.13.0"`)
		out, err := c.generate()
		require.NoError(t, err, out)
		assert.Contains(t, out, "roles/fingerprints.txt")
	})
}

// moduleCopy is a copy of this module's sources, without tests that nobody generates.
type moduleCopy struct {
	t   *testing.T
	dir string
}

func copyModule(t *testing.T) moduleCopy {
	c := moduleCopy{t, t.TempDir()}
	root, err := filepath.Abs("../..")
	require.NoError(t, err)
	for _, part := range []string{"go.mod", "go.sum", "facade", "roles", "depgraph", "lifecycle", "manager", "internal/gen/role", "internal/nearest"} {
		require.NoError(t, filepath.WalkDir(filepath.Join(root, part), func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && e.Name() == "testdata":
				return fs.SkipDir
			case e.IsDir() || strings.HasSuffix(path, "_test.go") && !strings.HasPrefix(e.Name(), "zz_"):
				return nil
			}
			name, err := filepath.Rel(root, path)
			if err != nil {
				return err
			}
			content, err := os.ReadFile(path)
			if err == nil {
				c.file(name, string(content))
			}
			return err
		}))
	}
	return c
}

func (c moduleCopy) path(name string) string { return filepath.Join(c.dir, name) }

// source is a file of this package, from everywhere.
func (c moduleCopy) source(name string) string {
	path, err := filepath.Abs(name)
	require.NoError(c.t, err)
	return path
}

func (c moduleCopy) file(name, content string) {
	require.NoError(c.t, os.MkdirAll(filepath.Dir(c.path(name)), 0o755))
	require.NoError(c.t, os.WriteFile(c.path(name), []byte(content), 0o644))
}

// edit replaces a text that stands in the file once.
func (c moduleCopy) edit(name, old, new string) {
	c.t.Helper()
	text := read(c.t, c.path(name))
	require.Equal(c.t, 1, strings.Count(text, old), "%s in %s", old, name)
	c.file(name, strings.Replace(text, old, new, 1))
}

// generate runs the generator and returns what it prints.
func (c moduleCopy) generate(args ...string) (string, error) {
	return c.try("go", slices.Concat([]string{"run", "./internal/gen/role"}, args)...)
}

func (c moduleCopy) run(program string, args ...string) string {
	c.t.Helper()
	out, err := c.try(program, args...)
	require.NoError(c.t, err, out)
	return out
}

func (c moduleCopy) try(program string, args ...string) (string, error) {
	cmd := exec.Command(program, args...)
	cmd.Dir = c.dir
	cmd.Env = append(os.Environ(), "PWD="+c.dir, "GOWORK=off", "GOFLAGS=-buildvcs=false")
	out, err := cmd.CombinedOutput()
	return string(out), err
}
