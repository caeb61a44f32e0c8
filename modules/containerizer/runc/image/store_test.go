package image

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/mesos-modules/mms/internal/privileged"
	"github.com/mesos-modules/mms/internal/testimage"
)

var roomy = Limits{Bytes: 1 << 20, Entries: 100}

// shop is a store with its folder of layouts.
type shop struct {
	*Store
	images string
}

func newShop(t *testing.T, limits Limits) shop {
	privileged.Root(t, "only root gives files to others")
	s := shop{images: t.TempDir()}
	var err error
	s.Store, err = NewStore(s.images, filepath.Join(t.TempDir(), "store"), limits)
	require.NoError(t, err)
	return s
}

// with lays down an image of these layers under the name a:1.
func (s shop) with(t *testing.T, layers ...testimage.Layer) {
	testimage.Layout(t, filepath.Join(s.images, "a"), testimage.Image{Tag: "1", Layers: layers})
}

func (s shop) acquire(t *testing.T) Image {
	t.Helper()
	image, err := s.Acquire(t.Context(), "a:1")
	require.NoError(t, err)
	return image
}

func file(name, text string) testimage.File {
	return testimage.File{Header: tar.Header{Name: name}, Text: text}
}

func entry(kind byte, name, to string) testimage.File {
	return testimage.File{Header: tar.Header{Typeflag: kind, Name: name, Linkname: to}}
}

func layer(t *testing.T, files ...testimage.File) testimage.Layer {
	return testimage.Plain(testimage.Archive(t, files...))
}

func read(t *testing.T, folder, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, name))
	require.NoError(t, err)
	return string(text)
}

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

func TestBrokenLayouts(t *testing.T) {
	for name, one := range map[string]struct {
		spoil func(t *testing.T, layout string)
		err   string
	}{
		"no index":      {func(t *testing.T, l string) { require.NoError(t, os.Remove(filepath.Join(l, "index.json"))) }, "index.json"},
		"no JSON":       {func(t *testing.T, l string) { write(t, l, "index.json", "{") }, "index.json"},
		"a large index": {func(t *testing.T, l string) { write(t, l, "index.json", strings.Repeat(" ", maxDocument+1)) }, "longer than"},
		"an endless index": {func(t *testing.T, l string) {
			change(t, l, func(m map[string]any) { m["mediaType"] = "application/vnd.oci.image.index.v1+json" })
		}, "not made for"},
		"another kind": {func(t *testing.T, l string) { change(t, l, func(m map[string]any) { m["mediaType"] = "text/plain" }) }, "no manifest of an image"},
		"a digest that leads out": {func(t *testing.T, l string) {
			change(t, l, func(m map[string]any) { m["digest"] = "sha256:../../../etc/passwd" })
		}, "digest"},
		"another size":    {func(t *testing.T, l string) { change(t, l, func(m map[string]any) { m["size"] = 1 }) }, "and should have 1"},
		"a negative size": {func(t *testing.T, l string) { change(t, l, func(m map[string]any) { m["size"] = -1 }) }, "its size is -1"},
		"a huge manifest": {func(t *testing.T, l string) { change(t, l, func(m map[string]any) { m["size"] = 1 << 40 }) }, "are the most"},
		"a manifest that was changed": {func(t *testing.T, l string) {
			blobs, err := filepath.Glob(filepath.Join(l, "blobs/sha256/*"))
			require.NoError(t, err)
			for _, b := range blobs {
				text, err := os.ReadFile(b)
				require.NoError(t, err)
				text[len(text)-2] ^= 1
				require.NoError(t, os.WriteFile(b, text, 0o644))
			}
		}, "do not have the digest"},
		"a manifest that is gone": {func(t *testing.T, l string) { require.NoError(t, os.RemoveAll(filepath.Join(l, "blobs"))) }, "no such file"},
		"a blob that is a link out": {func(t *testing.T, l string) {
			blobs, err := filepath.Glob(filepath.Join(l, "blobs/sha256/*"))
			require.NoError(t, err)
			elsewhere := t.TempDir()
			for _, b := range blobs {
				require.NoError(t, os.Rename(b, filepath.Join(elsewhere, filepath.Base(b))))
				require.NoError(t, os.Symlink(filepath.Join(elsewhere, filepath.Base(b)), b))
			}
		}, "escapes"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, roomy)
			s.with(t, layer(t, file("file", "text")))
			one.spoil(t, filepath.Join(s.images, "a"))
			_, err := s.Acquire(t.Context(), "a:1")
			require.ErrorContains(t, err, one.err)
			assert.Empty(t, below(t, s.folder))
			assert.True(t, s.Has("a:1"), "it is there, and what is wrong Acquire says")
		})
	}
}

func write(t *testing.T, folder, name, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(text), 0o644))
}

// change changes the first manifest in an index.
func change(t *testing.T, layout string, how func(map[string]any)) {
	t.Helper()
	var index struct {
		Manifests []map[string]any `json:"manifests"`
	}
	require.NoError(t, json.Unmarshal([]byte(read(t, layout, "index.json")), &index))
	how(index.Manifests[0])
	text, err := json.Marshal(index)
	require.NoError(t, err)
	write(t, layout, "index.json", string(text))
}

func TestNames(t *testing.T) {
	s := newShop(t, roomy)
	one, two := layer(t, file("file", "1")), layer(t, file("file", "2"))
	testimage.Layout(t, filepath.Join(s.images, "library/both"), testimage.Image{Tag: "1", Layers: []testimage.Layer{one}}, testimage.Image{Tag: "latest", Layers: []testimage.Layer{two}})
	testimage.Layout(t, filepath.Join(s.images, "host:5000/single"), testimage.Image{Tag: "any", Layers: []testimage.Layer{one}})
	testimage.Layout(t, filepath.Join(s.images, "folder:2"), testimage.Image{Tag: "any", Layers: []testimage.Layer{two}})
	first, err := s.Acquire(t.Context(), "library/both:1")
	require.NoError(t, err)
	for name, text := range map[string]string{"library/both:1": "1", "library/both": "2", "library/both:latest": "2",
		"host:5000/single": "1", "folder:2": "2", "library/both@" + first.Digest.String(): "1"} {
		image, err := s.Acquire(t.Context(), name)
		require.NoError(t, err, name)
		assert.Equal(t, text, read(t, image.Root, "file"), name)
	}
	for _, name := range []string{"library/both:3", "host:5000/single:2", "folder", "nothing", "library/both@sha256:" + strings.Repeat("0", 64)} {
		_, err := s.Acquire(t.Context(), name)
		assert.ErrorIs(t, err, ErrUnknown, name)
		assert.False(t, s.Has(name), name)
	}
	for _, name := range []string{"", "/etc", "..", "../a", "a/../b", "a//b", "a:b/../..:c/d/..", "a@b", "a\x00", "a:../b"} {
		_, err := s.Acquire(t.Context(), name)
		assert.Error(t, err, name)
		assert.NotErrorIs(t, err, os.ErrNotExist, name)
	}
	require.NoError(t, os.Symlink("/etc", filepath.Join(s.images, "out")))
	_, err = s.Acquire(t.Context(), "out")
	assert.ErrorContains(t, err, "escapes")
}

func TestIndexesForSeveralMachines(t *testing.T) {
	s := newShop(t, roomy)
	s.with(t, layer(t, file("file", "ours")))
	layout := filepath.Join(s.images, "a")
	var index map[string]any
	require.NoError(t, json.Unmarshal([]byte(read(t, layout, "index.json")), &index))
	ours := index["manifests"].([]any)[0].(map[string]any)
	nest := func(platform string) {
		ours["platform"] = map[string]string{"os": "linux", "architecture": platform}
		text, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{ours}})
		require.NoError(t, err)
		name := testimage.Digest(text)
		write(t, layout, "blobs/sha256/"+strings.TrimPrefix(name, "sha256:"), string(text))
		top, err := json.Marshal(map[string]any{"schemaVersion": 2, "manifests": []any{map[string]any{"mediaType": "application/vnd.oci.image.index.v1+json",
			"digest": name, "size": len(text), "annotations": map[string]string{"org.opencontainers.image.ref.name": "1"}}}})
		require.NoError(t, err)
		write(t, layout, "index.json", string(top))
	}
	nest("amd64")
	image, err := s.Acquire(t.Context(), "a:1")
	require.NoError(t, err)
	assert.Equal(t, "ours", read(t, image.Root, "file"))
	nest("vax")
	_, err = s.Acquire(t.Context(), "a:1")
	assert.ErrorContains(t, err, "is not made for linux/amd64")
}

func TestAnImageIsUnpackedOnce(t *testing.T) {
	s := newShop(t, roomy)
	s.with(t, layer(t, file("file", "text")))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			image, err := s.Acquire(t.Context(), "a:1")
			assert.NoError(t, err)
			assert.FileExists(t, filepath.Join(image.Root, "file"))
		})
	}
	all.Wait()
	assert.Len(t, below(t, s.folder), 1)
	require.NoError(t, os.RemoveAll(filepath.Join(s.images, "a/blobs")))
	s.acquire(t) // of what is unpacked
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done, err := s.lock(t.Context(), "sha256:other")
	require.NoError(t, err)
	_, err = s.lock(ctx, "sha256:other")
	assert.ErrorIs(t, err, context.Canceled, "who waits can give up")
	done()
}

func TestUnpackingCanBeGivenUp(t *testing.T) {
	s := newShop(t, roomy)
	s.with(t, layer(t, file("file", "text")))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := s.Acquire(ctx, "a:1")
	require.ErrorIs(t, err, context.Canceled)
	assert.Empty(t, below(t, s.folder))
}

func TestPrune(t *testing.T) {
	s := newShop(t, roomy)
	for _, name := range []string{"used", "held", "excluded", "free"} {
		testimage.Layout(t, filepath.Join(s.images, name), testimage.Image{Tag: "latest", Layers: []testimage.Layer{layer(t, file("name", name))}})
	}
	digests := map[string]digest.Digest{}
	for _, name := range []string{"used", "held", "excluded", "free"} {
		image, err := s.Acquire(t.Context(), name)
		require.NoError(t, err)
		digests[name] = image.Digest
	}
	s.Release(digests["excluded"])
	s.Release(digests["free"])
	s.Hold(digests["held"])
	s.Release(digests["held"])
	require.NoError(t, s.Prune(t.Context(), []string{"excluded", "nowhere", "../.."}))
	var want []string
	for _, name := range []string{"used", "held", "excluded"} {
		want = append(want, filepath.Base(s.path(digests[name])))
	}
	assert.ElementsMatch(t, want, below(t, s.folder))
	for _, name := range []string{"used", "held"} {
		s.Release(digests[name])
	}
	require.NoError(t, s.Prune(t.Context(), nil))
	assert.Empty(t, below(t, s.folder))
	_, err := s.Acquire(t.Context(), "free")
	assert.NoError(t, err, "it is unpacked again")
}

func TestTheNextStoreDeletesWhatIsHalfUnpacked(t *testing.T) {
	s := newShop(t, roomy)
	s.with(t, layer(t, file("file", "text")))
	image := s.acquire(t)
	half := filepath.Join(s.folder, unfinished+"1234", rootFolder, "deep")
	require.NoError(t, os.MkdirAll(half, 0o755))
	next, err := NewStore(s.images, s.folder, roomy)
	require.NoError(t, err)
	assert.Equal(t, []string{filepath.Base(filepath.Dir(image.Root))}, below(t, s.folder))
	_, err = next.Acquire(t.Context(), "a:1")
	assert.NoError(t, err)
}
