package manifest_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/hashicorp/go-multierror"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/mesos-modules/mms/manager/manifest"
)

const one = `{"libraries":[{"file":"%s","modules":[{"name":"m"}]}]}`

func TestReadDir(t *testing.T) {
	t.Run("reads every file, sorted by name, whatever its ending", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"b.json", "a", "10-c.txt", "README"} {
			write(t, filepath.Join(dir, name), fmt.Sprintf(one, name))
		}
		m, notices, err := manifest.ReadDir(dir, manifest.Options{})
		require.NoError(t, err)
		assert.Empty(t, notices)
		var files []string
		for _, l := range m.Libraries {
			files = append(files, l.File)
			assert.Equal(t, filepath.Join(dir, l.File)+":1:15", l.At.String())
		}
		assert.Equal(t, []string{"10-c.txt", "README", "a", "b.json"}, files)
	})

	t.Run("accepts identical duplicates across files, as ModulesDirTest", func(t *testing.T) {
		dir := t.TempDir()
		for _, name := range []string{"default_module.json", "dup_default_module.json"} {
			write(t, filepath.Join(dir, name), fmt.Sprintf(one, "/a"))
		}
		m, _, err := manifest.ReadDir(dir, manifest.Options{})
		require.NoError(t, err)
		assert.Len(t, m.Libraries, 2)
	})

	t.Run("passes over what editors and packagers leave, with a notice each", func(t *testing.T) {
		dir := t.TempDir()
		left := []string{"#m.json#", ".#m.json", ".hidden", ".m.json.swp", "m.json.bak", "m.json.dpkg-old", "m.json.orig",
			"m.json.rej", "m.json.rpmsave", "m.json.swp", "m.json.ucf-dist", "m.json~"}
		for _, name := range left {
			write(t, filepath.Join(dir, name), "not a manifest")
		}
		require.NoError(t, os.Mkdir(filepath.Join(dir, "..data"), 0o700))
		write(t, filepath.Join(dir, "m.json"), fmt.Sprintf(one, "/a"))
		m, notices, err := manifest.ReadDir(dir, manifest.Options{})
		require.NoError(t, err)
		assert.Len(t, m.Libraries, 1)
		var texts []string
		for _, n := range notices {
			texts = append(texts, strings.TrimPrefix(n.String(), dir+"/"))
		}
		assert.Equal(t, []string{
			"#m.json#: passed over: an editor's autosave",
			".#m.json: passed over: an editor's lock",
			"..data: passed over: its name begins with a dot",
			".hidden: passed over: its name begins with a dot",
			".m.json.swp: passed over: an editor's swap file",
			"m.json.bak: passed over: a backup",
			"m.json.dpkg-old: passed over: left by dpkg",
			"m.json.orig: passed over: left by a merge",
			"m.json.rej: passed over: left by a patch",
			"m.json.rpmsave: passed over: left by rpm",
			"m.json.swp: passed over: an editor's swap file",
			"m.json.ucf-dist: passed over: left by ucf",
			"m.json~: passed over: an editor's backup",
		}, texts)
	})

	t.Run("follows symbolic links to files", func(t *testing.T) {
		dir, elsewhere := t.TempDir(), t.TempDir()
		target := write(t, filepath.Join(elsewhere, "real"), fmt.Sprintf(one, "/a"))
		require.NoError(t, os.Symlink(target, filepath.Join(dir, "link")))
		m, _, err := manifest.ReadDir(dir, manifest.Options{})
		require.NoError(t, err)
		assert.Equal(t, filepath.Join(dir, "link"), m.Libraries[0].At.Source)
	})

	t.Run("reports the problems of all files, each with its name", func(t *testing.T) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, "1-good"), fmt.Sprintf(one, "/a"))
		write(t, filepath.Join(dir, "2-bad"), `{"libs": []}`)
		require.NoError(t, os.Mkdir(filepath.Join(dir, "3-folder.bak"), 0o700))
		require.NoError(t, os.Symlink("nowhere", filepath.Join(dir, "4-dangling")))
		require.NoError(t, os.Symlink(dir, filepath.Join(dir, "5-to-folder")))
		require.NoError(t, syscall.Mkfifo(filepath.Join(dir, "6-pipe"), 0o600))
		write(t, filepath.Join(dir, "7-empty"), "")
		m, _, err := manifest.ReadDir(dir, manifest.Options{})
		assert.Empty(t, m.Libraries)
		require.Error(t, err)
		assert.Equal(t, strings.ReplaceAll(`6 problems:
  * DIR/2-bad:1:2: unknown key "libs"; known here: libraries
  * DIR/3-folder.bak: a folder among the manifests; move it away: folders in it are not read
  * DIR/4-dangling: manifest file: no such file or directory
  * DIR/5-to-folder: manifest file: a folder; --modules_dir takes folders
  * DIR/6-pipe: manifest file: not a regular file; write the path of one
  * DIR/7-empty:1:1: the manifest is empty; write {} to load nothing`, "DIR", dir), err.Error())
	})

	t.Run("bounds the problems of many files", func(t *testing.T) {
		dir := t.TempDir()
		for i := range 60 {
			write(t, filepath.Join(dir, fmt.Sprintf("%02d", i)), "{")
		}
		_, _, err := manifest.ReadDir(dir, manifest.Options{})
		var several *multierror.Error
		require.ErrorAs(t, err, &several)
		require.Len(t, several.Errors, 51)
		assert.EqualError(t, several.Errors[50], dir+": more problems follow; they are not listed")
	})

	t.Run("bounds the number of files", func(t *testing.T) {
		dir := t.TempDir()
		first := write(t, filepath.Join(dir, "first"), "{}")
		for i := range manifest.MaxFiles {
			require.NoError(t, os.Link(first, filepath.Join(dir, strconv.Itoa(i))))
		}
		_, _, err := manifest.ReadDir(dir, manifest.Options{})
		assert.EqualError(t, err, dir+": more than 10000 entries; this is hardly a folder of manifests")
	})

	t.Run("says that a folder is missing, is none, or holds nothing", func(t *testing.T) {
		dir := t.TempDir()
		_, _, err := manifest.ReadDir(dir+"/none", manifest.Options{})
		assert.EqualError(t, err, dir+"/none: folder of manifests: no such file or directory")
		file := write(t, filepath.Join(t.TempDir(), "file"), "{}")
		_, _, err = manifest.ReadDir(file, manifest.Options{})
		assert.EqualError(t, err, file+": folder of manifests: not a directory")
		m, notices, err := manifest.ReadDir(dir, manifest.Options{})
		require.NoError(t, err)
		assert.Empty(t, m.Libraries)
		assert.Equal(t, []manifest.Notice{{At: manifest.Position{Source: dir}, Text: "there is no manifest in this folder"}}, notices)
	})
}

func TestReadFileDoesNotWaitForAPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	require.NoError(t, syscall.Mkfifo(pipe, 0o600))
	done := make(chan error, 1)
	go func() {
		_, _, err := manifest.ReadFile(pipe, manifest.Options{})
		done <- err
	}()
	select {
	case err := <-done:
		assert.EqualError(t, err, pipe+": manifest file: not a regular file; write the path of one")
	case <-time.After(10 * time.Second):
		t.Fatal("reading a pipe nobody writes to hangs")
	}
}
