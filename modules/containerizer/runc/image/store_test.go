package image

import (
	"archive/tar"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/opencontainers/go-digest"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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
