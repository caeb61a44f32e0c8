package testimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// Image is an image in an OCI layout folder.
type Image struct {
	Tag    string
	Config map[string]any // Env, Entrypoint, Cmd, WorkingDir, …
	Layers []Layer
}

// Layer is a layer as it lies there. What is wrong with it is the test's.
type Layer struct {
	MediaType string
	Blob      []byte
	DiffID    string
}

// Plain is a layer that is not compressed.
func Plain(archive []byte) Layer {
	return Layer{"application/vnd.oci.image.layer.v1.tar", archive, Digest(archive)}
}

// Gzip is a layer as most are.
func Gzip(t testing.TB, archive []byte) Layer {
	t.Helper()
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	_, err := z.Write(archive)
	require.NoError(t, err)
	require.NoError(t, z.Close())
	return Layer{"application/vnd.oci.image.layer.v1.tar+gzip", out.Bytes(), Digest(archive)}
}

// Digest is what a blob is called.
func Digest(blob []byte) string {
	sum := sha256.Sum256(blob)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// Layout writes a layout folder with the images.
func Layout(t testing.TB, folder string, images ...Image) {
	t.Helper()
	blobs := filepath.Join(folder, "blobs/sha256")
	require.NoError(t, os.MkdirAll(blobs, 0o755))
	put := func(mediaType string, blob []byte) map[string]any {
		digest := Digest(blob)
		require.NoError(t, os.WriteFile(filepath.Join(blobs, digest[len("sha256:"):]), blob, 0o644))
		return map[string]any{"mediaType": mediaType, "digest": digest, "size": len(blob)}
	}
	document := func(value any) []byte {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		return text
	}
	manifests := []any{}
	for _, i := range images {
		diffs, layers := []string{}, []any{}
		for _, l := range i.Layers {
			diffs, layers = append(diffs, l.DiffID), append(layers, put(l.MediaType, l.Blob))
		}
		config := put("application/vnd.oci.image.config.v1+json", document(map[string]any{
			"architecture": "any", "os": "linux", "config": i.Config, "rootfs": map[string]any{"type": "layers", "diff_ids": diffs}}))
		const mediaType = "application/vnd.oci.image.manifest.v1+json"
		manifest := put(mediaType, document(map[string]any{"schemaVersion": 2, "mediaType": mediaType, "config": config, "layers": layers}))
		manifest["annotations"] = map[string]string{"org.opencontainers.image.ref.name": i.Tag}
		manifests = append(manifests, manifest)
	}
	require.NoError(t, os.WriteFile(filepath.Join(folder, "oci-layout"), []byte(`{"imageLayoutVersion":"1.0.0"}`), 0o644))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "index.json"), document(map[string]any{"schemaVersion": 2, "manifests": manifests}), 0o644))
}

// File is one entry of an archive. Size and mode need not be set.
type File struct {
	tar.Header
	Text string
}

// Archive is a tar of the files, in their order.
func Archive(t testing.TB, files ...File) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		h := f.Header
		if h.Typeflag == 0 {
			h.Typeflag = tar.TypeReg
		}
		if h.Mode == 0 {
			h.Mode = 0o755
		}
		if h.Typeflag == tar.TypeReg {
			h.Size = int64(len(f.Text))
		}
		require.NoError(t, w.WriteHeader(&h))
		_, err := w.Write([]byte(f.Text))
		require.NoError(t, err)
	}
	require.NoError(t, w.Close())
	return out.Bytes()
}

// Folder is a tar of a folder of files and folders.
func Folder(t testing.TB, folder string) []byte {
	t.Helper()
	var all []File
	require.NoError(t, fs.WalkDir(os.DirFS(folder), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == "." {
			return err
		}
		if d.IsDir() {
			all = append(all, File{Header: tar.Header{Name: path + "/", Typeflag: tar.TypeDir}})
			return nil
		}
		text, err := os.ReadFile(filepath.Join(folder, path))
		all = append(all, File{Header: tar.Header{Name: path}, Text: string(text)})
		return err
	}))
	return Archive(t, all...)
}
