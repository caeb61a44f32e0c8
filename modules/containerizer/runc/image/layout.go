package image

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
)

const (
	// maxDocument is the size of the largest index, manifest or configuration, in bytes.
	maxDocument = 4 << 20

	// maxLayers is how many layers an image may have.
	maxLayers = 256

	// maxIndexes is how many indexes may lead to a manifest, one through another.
	maxIndexes = 4

	defaultTag = "latest"
)

// ErrUnknown: there is no image of that name.
var ErrUnknown = errors.New("there is no such image")

// Media types that tools write beside those of the OCI.
const (
	dockerIndex    = "application/vnd.docker.distribution.manifest.list.v2+json"
	dockerManifest = "application/vnd.docker.distribution.manifest.v2+json"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// layout is one layout folder. Nothing is opened outside of it.
type layout struct {
	root *os.Root
	path string
}

// reference is where a name leads.
type reference struct {
	layout   string // folder
	manifest v1.Descriptor
}

// parse splits name[:tag][@digest]. A colon before the last slash belongs to a host.
func parse(name string) (path, tag string, want digest.Digest, err error) {
	rest, suffix, pinned := strings.Cut(name, "@")
	if pinned {
		if want, err = digest.Parse(suffix); err != nil {
			return "", "", "", fmt.Errorf("image %q: %w", name, err)
		}
	}
	path = rest
	if i := strings.LastIndexByte(rest, ':'); i > strings.LastIndexByte(rest, '/') {
		path, tag = rest[:i], rest[i+1:]
	}
	if !filepath.IsLocal(path) || filepath.Clean(path) != path || strings.ContainsAny(name, "\x00") || strings.ContainsAny(tag, "/") {
		return "", "", "", fmt.Errorf("image %q: want NAME, NAME:TAG or NAME@DIGEST, a path below the folder of images", name)
	}
	return path, tag, want, nil
}

// resolve finds the manifest of a name in a folder of layouts. The layout of name:tag is
// the folder name, or name:tag.
func resolve(images, name string) (reference, error) {
	path, tag, want, err := parse(name)
	if err != nil {
		return reference{}, err
	}
	root, err := os.OpenRoot(images)
	if err != nil {
		return reference{}, fmt.Errorf("open the folder of images: %w", err)
	}
	defer root.Close()
	var errs []error
	for _, folder := range []string{path, path + ":" + tag} {
		if folder == path+":" {
			continue
		}
		below, err := root.OpenRoot(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		l := layout{root: below, path: filepath.Join(images, folder)}
		found, err := l.find(tag, want, folder != path)
		_ = below.Close() // nothing was written
		if err == nil {
			return reference{layout: l.path, manifest: found}, nil
		}
		errs = append(errs, err)
	}
	if len(errs) == 0 {
		return reference{}, fmt.Errorf("%w: %s has no layout folder %s", ErrUnknown, images, path)
	}
	return reference{}, fmt.Errorf("image %s: %w", name, errors.Join(errs...))
}

// find reads the index. Alone says that the folder's name is tag enough.
func (l layout) find(tag string, want digest.Digest, alone bool) (v1.Descriptor, error) {
	var index v1.Index
	if err := l.document("index.json", &index); err != nil {
		return v1.Descriptor{}, err
	}
	if tag == "" {
		alone, tag = true, defaultTag
	}
	for _, d := range index.Manifests {
		if want != "" && d.Digest == want || want == "" && d.Annotations[v1.AnnotationRefName] == tag {
			return l.manifestOf(d, maxIndexes)
		}
	}
	if want == "" && alone && len(index.Manifests) == 1 {
		return l.manifestOf(index.Manifests[0], maxIndexes)
	}
	if want != "" {
		tag = want.String()
	}
	return v1.Descriptor{}, fmt.Errorf("%w: the index of %s has no %s", ErrUnknown, l.path, tag)
}

// manifestOf goes through indexes to the manifest for this machine.
func (l layout) manifestOf(d v1.Descriptor, left int) (v1.Descriptor, error) {
	switch d.MediaType {
	case v1.MediaTypeImageManifest, dockerManifest, "":
		return d, nil
	case v1.MediaTypeImageIndex, dockerIndex:
	default:
		return v1.Descriptor{}, fmt.Errorf("%s in %s is a %q, no manifest of an image", d.Digest, l.path, d.MediaType)
	}
	if left == 0 {
		return v1.Descriptor{}, fmt.Errorf("the indexes of %s lead through more than %d others", l.path, maxIndexes)
	}
	var index v1.Index
	if err := l.blob(d, &index); err != nil {
		return v1.Descriptor{}, err
	}
	for _, m := range index.Manifests {
		if p := m.Platform; p == nil || p.OS == runtime.GOOS && p.Architecture == runtime.GOARCH {
			return l.manifestOf(m, left-1)
		}
	}
	return v1.Descriptor{}, fmt.Errorf("the image in %s is not made for %s/%s", l.path, runtime.GOOS, runtime.GOARCH)
}

// document reads a JSON file whose digest nobody knows.
func (l layout) document(path string, into any) error {
	f, err := l.root.Open(path)
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxDocument+1))
	if err == nil && len(text) > maxDocument {
		err = fmt.Errorf("it is longer than %d bytes", maxDocument)
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("read %s: %w", filepath.Join(l.path, path), err)
	}
	return nil
}

// blob reads a JSON blob.
func (l layout) blob(d v1.Descriptor, into any) error {
	if d.Size > maxDocument {
		return fmt.Errorf("blob %s says that it has %d bytes; %d are the most", d.Digest, d.Size, maxDocument)
	}
	r, err := l.open(context.Background(), d)
	if err != nil {
		return err
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err == nil {
		err = r.whole()
	}
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		return fmt.Errorf("blob %s of %s: %w", d.Digest, l.path, err)
	}
	return nil
}

// blobReader reads a blob and knows at its end whether it was the right one.
type blobReader struct {
	io.Reader
	file   *os.File
	check  digest.Verifier
	digest digest.Digest
}

// open opens a blob. It reads no more than its size, and nothing once ctx has ended.
func (l layout) open(ctx context.Context, d v1.Descriptor) (*blobReader, error) {
	if err := d.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("a blob of %s: digest %q: %w", l.path, d.Digest, err)
	}
	if d.Size < 0 {
		return nil, fmt.Errorf("blob %s of %s: its size is %d", d.Digest, l.path, d.Size)
	}
	f, err := l.root.Open(filepath.Join("blobs", d.Digest.Algorithm().String(), d.Digest.Encoded()))
	if err != nil {
		return nil, fmt.Errorf("blob %s of %s: %w", d.Digest, l.path, err)
	}
	info, err := f.Stat()
	switch {
	case err != nil:
	case !info.Mode().IsRegular():
		err = errors.New("it is no file")
	case info.Size() != d.Size:
		err = fmt.Errorf("it has %d bytes, and should have %d", info.Size(), d.Size)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("blob %s of %s: %w", d.Digest, l.path, err), f.Close())
	}
	check := d.Digest.Verifier()
	return &blobReader{
		Reader: io.TeeReader(io.LimitReader(until{ctx, f}, d.Size), check),
		file:   f, check: check, digest: d.Digest,
	}, nil
}

// whole reads the rest and says whether the digest is the right one.
func (r *blobReader) whole() error {
	if _, err := io.Copy(io.Discard, r.Reader); err != nil {
		return err
	}
	if !r.check.Verified() {
		return fmt.Errorf("the contents do not have the digest %s", r.digest)
	}
	return nil
}

func (r *blobReader) Close() error { return r.file.Close() }

// until reads until ctx ends.
type until struct {
	ctx context.Context
	io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.Reader.Read(p)
}
