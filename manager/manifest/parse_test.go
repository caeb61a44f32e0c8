package manifest_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

// plain is m without positions, for comparing contents.
func plain(m manifest.Manifest) manifest.Manifest {
	m = m.Redacted(nil)
	for i := range m.Libraries {
		m.Libraries[i].At, m.Libraries[i].Process.At = manifest.Position{}, manifest.Position{}
		for j := range m.Libraries[i].Modules {
			m.Libraries[i].Modules[j].At = manifest.Position{}
		}
	}
	return m
}

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestParseTellsTheFormsApart(t *testing.T) {
	const text = `{"libraries": [{"file": "/a/lib.so", "modules": [{"name": "m"}]}]}`
	want := manifest.Manifest{Libraries: []manifest.Library{{File: "/a/lib.so", Modules: []manifest.Module{{Name: "m"}}}}}
	file := write(t, filepath.Join(t.TempDir(), "no extension"), text)
	for name, value := range map[string]string{
		"inline JSON":                   text,
		"JSON after white space":        " \n\t" + text + "\n",
		"JSON after a byte order mark":  "\ufeff" + text,
		"a file by URL":                 "file://" + file,
		"a file by its absolute path":   file,
		"a file, white space around it": " " + file + "\n",
		"the short form":                "/a/lib.so:m",
		"the short form, spaced":        "\n  /a/lib.so:m  ",
	} {
		t.Run(name, func(t *testing.T) {
			m, notices, err := manifest.Parse(value, manifest.Options{})
			require.NoError(t, err)
			assert.Equal(t, want, plain(m))
			assert.Empty(t, notices)
		})
	}
}

func TestParseJSON(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"the empty manifest loads nothing", `{}`, `{}`},
		{"null is unset", `{"libraries": null}`, `{}`},
		{"no libraries", `{"libraries": []}`, `{}`},
		{"single objects stand for arrays of one",
			`{"libraries": {"name": "x", "modules": {"name": "m", "parameters": {"key": "k", "value": "v"}}}}`,
			`{"libraries":[{"name":"x","modules":[{"name":"m","parameters":[{"key":"k","value":"v"}]}]}]}`},
		{"file and name may both stand", `{"libraries":[{"file":"a","name":"b","modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"a","name":"b","modules":[{"name":"m"}]}]}`},
		{"parameters are an ordered multimap of any strings",
			`{"libraries":[{"file":"a","modules":[{"name":"m","parameters":[{"key":"b","value":"10MB"},{"key":"a","value":""},{"key":"b","value":"rotate 9"}]}]}]}`,
			`{"libraries":[{"file":"a","modules":[{"name":"m","parameters":[{"key":"b","value":"10MB"},{"key":"a","value":""},{"key":"b","value":"rotate 9"}]}]}]}`},
		{"ParameterWithoutValue and ParameterWithoutKey are representable",
			`{"libraries":[{"file":"a","modules":[{"name":"m","parameters":[{"key":"operation"},{"value":"sum"},{"key":null,"value":null},{}]}]}]}`,
			`{"libraries":[{"file":"a","modules":[{"name":"m","parameters":[{"key":"operation","value":""},{"key":"","value":"sum"},{"key":"","value":""},{"key":"","value":""}]}]}]}`},
		{"white space before colons", "{\"libraries\" : [ {\r\n\t\"file\" :\"a\" , \"modules\" :[{\"name\" : \"m\"}]} ]}",
			`{"libraries":[{"file":"a","modules":[{"name":"m"}]}]}`},
		{"escapes and other scripts", `{"libraries":[{"file":"/\u00fc/\ud83d\ude00/<é>","modules":[{"name":"m"}]}]}`,
			`{"libraries":[{"file":"/ü/😀/<é>","modules":[{"name":"m"}]}]}`},
		{"limits print in the largest whole unit",
			`{"libraries":[{"file":"a","limits":{"open":"90secs","check":"1500ms","create":"0.5hrs","drain":"14days","close":null},"modules":[{"name":"m","limits":{"close":"60secs"}}]}]}`,
			`{"libraries":[{"file":"a","limits":{"open":"90secs","check":"1500ms","create":"30mins","drain":"2weeks"},"modules":[{"name":"m","limits":{"close":"1mins"}}]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, notices, err := manifest.Parse(c.text, manifest.Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, m.Text())
			assert.Empty(t, notices)
		})
	}
}

func TestParseReadsLimits(t *testing.T) {
	m, _, err := manifest.Parse(`{"libraries":{"file":"a","limits":{"open":"1ns","check":"2us","create":"3ms","drain":"4secs","close":"5mins"}}}`, manifest.Options{})
	require.NoError(t, err)
	assert.Equal(t, manifest.Limits{
		Open: time.Nanosecond, Check: 2 * time.Microsecond, Create: 3 * time.Millisecond, Drain: 4 * time.Second, Close: 5 * time.Minute,
	}, m.Libraries[0].Limits)
}

func TestParseShortForm(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"the seed's example", "/root/path1:module1,path2:module2",
			`{"libraries":[{"file":"/root/path1","modules":[{"name":"module1"}]},{"file":"path2","modules":[{"name":"module2"}]}]}`},
		{"modules of one path become one library, in order", "/b:m2,/a:m3,/b:m1",
			`{"libraries":[{"file":"/b","modules":[{"name":"m2"},{"name":"m1"}]},{"file":"/a","modules":[{"name":"m3"}]}]}`},
		{"each entry splits at its last colon", "/a:b:m", `{"libraries":[{"file":"/a:b","modules":[{"name":"m"}]}]}`},
		{"spaces inside a path are part of it", "/my libs/x.so:m , /b.so:n",
			`{"libraries":[{"file":"/my libs/x.so","modules":[{"name":"m"}]},{"file":"/b.so","modules":[{"name":"n"}]}]}`},
		{"a list may run over lines", "\n /a:m,\n /b:n\n",
			`{"libraries":[{"file":"/a","modules":[{"name":"m"}]},{"file":"/b","modules":[{"name":"n"}]}]}`},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, notices, err := manifest.Parse(c.value, manifest.Options{})
			require.NoError(t, err)
			assert.Equal(t, c.want, m.Text())
			assert.Empty(t, notices)
		})
	}
}

func TestPositions(t *testing.T) {
	t.Run("of the JSON form count characters", func(t *testing.T) {
		m, _, err := manifest.Parse("{\"libraries\": [\n {\"file\": \"é\", \"modules\": [{\"name\": \"m\"},\n{\"name\": \"n\"}]}]}", manifest.Options{Source: "MESOS_MODULES"})
		require.NoError(t, err)
		assert.Equal(t, "MESOS_MODULES:2:2", m.Libraries[0].At.String())
		assert.Equal(t, "MESOS_MODULES:2:28", m.Libraries[0].Modules[0].At.String())
		assert.Equal(t, "MESOS_MODULES:3:1", m.Libraries[0].Modules[1].At.String())
	})
	t.Run("of the short form point at path and module", func(t *testing.T) {
		m, _, err := manifest.Parse("/é:m, /b:n", manifest.Options{})
		require.NoError(t, err)
		assert.Equal(t, "--modules:1:1", m.Libraries[0].At.String())
		assert.Equal(t, "--modules:1:4", m.Libraries[0].Modules[0].At.String())
		assert.Equal(t, "--modules:1:7", m.Libraries[1].At.String())
		assert.Equal(t, "--modules:1:10", m.Libraries[1].Modules[0].At.String())
	})
	t.Run("of a file carry its path", func(t *testing.T) {
		file := write(t, filepath.Join(t.TempDir(), "m.json"), `{"libraries":{"name":"x","modules":{"name":"m"}}}`)
		m, _, err := manifest.Parse("file://"+file, manifest.Options{})
		require.NoError(t, err)
		assert.Equal(t, file+":1:14", m.Libraries[0].At.String())
	})
}

func TestRelaxedTurnsUnknownKeysIntoNotices(t *testing.T) {
	const text = `{"comment": {"a": [1, {"b": null}]}, "libraries": [{"file": "/a", "Modules": [], "modules": [{"name": "m"}]}]}`
	_, _, err := manifest.Parse(text, manifest.Options{})
	require.Error(t, err)

	m, notices, err := manifest.Parse(text, manifest.Options{Relaxed: true})
	require.NoError(t, err)
	assert.Equal(t, `{"libraries":[{"file":"/a","modules":[{"name":"m"}]}]}`, m.Text())
	require.Len(t, notices, 2)
	assert.Equal(t, `--modules:1:2: unknown key "comment"; known here: libraries`, notices[0].String())
	assert.Equal(t, `--modules:1:67: libraries[0]: unknown key "Modules"; did you mean "modules"?`, notices[1].String())

	_, _, err = manifest.Parse(`{"libraries": [{"comment": ""}]}`, manifest.Options{Relaxed: true})
	assert.ErrorContains(t, err, `neither "file" nor "name"`, "what is missing stays an error")
}

func TestLibraryWithoutModulesGetsANotice(t *testing.T) {
	m, notices, err := manifest.Parse(`{"libraries": [{"file": "/a"}]}`, manifest.Options{})
	require.NoError(t, err)
	assert.Equal(t, `{"libraries":[{"file":"/a"}]}`, m.Text())
	require.Len(t, notices, 1)
	assert.Equal(t, "--modules:1:16: libraries[0]: names no module, so nothing is used from this library", notices[0].String())
}

func TestBounds(t *testing.T) {
	t.Run("a manifest of 10 MB is refused by the limit's name", func(t *testing.T) {
		big := `{"libraries":[` + strings.Repeat(" ", 10<<20) + `]}`
		for _, value := range []string{big, write(t, filepath.Join(t.TempDir(), "big"), big), strings.Repeat("/a:m,", 2<<20)} {
			_, _, err := manifest.Parse(value, manifest.Options{})
			assert.ErrorContains(t, err, "the manifest is larger than the limit of 1048576 bytes")
		}
	})
	t.Run("the limit can be set", func(t *testing.T) {
		_, _, err := manifest.Parse(`{"libraries":[]}`, manifest.Options{MaxBytes: 15})
		require.ErrorContains(t, err, "limit of 15 bytes")
		_, _, err = manifest.Parse(`{"libraries":[]}`, manifest.Options{MaxBytes: 16})
		require.NoError(t, err)
	})
	huge := manifest.Options{MaxBytes: 64 << 20}
	for name, c := range map[string]struct {
		value, want string
	}{
		"libraries":               {`{"libraries":[` + strings.Repeat(`{"file":"a"},`, manifest.MaxLibraries) + `{"file":"a"}]}`, "more than 10000 libraries in one manifest"},
		"modules":                 {`{"libraries":{"file":"a","modules":[` + strings.Repeat(`{"name":"a"},`, manifest.MaxModules) + `{"name":"a"}]}}`, "more than 20000 modules in one manifest"},
		"parameters":              {`{"libraries":{"file":"a","modules":{"name":"m","parameters":[` + strings.Repeat(`{},`, manifest.MaxParameters) + `{}]}}}`, "more than 50000 parameters in one manifest"},
		"modules, in short":       {strings.Repeat("/a:m,", manifest.MaxModules) + "/a:m", "more than 20000 modules in one manifest"},
		"depth below unknown key": {`{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}`, "values nested more than 64 deep"},
	} {
		t.Run(name+" are bounded", func(t *testing.T) {
			_, _, err := manifest.Parse(c.value, huge)
			assert.ErrorContains(t, err, c.want)
		})
	}
	t.Run("so is the number of problems listed", func(t *testing.T) {
		for _, value := range []string{`{"libraries":[` + strings.Repeat("1,", 999) + "1]}", strings.Repeat(",", 999)} {
			_, _, err := manifest.Parse(value, manifest.Options{})
			var several *multierror.Error
			require.ErrorAs(t, err, &several)
			require.Len(t, several.Errors, 51)
			assert.EqualError(t, several.Errors[50], "--modules: more problems follow; they are not listed")
		}
	})
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "m"), `{"libraries":{"name":"x","modules":{"name":"m"}}}`)
	t.Run("both flags together are an error", func(t *testing.T) {
		_, _, err := manifest.Load("{}", dir, manifest.Options{})
		assert.EqualError(t, err, "--modules and --modules_dir exclude each other; "+
			"put the manifest of --modules as a file into the folder, or name all libraries in it")
	})
	t.Run("neither loads nothing", func(t *testing.T) {
		m, _, err := manifest.Load("", "", manifest.Options{})
		require.NoError(t, err)
		assert.Empty(t, m.Libraries)
	})
	t.Run("either is read", func(t *testing.T) {
		m, _, err := manifest.Load("", dir, manifest.Options{})
		require.NoError(t, err)
		assert.Len(t, m.Libraries, 1)
		m, _, err = manifest.Load("/a:m,/b:n", "", manifest.Options{})
		require.NoError(t, err)
		assert.Len(t, m.Libraries, 2)
	})
}

func TestProblemsAreTyped(t *testing.T) {
	_, _, err := manifest.Parse("{\n \"x\": 1}", manifest.Options{})
	var p *manifest.Problem
	require.ErrorAs(t, err, &p)
	assert.Equal(t, manifest.Position{Source: "--modules", Line: 2, Column: 2}, p.At)

	_, _, err = manifest.Parse("/no/such/manifest", manifest.Options{})
	assert.True(t, errors.Is(err, os.ErrNotExist))
}
