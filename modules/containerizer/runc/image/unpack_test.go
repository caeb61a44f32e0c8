package image

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/testimage"
)

func TestLayersLieOverEachOther(t *testing.T) {
	s := newShop(t, roomy)
	compressed := testimage.Archive(t, file("z", "of zstd"))
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out)
	require.NoError(t, err)
	_, err = z.Write(compressed)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	s.with(t,
		layer(t, file("kept", "1"), file("changed", "1"), file("gone", "1"), file("folder/gone", "1"), file("opaque/below", "1"), file("becomes/folder", "1"), file("was-folder/x", "1")),
		testimage.Gzip(t, testimage.Archive(t, file("changed", "2"), entry(tar.TypeReg, ".wh.gone", ""), entry(tar.TypeReg, "folder/.wh.gone", ""),
			file("opaque/own/deep", "2"), entry(tar.TypeReg, "opaque/.wh..wh..opq", ""), file("was-folder", "2"),
			entry(tar.TypeSymlink, "link", "changed"), entry(tar.TypeLink, "hard", "changed"), entry(tar.TypeFifo, "fifo", ""))),
		testimage.Layer{MediaType: "application/vnd.oci.image.layer.v1.tar+zstd", Blob: out.Bytes(), DiffID: testimage.Digest(compressed)},
	)
	image := s.acquire(t)
	for name, text := range map[string]string{"kept": "1", "changed": "2", "opaque/own/deep": "2", "was-folder": "2", "link": "2", "hard": "2", "z": "of zstd"} {
		assert.Equal(t, text, read(t, image.Root, name), name)
	}
	for _, name := range []string{"gone", "folder/gone", "opaque/below", ".wh.gone"} {
		assert.NoFileExists(t, filepath.Join(image.Root, name))
	}
	assert.DirExists(t, filepath.Join(image.Root, "folder"))
	info, err := os.Lstat(filepath.Join(image.Root, "fifo"))
	require.NoError(t, err)
	assert.NotZero(t, info.Mode()&os.ModeNamedPipe)
}

func TestAttributes(t *testing.T) {
	s := newShop(t, roomy)
	when := time.Unix(1_000_000_000, 0)
	capability := "\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
	s.with(t, layer(t,
		testimage.File{Header: tar.Header{Name: "./", Typeflag: tar.TypeDir, Mode: 0o711}},
		testimage.File{Header: tar.Header{Name: "folder/", Typeflag: tar.TypeDir, Mode: 0o1770, ModTime: when, Uid: 12, Gid: 34}},
		testimage.File{Header: tar.Header{Name: "folder/setuid", Mode: 0o4755, ModTime: when, Uid: 12, Gid: 34}},
		testimage.File{Header: tar.Header{Name: "attributes", Mode: 0o755, PAXRecords: map[string]string{
			"SCHILY.xattr.security.capability": capability, "SCHILY.xattr.trusted.overlay.opaque": "y"}}},
	))
	image := s.acquire(t)
	info, err := os.Stat(image.Root)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o711), info.Mode().Perm())
	for name, mode := range map[string]os.FileMode{"folder": os.ModeDir | os.ModeSticky | 0o770, "folder/setuid": os.ModeSetuid | 0o755} {
		info, err := os.Stat(filepath.Join(image.Root, name))
		require.NoError(t, err)
		assert.Equal(t, mode, info.Mode(), name)
		assert.True(t, info.ModTime().Equal(when), name)
		var stat unix.Stat_t
		require.NoError(t, unix.Stat(filepath.Join(image.Root, name), &stat))
		assert.Equal(t, []uint32{12, 34}, []uint32{stat.Uid, stat.Gid}, name)
	}
	value := make([]byte, 64)
	n, err := unix.Lgetxattr(filepath.Join(image.Root, "attributes"), "security.capability", value)
	require.NoError(t, err)
	assert.Equal(t, capability, string(value[:n]))
	_, err = unix.Lgetxattr(filepath.Join(image.Root, "attributes"), "trusted.overlay.opaque", value)
	assert.ErrorIs(t, err, unix.ENODATA, "it would mean something to the overlay")
}

// What a layer may try to reach outside of its image, and how it ends.
func TestHostileLayers(t *testing.T) {
	outside := filepath.Join(t.TempDir(), "outside")
	require.NoError(t, os.Mkdir(outside, 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644))
	up := strings.Repeat("../", 20)
	for name, one := range map[string]struct {
		files []testimage.File
		err   string // empty: it is unpacked, within the image
	}{
		"a name with dots":                       {[]testimage.File{file("../file", "x")}, "climbs out"},
		"a name with dots within":                {[]testimage.File{file("a/../../file", "x")}, "climbs out"},
		"an absolute name":                       {[]testimage.File{file(filepath.Join(outside, "file"), "x")}, ""},
		"a file behind an absolute link":         {[]testimage.File{entry(tar.TypeSymlink, "link", outside), file("link/file", "x")}, ""},
		"a file behind a link with dots":         {[]testimage.File{entry(tar.TypeSymlink, "link", up+outside), file("link/file", "x")}, ""},
		"a file behind two links":                {[]testimage.File{entry(tar.TypeSymlink, "a", up), entry(tar.TypeSymlink, "b", "a"+outside), file("b/file", "x")}, ""},
		"a file in place of a link":              {[]testimage.File{entry(tar.TypeSymlink, "link", filepath.Join(outside, "secret")), file("link", "x")}, ""},
		"a folder in place of a link":            {[]testimage.File{entry(tar.TypeSymlink, "link", outside), entry(tar.TypeDir, "link/", ""), file("link/file", "x")}, ""},
		"a hard link out":                        {[]testimage.File{entry(tar.TypeLink, "hard", filepath.Join(outside, "secret"))}, "no such file"},
		"a hard link with dots":                  {[]testimage.File{entry(tar.TypeLink, "hard", up+outside+"/secret")}, "climbs out"},
		"a hard link through a link":             {[]testimage.File{entry(tar.TypeSymlink, "link", outside), entry(tar.TypeLink, "hard", "link/secret")}, "no such file"},
		"a whiteout through a link":              {[]testimage.File{entry(tar.TypeSymlink, "link", outside), entry(tar.TypeReg, "link/.wh.secret", "")}, ""},
		"a whiteout of the folder above":         {[]testimage.File{entry(tar.TypeReg, "a/.wh...", "")}, "whiteout of nothing"},
		"a whiteout of nothing":                  {[]testimage.File{entry(tar.TypeReg, ".wh.", "")}, "whiteout of nothing"},
		"an opaque folder that is a link":        {[]testimage.File{entry(tar.TypeSymlink, "link", outside), entry(tar.TypeReg, "link/.wh..wh..opq", "")}, ""},
		"a file where a folder is to be":         {[]testimage.File{file("a", "x"), file("a/b", "x")}, "file exists"},
		"a link that leads to itself":            {[]testimage.File{entry(tar.TypeSymlink, "loop", "loop"), file("loop/file", "x")}, "too many"},
		"the root as a file":                     {[]testimage.File{file(".", "")}, "the root is a folder"},
		"devices are left out":                   {[]testimage.File{{Header: tar.Header{Name: "disk", Typeflag: tar.TypeBlock, Devmajor: 8}}, {Header: tar.Header{Name: "mem", Typeflag: tar.TypeChar, Devmajor: 1, Devminor: 1}}}, ""},
		"more files than there may be":           {make([]testimage.File, roomy.Entries+1), "more than 100 files"},
		"more bytes than there may be":           {[]testimage.File{file("large", strings.Repeat("x", int(roomy.Bytes)+1))}, "more than 1048576 bytes"},
		"more bytes in several files than there": {[]testimage.File{file("1", strings.Repeat("x", int(roomy.Bytes))), file("2", "x")}, "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			for i := range one.files {
				if one.files[i].Name == "" {
					one.files[i].Name = "file"
				}
			}
			s := newShop(t, roomy)
			s.with(t, layer(t, one.files...))
			image, err := s.Acquire(t.Context(), "a:1")
			entries, readErr := os.ReadDir(outside)
			require.NoError(t, readErr)
			require.Len(t, entries, 1, "nothing comes outside of the image")
			assert.Equal(t, "secret", read(t, outside, "secret"))
			if one.err != "" {
				require.ErrorContains(t, err, one.err)
				assert.Empty(t, below(t, s.folder), "nothing of it is left")
				return
			}
			require.NoError(t, err)
			assert.NoFileExists(t, filepath.Join(image.Root, "disk"))
			assert.NoFileExists(t, filepath.Join(image.Root, "mem"))
		})
	}
}

func below(t *testing.T, folder string) (names []string) {
	entries, err := os.ReadDir(folder)
	require.NoError(t, err)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestBrokenLayers(t *testing.T) {
	archive := testimage.Archive(t, file("file", "text"))
	whole := testimage.Gzip(t, archive)
	bomb := testimage.Gzip(t, testimage.Archive(t, file("zeros", strings.Repeat("\x00", 4<<20))))
	behind := testimage.Gzip(t, append(bytes.Clone(archive), make([]byte, 4<<20)...))
	for name, one := range map[string]struct {
		layer testimage.Layer
		err   string
	}{
		"cut":                                     {testimage.Layer{MediaType: whole.MediaType, Blob: whole.Blob[:len(whole.Blob)-12], DiffID: whole.DiffID}, "unexpected EOF"},
		"no archive":                              {testimage.Plain([]byte(strings.Repeat("x", 1024))), "read the archive"},
		"not compressed":                          {testimage.Layer{MediaType: whole.MediaType, Blob: archive, DiffID: whole.DiffID}, "gzip"},
		"other contents":                          {testimage.Layer{MediaType: whole.MediaType, Blob: whole.Blob, DiffID: testimage.Digest([]byte("other"))}, "do not have the diff id"},
		"of an unknown kind":                      {testimage.Layer{MediaType: "application/x-squashfs", Blob: archive, DiffID: whole.DiffID}, `"application/x-squashfs"; layers are tar`},
		"with a diff id that is none":             {testimage.Layer{MediaType: whole.MediaType, Blob: whole.Blob, DiffID: "../../etc/passwd"}, "its diff id"},
		"small, and large once it is unpacked":    {bomb, "more than 1048576 bytes"},
		"with more behind its end than it may be": {behind, errTooLarge.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, roomy)
			s.with(t, one.layer)
			_, err := s.Acquire(t.Context(), "a:1")
			require.ErrorContains(t, err, one.err)
			assert.Empty(t, below(t, s.folder), "nothing of it is left")
		})
	}
}
