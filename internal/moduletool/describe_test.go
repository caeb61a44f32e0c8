package moduletool

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/facade"
	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// full is a library that says all there is to say.
func full() *inspection {
	l := &inspection{
		Path:     "libfull.so",
		File:     &fileInfo{Path: "/opt/libfull.so", Size: 12345, SHA256: "00ff", Device: 1, Inode: 2, Mode: "-rw-r--r--"},
		Findings: []finding.Finding{},
	}
	l.describe(vehicle.Description{
		Vehicle: "goplugin", MMSVersion: "1", MesosVersion: "1.12.0", MinMesos: "1.11.0", Complete: true,
		Build: []vehicle.Setting{{Key: "go", Value: "go1.26.0"}, {Key: "-trimpath", Value: "true"}},
		Modules: []vehicle.Module{{
			Name: "org_example_full", Role: "Calculator", Version: "1.2.3", Author: "Ann Author", Email: "ann@example.org",
			Description: "two\nlines", MMSVersion: "2", MesosVersion: "1.11.0",
			Requires: []facade.Requirement{
				{Module: "org_example_base", Version: ">=1 <2"}, {Role: "TestModule", Optional: true},
			},
			Conflicts: []facade.Conflict{{Module: "org_example_foe"}, {Module: "org_example_old", Version: "<1"}},
			After:     []string{"org_example_first"},
			HasSchema: true,
			Parameters: []facade.ParameterSpec{
				{Key: "limit", Type: "int", Default: "10", Doc: "how many at most"},
				{Key: "token", Type: "secret", Default: "hunter2", Required: true, Secret: true},
				{Key: "host", Type: "string", Repeated: true},
			},
			Compatible: true,
			Flaws:      []string{"Email is not UTF-8"},
		}, {
			Name: "org_example_bare", Role: "Calculator", MMSVersion: "1", MesosVersion: "1.12.0",
		}, {
			Name: "org_example_none", Role: "Calculator", HasSchema: true,
		}},
	}, byTrial)
	return l
}

func TestShow(t *testing.T) {
	shown := func(t *testing.T, format, field string) string {
		var out bytes.Buffer
		tool := Tool{Stdout: &out, Stderr: &out, Env: os.Getenv, format: choice{value: format}}
		require.NoError(t, tool.show([]*inspection{full()}, field))
		return out.String()
	}
	t.Run("as text", func(t *testing.T) { golden(t, "full.txt", shown(t, "text", "")) })
	t.Run("as JSON", func(t *testing.T) { golden(t, "full.json", shown(t, "json", "")) })

	t.Run("a secret's default is nobody's business", func(t *testing.T) {
		assert.NotContains(t, shown(t, "text", ""), "hunter2")
		assert.NotContains(t, shown(t, "json", ""), "hunter2")
	})
	t.Run("every line has a field by its name, and every field a line", func(t *testing.T) {
		var seen []string
		l := full()
		rows := l.rows()
		for _, m := range l.Library.Modules {
			rows = append(rows, moduleRows(l.Library, m)...)
		}
		for _, r := range rows {
			seen = append(seen, r.key)
		}
		slices.Sort(seen)
		want := fieldNames()
		slices.Sort(want)
		assert.Equal(t, want, slices.Compact(seen))
	})
	t.Run("versions of a module's own are shown where they are other ones", func(t *testing.T) {
		assert.Equal(t, "1\n2\n", shown(t, "text", "mms-version"))
		assert.Equal(t, "1.12.0\n1.11.0\n", shown(t, "text", "mesos-version"))
	})
	t.Run("a value with a line end stays on its line", func(t *testing.T) {
		assert.Equal(t, "two\\nlines\n", shown(t, "text", "description"))
	})
	t.Run("no values are an empty list", func(t *testing.T) {
		var out bytes.Buffer
		tool := Tool{Stdout: &out, format: choice{value: "json"}}
		require.NoError(t, tool.show([]*inspection{{}}, "role"))
		assert.Equal(t, "[]\n", out.String())
	})
}

// golden compares with a file below testdata.
func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if slices.Contains(os.Args, "-update") {
		require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), got)
}
