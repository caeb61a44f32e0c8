package manifest_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

// TestProblemTexts holds every error text to testdata/problems.txtar: pairs of a file "NAME" with the value of --modules
// and a file "NAME: says" with the whole error. MANIFEST_UPDATE=1 rewrites the texts.
func TestProblemTexts(t *testing.T) {
	const golden = "testdata/problems.txtar"
	archive, err := txtar.ParseFile(golden)
	require.NoError(t, err)
	require.NotEmpty(t, archive.Files)
	require.Zero(t, len(archive.Files)%2, "an odd number of files")
	for i := 0; i < len(archive.Files); i += 2 {
		input, want := archive.Files[i], &archive.Files[i+1]
		t.Run(input.Name, func(t *testing.T) {
			require.Equal(t, input.Name+": says", want.Name)
			_, _, err := manifest.Parse(string(input.Data[:len(input.Data)-1]), manifest.Options{})
			require.Error(t, err)
			if os.Getenv("MANIFEST_UPDATE") == "1" {
				want.Data = []byte(err.Error() + "\n")
				return
			}
			assert.Equal(t, string(want.Data), err.Error()+"\n")
		})
	}
	if os.Getenv("MANIFEST_UPDATE") == "1" {
		require.NoError(t, os.WriteFile(golden, txtar.Format(archive), 0o600))
	}
}

func TestProblemsOfBytes(t *testing.T) {
	for _, c := range []struct{ name, value, want string }{
		{"invalid UTF-8", "{\n \"\x80\": 1}", "--modules:2:3: the byte 0x80 is not valid UTF-8"},
		{"invalid UTF-8 in the short form", "/a\xff:m", "--modules:1:3: the byte 0xff is not valid UTF-8"},
		{"UTF-16", "\xff\xfe{\x00", "--modules: the text is UTF-16; save it as UTF-8"},
		{"a NUL character in the short form", "/a\x00:m", `--modules:1:1: entry 1, "/a\x00:m": holds a NUL character`},
		{"nothing", "", "--modules: the manifest is empty; write {} to load nothing"},
		{"white space", " \n", "--modules: the manifest is empty; write {} to load nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := manifest.Parse(c.value, manifest.Options{})
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestProblemsOfFiles(t *testing.T) {
	dir := t.TempDir()
	elf := write(t, filepath.Join(dir, "lib.so"), "\x7fELF\x02\x01")
	empty := write(t, filepath.Join(dir, "empty"), "\n")
	bad := write(t, filepath.Join(dir, "bad"), "{\n \"libs\": []}")
	short := write(t, filepath.Join(dir, "short"), "/a/lib.so:m")
	for _, c := range []struct{ name, value, want string }{
		{"missing", dir + "/none", dir + "/none: manifest file: no such file or directory"},
		{"a folder", dir, dir + ": manifest file: a folder; --modules_dir takes folders"},
		{"a device", "/dev/null", "/dev/null: manifest file: not a regular file; write the path of one"},
		{"empty", empty, empty + ":1:1: the manifest is empty; write {} to load nothing"},
		{"with a problem", "file://" + bad, bad + `:2:2: unknown key "libs"; known here: libraries`},
		{"the library itself, its module forgotten", elf, elf + ": this is a library, not a manifest; to load a module from it write " + elf + ":MODULE"},
		{"the short form in a file", short, short + ":1:1: not a JSON value; strings stand in double quotes, and true, false and null are written in lower case"},
		{"relative", "file://a/b", "--modules: file:// needs an absolute path; write three slashes: file:///a/b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := manifest.Parse(c.value, manifest.Options{})
			assert.EqualError(t, err, c.want)
		})
	}
}

func TestPartsOfProblems(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct{ name, value, problem, mend string }{
		{"a likely key", `{"librarys": []}`, `--modules:1:2: unknown key "librarys"`, `did you mean "libraries"?`},
		{"a semicolon in quotes parts nothing", `{"a; \"b": []}`, `--modules:1:2: unknown key "a; \"b"`, "known here: libraries"},
		{"no way out but the place", `{"libraries": 1}`, "--modules:1:15: libraries: a number, want an array of objects, or one object", "correct line 1, column 15 of --modules"},
		{"a path to nothing", dir + "/none", dir + "/none: manifest file: no such file or directory", "correct the path"},
		{"a folder", dir, dir + ": manifest file: a folder", "--modules_dir takes folders"},
		{"two slashes", "file://a/b", "--modules: file:// needs an absolute path", "write three slashes: file:///a/b"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, _, err := manifest.Parse(c.value, manifest.Options{})
			var p *manifest.Problem
			require.ErrorAs(t, err, &p)
			problem, mend := p.Parts()
			assert.Equal(t, c.problem, problem)
			assert.Equal(t, c.mend, mend)
		})
	}
	t.Run("a file in place of a folder of manifests", func(t *testing.T) {
		_, _, err := manifest.ReadDir(write(t, filepath.Join(dir, "file"), "{}"), manifest.Options{})
		var p *manifest.Problem
		require.ErrorAs(t, err, &p)
		_, mend := p.Parts()
		assert.Equal(t, "name a folder; one file is given as --modules=file:///path", mend)
	})
	t.Run("a folder among manifests", func(t *testing.T) {
		require.NoError(t, os.Mkdir(filepath.Join(dir, "sub"), 0o700))
		_, _, err := manifest.ReadDir(dir, manifest.Options{})
		var p *manifest.Problem
		require.ErrorAs(t, err, &p)
		problem, mend := p.Parts()
		assert.Equal(t, dir+"/sub: a folder among the manifests", problem)
		assert.Equal(t, "move it away: folders in it are not read", mend)
	})
}

func TestProblemsNeverShowSecrets(t *testing.T) {
	for _, value := range []string{
		`{"libraries":{"file":"a","modules":{"name":"m","parameters":{"value":24680,"key":"password"}}}}`,
		`{"libraries":{"file":"a","modules":{"name":"m","parameters":{"key":"api_token","value":24680}}}}`,
		`{"libraries":{"file":"a","modules":{"name":"m","parameters":{"key":"password","value":hunter24680}}}}`,
		`{"libraries":{"file":"a","modules":{"name":"m","parameters":{"key":"password","value":"24680` + "\t" + `x"}}}}`,
	} {
		_, _, err := manifest.Parse(value, manifest.Options{})
		require.Error(t, err)
		assert.NotContains(t, err.Error(), "24680")
	}
}
