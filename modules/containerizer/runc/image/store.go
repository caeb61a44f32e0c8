package image

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// What the store holds: a folder per image, called after its digest, with its root file
// system and its configuration. What is being made or deleted is called after nothing.
const (
	rootFolder = "rootfs"
	configFile = "config.json"
	unfinished = ".unfinished-"
)

// Image is an unpacked image.
type Image struct {
	Digest digest.Digest // of its manifest
	Root   string        // folder of its root file system, not to be written to
	Config v1.ImageConfig
}

// Store unpacks images and keeps them. All methods may be called from any goroutine.
type Store struct {
	images, folder string
	limits         Limits

	mu    sync.Mutex
	users map[digest.Digest]int
	busy  map[digest.Digest]chan struct{} // closed when an image is unpacked or deleted
}

// NewStore keeps in folder what it unpacks of the layouts in images, and deletes what an
// earlier one has left half done.
func NewStore(images, folder string, limits Limits) (*Store, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, fmt.Errorf("make the store of images: %w", err)
	}
	left, err := filepath.Glob(filepath.Join(folder, unfinished+"*"))
	if err != nil {
		return nil, err
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("delete what is left of an image: %w", err)
		}
	}
	return &Store{images: images, folder: folder, limits: limits,
		users: map[digest.Digest]int{}, busy: map[digest.Digest]chan struct{}{}}, nil
}

// Has says whether there is an image of this name. What is wrong with one that is there
// Acquire says.
func (s *Store) Has(name string) bool {
	_, err := resolve(s.images, name)
	return err == nil || !errors.Is(err, ErrUnknown)
}

// Acquire returns an image, and keeps it until Release. The first time it is unpacked,
// which takes as long as it takes; others who want the same wait for that.
func (s *Store) Acquire(ctx context.Context, name string) (Image, error) {
	ref, err := resolve(s.images, name)
	if err != nil {
		return Image{}, err
	}
	done, err := s.lock(ctx, ref.manifest.Digest)
	if err != nil {
		return Image{}, fmt.Errorf("image %s: wait until it is unpacked: %w", name, err)
	}
	defer done()
	image, err := s.read(ref.manifest.Digest)
	if errors.Is(err, fs.ErrNotExist) {
		if err = s.unpack(ctx, ref); err == nil {
			image, err = s.read(ref.manifest.Digest)
		}
	}
	if err != nil {
		return Image{}, fmt.Errorf("image %s: %w", name, err)
	}
	s.Hold(image.Digest)
	return image, nil
}

// Hold keeps an image that is in use already.
func (s *Store) Hold(image digest.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.users[image]++
}

// Release takes back an Acquire or a Hold.
func (s *Store) Release(image digest.Digest) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.users[image]--; s.users[image] <= 0 {
		delete(s.users, image)
	}
}

// Prune deletes what nobody keeps, but for the images of these names. A name that leads
// nowhere keeps nothing.
func (s *Store) Prune(ctx context.Context, excluded []string) error {
	keep := map[digest.Digest]bool{}
	for _, name := range excluded {
		if ref, err := resolve(s.images, name); err == nil {
			keep[ref.manifest.Digest] = true
		}
	}
	all, err := os.ReadDir(s.folder)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range all {
		image := digest.Digest(strings.Replace(e.Name(), "-", ":", 1))
		if image.Validate() != nil || keep[image] {
			continue
		}
		errs = append(errs, s.discard(ctx, image))
	}
	return errors.Join(errs...)
}

func (s *Store) discard(ctx context.Context, image digest.Digest) error {
	done, err := s.lock(ctx, image)
	if err != nil {
		return err
	}
	defer done()
	s.mu.Lock()
	used := s.users[image] > 0
	s.mu.Unlock()
	if used {
		return nil
	}
	gone := filepath.Join(s.folder, unfinished+filepath.Base(s.path(image)))
	return errors.Join(os.Rename(s.path(image), gone), os.RemoveAll(gone))
}

// lock is held while an image is unpacked or deleted.
func (s *Store) lock(ctx context.Context, image digest.Digest) (unlock func(), err error) {
	for {
		s.mu.Lock()
		other := s.busy[image]
		if other == nil {
			mine := make(chan struct{})
			s.busy[image] = mine
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				defer s.mu.Unlock()
				delete(s.busy, image)
				close(mine)
			}, nil
		}
		s.mu.Unlock()
		select {
		case <-other:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *Store) path(image digest.Digest) string {
	return filepath.Join(s.folder, image.Algorithm().String()+"-"+image.Encoded())
}

func (s *Store) read(image digest.Digest) (Image, error) {
	folder := s.path(image)
	text, err := os.ReadFile(filepath.Join(folder, configFile))
	if err != nil {
		return Image{}, err
	}
	out := Image{Digest: image, Root: filepath.Join(folder, rootFolder)}
	if err := json.Unmarshal(text, &out.Config); err != nil {
		return Image{}, fmt.Errorf("%s: %w", filepath.Join(folder, configFile), err)
	}
	return out, nil
}

// unpack makes an image under another name, writes it to the disk and gives it its own.
func (s *Store) unpack(ctx context.Context, ref reference) (err error) {
	if err := ref.manifest.Digest.Validate(); err != nil {
		return fmt.Errorf("digest %q of its manifest: %w", ref.manifest.Digest, err)
	}
	root, err := os.OpenRoot(ref.layout)
	if err != nil {
		return err
	}
	defer root.Close()
	l := layout{root: root, path: ref.layout}
	manifest, config, err := l.describe(ref.manifest)
	if err != nil {
		return err
	}
	part, err := os.MkdirTemp(s.folder, unfinished)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(part))
		}
	}()
	if err := s.fill(ctx, l, manifest, config, part); err != nil {
		return err
	}
	if err := onDisk(part); err != nil {
		return err
	}
	return os.Rename(part, s.path(ref.manifest.Digest))
}

func (s *Store) fill(ctx context.Context, l layout, manifest v1.Manifest, config v1.Image, part string) error {
	folder := filepath.Join(part, rootFolder)
	if err := os.Mkdir(folder, 0o755); err != nil {
		return err
	}
	u, err := newUnpacker(folder, s.limits)
	if err != nil {
		return err
	}
	defer u.root.Close()
	for i, d := range manifest.Layers {
		if err := u.layer(ctx, l, d, config.RootFS.DiffIDs[i]); err != nil {
			return err
		}
	}
	text, err := json.Marshal(config.Config)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(part, configFile), text, 0o600)
}

// describe reads manifest and configuration.
func (l layout) describe(d v1.Descriptor) (manifest v1.Manifest, config v1.Image, err error) {
	if err = l.blob(d, &manifest); err != nil {
		return manifest, config, fmt.Errorf("its manifest: %w", err)
	}
	if err = l.blob(manifest.Config, &config); err != nil {
		return manifest, config, fmt.Errorf("its configuration: %w", err)
	}
	if len(manifest.Layers) > maxLayers {
		err = fmt.Errorf("it has %d layers; %d are the most", len(manifest.Layers), maxLayers)
	}
	if len(manifest.Layers) != len(config.RootFS.DiffIDs) {
		err = fmt.Errorf("its manifest has %d layers, its configuration %d", len(manifest.Layers), len(config.RootFS.DiffIDs))
	}
	if os := cmp.Or(config.OS, "linux"); os != "linux" {
		err = fmt.Errorf("it is made for %s", os)
	}
	return manifest, config, err
}

// onDisk returns when what was written would be there after a power cut.
func onDisk(folder string) error {
	f, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return fmt.Errorf("write %s to the disk: %w", folder, err)
	}
	return nil
}
