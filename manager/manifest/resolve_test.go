package manifest_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

func TestResolve(t *testing.T) {
	root := t.TempDir()
	for _, path := range []string{"a/libx.so", "b/libx.so", "b/liby.so", "b/libcalc.so.1", "b/libcalk.so", "b/plain", "work/rel/liby.so", "b/with space, and: all.so"} {
		require.NoError(t, os.MkdirAll(filepath.Join(root, filepath.Dir(path)), 0o700))
		write(t, filepath.Join(root, path), "")
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "a/liby.so"), 0o700))
	work := filepath.Join(root, "work")
	both := []string{root + "/a", root + "/b/"}
	at := manifest.Position{Source: "--modules", Line: 1, Column: 9}

	for _, c := range []struct {
		name   string
		lib    manifest.Library
		search []string
		want   string
		tried  []string
	}{
		{"a name expands and is searched in order", manifest.Library{Name: "x"}, both, "a/libx.so", []string{"a/libx.so"}},
		{"the order of folders decides", manifest.Library{Name: "x"}, []string{root + "/b", root + "/a"}, "b/libx.so", []string{"b/libx.so"}},
		{"a folder of that name is passed over", manifest.Library{Name: "y"}, both, "b/liby.so", []string{"a/liby.so", "b/liby.so"}},
		{"a file without a slash is searched as it is", manifest.Library{File: "plain"}, both, "b/plain", []string{"a/plain", "b/plain"}},
		{"file wins over name", manifest.Library{File: "plain", Name: "x"}, both, "b/plain", []string{"a/plain", "b/plain"}},
		{"an absolute path is taken as it is", manifest.Library{File: root + "/b/libx.so"}, both, "b/libx.so", []string{"b/libx.so"}},
		{"a relative path counts from the working directory", manifest.Library{File: "./rel/liby.so"}, both, "work/rel/liby.so", []string{"work/rel/liby.so"}},
		{"a relative folder counts from there too", manifest.Library{Name: "y"}, []string{"", "rel", "./rel"}, "work/rel/liby.so", []string{"work/rel/liby.so"}},
		{"spaces, commas and colons are letters", manifest.Library{File: root + "/b/with space, and: all.so"}, nil, "b/with space, and: all.so", []string{"b/with space, and: all.so"}},
		{"two dots are left to the file system", manifest.Library{File: "../b/libx.so"}, nil, "work/../b/libx.so", []string{"work/../b/libx.so"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			abs, tried, err := manifest.Resolve(c.lib, work, c.search)
			require.NoError(t, err)
			assert.Equal(t, root+"/"+c.want, abs)
			for i := range tried {
				tried[i] = strings.TrimPrefix(tried[i], root+"/")
			}
			assert.Equal(t, c.tried, tried)
		})
	}

	for _, c := range []struct {
		name   string
		lib    manifest.Library
		search []string
		want   string
	}{
		{"lists every place and what is similar", manifest.Library{Name: "calc", At: at}, both,
			`--modules:1:9: library "libcalc.so" not found; tried ROOT/a/libcalc.so (no such file or directory), ` +
				`ROOT/b/libcalc.so (no such file or directory); did you mean ROOT/b/libcalc.so.1 or ROOT/b/libcalk.so?`},
		{"sees the prefix written twice", manifest.Library{Name: "libx.so", At: at}, both[1:],
			`--modules:1:9: library "liblibx.so.so" not found; tried ROOT/b/liblibx.so.so (no such file or directory); did you mean ROOT/b/libx.so?`},
		{"sees prefix and ending forgotten", manifest.Library{File: "calc"}, both[1:],
			`library "calc" not found; tried ROOT/b/calc (no such file or directory); did you mean ROOT/b/libcalc.so.1 or ROOT/b/libcalk.so?`},
		{"names a missing folder", manifest.Library{Name: "zzzzzz"}, []string{"/no/such"},
			`library "libzzzzzz.so" not found; tried /no/such/libzzzzzz.so (no such file or directory)`},
		{"says that nothing is searched", manifest.Library{Name: "x"}, []string{""},
			`library "libx.so" not found: there is no folder to search; write a path, or set --modules_path or LD_LIBRARY_PATH`},
		{"a folder is no library", manifest.Library{File: root + "/a/liby.so"}, nil,
			`library "ROOT/a/liby.so" not found; tried ROOT/a/liby.so (a folder)`},
		{"neither file nor name", manifest.Library{At: at}, both, `--modules:1:9: a library with neither "file" nor "name"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			abs, _, err := manifest.Resolve(c.lib, work, c.search)
			assert.Empty(t, abs)
			require.Error(t, err)
			assert.Equal(t, c.want, strings.ReplaceAll(err.Error(), root, "ROOT"))
		})
	}

	t.Run("a folder listed twice is looked at once", func(t *testing.T) {
		_, tried, err := manifest.Resolve(manifest.Library{Name: "none"}, work, []string{"rel", root + "/a", "./rel/", root + "/a/"})
		require.Error(t, err)
		assert.Equal(t, []string{work + "/rel/libnone.so", root + "/a/libnone.so"}, tried)
	})

	t.Run("the error is typed", func(t *testing.T) {
		_, tried, err := manifest.Resolve(manifest.Library{Name: "calc"}, work, both)
		var missing *manifest.NotFoundError
		require.ErrorAs(t, err, &missing)
		assert.Equal(t, tried, missing.Tried)
		assert.Len(t, missing.Near, 2)
	})

	t.Run("a relative working directory is the caller's mistake", func(t *testing.T) {
		_, _, err := manifest.Resolve(manifest.Library{File: "x"}, "work", nil)
		assert.EqualError(t, err, `working directory "work" is not an absolute path`)
	})
}
