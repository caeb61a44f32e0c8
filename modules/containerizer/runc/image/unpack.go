package image

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	securejoin "github.com/cyphar/filepath-securejoin"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	v1 "github.com/opencontainers/image-spec/specs-go/v1"
	"golang.org/x/sys/unix"
)

// Limits bound what an image may unpack to.
type Limits struct {
	Bytes   int64 // of all files
	Entries int   // of all layers
}

const (
	// maxWindow is the memory that a zstd stream may ask for, in bytes.
	maxWindow = 128 << 20

	whiteout = ".wh."
	opaque   = ".wh..wh..opq"

	// attribute is how archives call extended attributes.
	attribute = "SCHILY.xattr."
)

// unpacker lays layers over each other in one folder. Names are resolved as if the
// folder were the root; nothing is opened outside of it.
type unpacker struct {
	path    string
	root    *os.Root
	left    Limits
	of      Limits
	written map[string]bool // what this layer has
}

func newUnpacker(folder string, limits Limits) (*unpacker, error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	return &unpacker{path: folder, root: root, left: limits, of: limits}, nil
}

// layer unpacks one layer, whose contents have the digest diff.
func (u *unpacker) layer(ctx context.Context, l layout, d v1.Descriptor, diff digest.Digest) error {
	blob, err := l.open(ctx, d)
	if err != nil {
		return err
	}
	defer blob.Close()
	if err := diff.Validate(); err != nil {
		return fmt.Errorf("layer %s: its diff id %q: %w", d.Digest, diff, err)
	}
	err = u.contents(blob, d.MediaType, diff)
	if err == nil {
		err = blob.whole()
	}
	if err != nil {
		return fmt.Errorf("layer %s: %w", d.Digest, err)
	}
	return nil
}

func (u *unpacker) contents(blob io.Reader, mediaType string, diff digest.Digest) error {
	plain, closing, err := decompressed(blob, mediaType)
	if err != nil {
		return err
	}
	defer closing()
	check := diff.Verifier()
	bounded := &bounded{Reader: io.TeeReader(plain, check), left: u.left.Bytes + int64(u.left.Entries)*maxHeader}
	if err := u.archive(bounded); err != nil {
		return err
	}
	if _, err := io.Copy(io.Discard, bounded); err != nil { // what stands behind the end belongs to the digest
		return err
	}
	if !check.Verified() {
		return fmt.Errorf("its contents do not have the diff id %s", diff)
	}
	return nil
}

// maxHeader is what the description of one file may take, on an average.
const maxHeader = 4 << 10

// bounded fails where io.LimitReader would end: an end could be taken for that of the
// archive.
type bounded struct {
	io.Reader
	left int64
}

var errTooLarge = errors.New("it unpacks to more than its image may")

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLarge
	}
	n, err := b.Reader.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}

// decompressed goes by the media type.
func decompressed(r io.Reader, mediaType string) (io.Reader, func(), error) {
	switch mediaType {
	case v1.MediaTypeImageLayer:
		return r, func() {}, nil
	case v1.MediaTypeImageLayerGzip, dockerLayer:
		z, err := gzip.NewReader(bufio.NewReader(r))
		return z, func() {}, err
	case v1.MediaTypeImageLayerZstd:
		z, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, nil, err
		}
		return z, z.Close, nil
	default:
		return nil, nil, fmt.Errorf("it is a %q; layers are tar, tar+gzip or tar+zstd", mediaType)
	}
}

func (u *unpacker) archive(r io.Reader) error {
	u.written = map[string]bool{}
	archive := tar.NewReader(r)
	var folders []*tar.Header
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return u.times(folders)
		}
		if err != nil {
			return fmt.Errorf("read the archive: %w", err)
		}
		if u.left.Entries--; u.left.Entries < 0 {
			return fmt.Errorf("%w: more than %d files", errTooLarge, u.of.Entries)
		}
		name, err := u.name(h.Name)
		if err == nil {
			err = u.entry(name, h, archive)
		}
		if err != nil {
			return fmt.Errorf("entry %q: %w", h.Name, err)
		}
		if h.Typeflag == tar.TypeDir {
			h.Name = name
			folders = append(folders, h)
		}
	}
}

// name is the entry's path below the root, through links of earlier entries as they are
// seen from within it. The last element may be a link.
func (u *unpacker) name(raw string) (string, error) {
	for element := range strings.SplitSeq(raw, "/") {
		if element == ".." {
			return "", errors.New("it climbs out of the image")
		}
	}
	clean := strings.TrimPrefix(path.Clean("/"+raw), "/")
	if clean == "" {
		return ".", nil
	}
	folder, base := path.Split(clean)
	real, err := securejoin.SecureJoin(u.path, folder)
	if err != nil {
		return "", err
	}
	if folder, err = filepath.Rel(u.path, real); err != nil {
		return "", err
	}
	return filepath.Join(folder, base), nil
}

func (u *unpacker) entry(name string, h *tar.Header, contents io.Reader) error {
	folder, base := filepath.Split(name)
	if folder == "" {
		folder = "."
	}
	if err := u.root.MkdirAll(filepath.Clean(folder), 0o755); err != nil {
		return err
	}
	if hidden, ok := strings.CutPrefix(base, whiteout); ok {
		return u.hide(filepath.Clean(folder), base, hidden)
	}
	if err := u.clear(name, h.Typeflag); err != nil {
		return err
	}
	u.mark(name)
	made, err := u.make(name, h, contents)
	if err != nil || !made {
		return err
	}
	return u.attributes(name, h)
}

// hide is what a whiteout does to the layers below.
func (u *unpacker) hide(folder, base, hidden string) error {
	if base == opaque {
		below, err := fs.ReadDir(u.root.FS(), folder)
		if err != nil {
			return err
		}
		for _, e := range below {
			name := filepath.Join(folder, e.Name())
			if u.written[name] {
				continue
			}
			if err := u.root.RemoveAll(name); err != nil {
				return err
			}
		}
		return nil
	}
	if strings.HasPrefix(hidden, whiteout) {
		return nil // notes that other file systems leave
	}
	if hidden == "" || hidden == "." || hidden == ".." {
		return errors.New("a whiteout of nothing")
	}
	return u.root.RemoveAll(filepath.Join(folder, hidden))
}

// mark notes that this layer has the file, and so the folders that it is in.
func (u *unpacker) mark(name string) {
	for ; !u.written[name]; name = filepath.Dir(name) {
		u.written[name] = true
	}
}

// clear takes away what is there, but a folder that stays one.
func (u *unpacker) clear(name string, kind byte) error {
	there, err := u.root.Lstat(name)
	if errors.Is(err, fs.ErrNotExist) || err == nil && there.IsDir() && kind == tar.TypeDir {
		return nil
	}
	if err != nil {
		return err
	}
	if name == "." {
		return errors.New("the root is a folder")
	}
	return u.root.RemoveAll(name)
}

// make says whether there is something now: devices are left out.
func (u *unpacker) make(name string, h *tar.Header, contents io.Reader) (bool, error) {
	switch h.Typeflag {
	case tar.TypeDir:
		err := u.root.Mkdir(name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			err = nil
		}
		return true, err
	case tar.TypeReg, tar.TypeGNUSparse:
		return true, u.file(name, h.Size, contents)
	case tar.TypeSymlink:
		return true, u.root.Symlink(h.Linkname, name)
	case tar.TypeLink:
		target, err := u.name(h.Linkname)
		if err != nil {
			return false, fmt.Errorf("a link to %q: %w", h.Linkname, err)
		}
		return false, u.root.Link(target, name) // it has the attributes of what it leads to
	case tar.TypeFifo:
		return true, u.fifo(name)
	case tar.TypeChar, tar.TypeBlock, tar.TypeXGlobalHeader:
		return false, nil
	default:
		return false, fmt.Errorf("a file of type %q", h.Typeflag)
	}
}

func (u *unpacker) file(name string, size int64, contents io.Reader) error {
	if u.left.Bytes -= size; u.left.Bytes < 0 || size < 0 {
		return fmt.Errorf("%w: more than %d bytes", errTooLarge, u.of.Bytes)
	}
	f, err := u.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, contents)
	return errors.Join(err, f.Close())
}

func (u *unpacker) fifo(name string) error {
	folder, err := u.root.Open(filepath.Dir(name))
	if err != nil {
		return err
	}
	defer folder.Close()
	return unix.Mkfifoat(int(folder.Fd()), filepath.Base(name), 0o600)
}

// attributes come after the contents: a change of the owner takes set-user-id bits away.
func (u *unpacker) attributes(name string, h *tar.Header) error {
	if err := u.root.Lchown(name, h.Uid, h.Gid); err != nil {
		return err
	}
	for key, value := range h.PAXRecords {
		x, ok := strings.CutPrefix(key, attribute)
		if !ok || x != "security.capability" && !strings.HasPrefix(x, "user.") {
			continue // others mean something to the host
		}
		err := unix.Lsetxattr(filepath.Join(u.path, name), x, []byte(value), 0)
		if err != nil && !errors.Is(err, unix.ENOTSUP) && !errors.Is(err, unix.EPERM) {
			return fmt.Errorf("set the attribute %s: %w", x, err)
		}
	}
	if h.Typeflag == tar.TypeSymlink {
		return nil
	}
	if err := u.root.Chmod(name, h.FileInfo().Mode()); err != nil {
		return err
	}
	if h.Typeflag == tar.TypeDir {
		return nil
	}
	return u.root.Chtimes(name, h.ModTime, h.ModTime)
}

// times come last for folders, which change with what is put into them. One that a later
// entry has replaced is left alone.
func (u *unpacker) times(folders []*tar.Header) error {
	for _, h := range folders {
		if info, err := u.root.Lstat(h.Name); err != nil || !info.IsDir() {
			continue
		}
		if err := u.root.Chtimes(h.Name, h.ModTime, h.ModTime); err != nil {
			return err
		}
	}
	return nil
}
