package fetcher

import (
	"archive/tar"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// FuzzUnpack unpacks anything as an archive of some kind: whatever it is, nothing outside of the sandbox changes, and no
// link in it leads out.
func FuzzUnpack(f *testing.F) {
	t := &testing.T{}
	packed := tarOf(t, tar.Header{Name: "d", Typeflag: tar.TypeDir}, file("d/a", "x"), link("d/l", "../b"), link("e", "d"), hard("h", "d/a"), file("../up", ""))
	f.Add(uint8(0), packed)
	f.Add(uint8(1), gzipped(t, packed))
	f.Add(uint8(2), []byte("BZh9"))
	f.Add(uint8(3), xzipped(t, packed))
	f.Add(uint8(4), gzipped(t, []byte("x")))
	f.Add(uint8(5), zipOf(t, zipEntry{"d/a", "x", 0o600}, zipEntry{"l", "d", fs.ModeSymlink | 0o777}))
	endings := []string{".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".gz", ".zip"}
	fetcher, err := New(Config{MaxBytes: 1 << 20, MaxEntries: 20})
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, kind uint8, data []byte) {
		around := t.TempDir()
		name, folder := filepath.Join(around, "archive"), filepath.Join(around, "sandbox")
		require.NoError(t, os.WriteFile(name, data, 0o600))
		require.NoError(t, os.Mkdir(folder, 0o755))
		root, err := os.OpenRoot(folder)
		require.NoError(t, err)
		defer root.Close()
		archive, err := os.Open(name)
		require.NoError(t, err)
		defer archive.Close()
		i := &item{name: "archive" + endings[int(kind)%len(endings)], extract: true}
		_ = fetcher.unpack(t.Context(), root, i, archive) // it need not be one
		inside(t, folder)
		left, err := os.ReadDir(around)
		require.NoError(t, err)
		assert.Len(t, left, 2)
	})
}

// inside fails if a link below a folder leads out of it.
func inside(t *testing.T, folder string) {
	require.NoError(t, filepath.WalkDir(folder, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Type() != fs.ModeSymlink {
			return err
		}
		target, err := os.Readlink(name)
		require.NoError(t, err)
		// as the kernel goes: through links above it, too
		parent, err := filepath.EvalSymlinks(filepath.Dir(name))
		require.NoError(t, err)
		end := filepath.Join(parent, target)
		if found, err := filepath.EvalSymlinks(parent + "/" + target); err == nil {
			end = found
		}
		assert.True(t, end == folder || strings.HasPrefix(end, folder+"/"), "%s -> %s", name, target)
		return nil
	}))
}
