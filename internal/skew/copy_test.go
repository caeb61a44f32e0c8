package skew_test

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// edit replaces a text, which stands once in a file, by another.
type edit struct{ file, old, new string }

// parts are what an author's program is built from, and what writes the generated files.
var parts = []string{"facade", "roles", "manager/finding", "manager/vehicle", "internal/gen", "go.mod", "go.sum"}

// release makes a copy of the module system with edits in a folder of its own, and has
// the generated files written anew. It returns the folder.
func release(t *testing.T, edits ...edit) string {
	t.Helper()
	repo, err := filepath.Abs("../..")
	require.NoError(t, err)
	dir := filepath.Join(t.TempDir(), "mms")
	for _, part := range parts {
		require.NoError(t, filepath.WalkDir(filepath.Join(repo, part), func(path string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.IsDir() && e.Name() == "testdata":
				return fs.SkipDir
			case e.IsDir() || strings.HasSuffix(path, "_test.go"):
				return nil
			}
			content, err := os.ReadFile(path)
			require.NoError(t, err)
			write(t, filepath.Join(dir, strings.TrimPrefix(path, repo)), string(content))
			return nil
		}))
	}
	// The copy is no release that follows from the last one: nothing is compared with it.
	require.NoError(t, os.Remove(filepath.Join(dir, "roles/fingerprints.txt")))
	proto, role := false, false
	for _, e := range edits {
		path := filepath.Join(dir, e.file)
		content, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Equal(t, 1, strings.Count(string(content), e.old), "%s: %q stands once", e.file, e.old)
		write(t, path, strings.Replace(string(content), e.old, e.new, 1))
		proto = proto || strings.HasSuffix(e.file, ".proto")
		role = role || strings.HasPrefix(e.file, "roles/")
	}
	if proto {
		command(t, dir, "go", "run", "./internal/gen/proto", "facade")
	}
	if role {
		command(t, dir, "go", "run", "./internal/gen/role")
	}
	return dir
}

func write(t *testing.T, path, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

// environment lets go commands reach nobody. Paths are trimmed, so that packages which
// are the same in several copies are compiled once.
func environment() []string {
	return append(os.Environ(), "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off", "GOFLAGS=-trimpath -buildvcs=false")
}

func command(t *testing.T, dir, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir, cmd.Env = dir, append(environment(), "PWD="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	require.NoError(t, err, "%s %s\n%s%s", name, strings.Join(args, " "), out, &stderr)
	return string(out)
}
