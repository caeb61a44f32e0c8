package fetcher

import (
	"archive/tar"
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"strings"

	bzip2reader "compress/bzip2"
	gzipreader "compress/gzip"

	xzreader "github.com/ulikunitz/xz"
)

// maxLink bounds the target of a link in an archive.
const maxLink = 4096

// unpack unpacks an item into the sandbox.
func (f *Fetcher) unpack(ctx context.Context, sandbox *os.Root, i *item, archive *os.File) error {
	form, ending, _ := i.packed()
	u := &unpacker{ctx: ctx, sandbox: sandbox, bytes: f.config.MaxBytes, entries: f.config.MaxEntries}
	err := u.unpack(form, strings.TrimSuffix(path.Base(i.name), ending), archive)
	if err != nil {
		return fmt.Errorf("unpack: %w", err)
	}
	return nil
}

// unpacker writes what is in an archive. It stops at its limits, and at the first entry that is not to be trusted.
type unpacker struct {
	ctx     context.Context
	sandbox *os.Root
	bytes   int64 // still allowed
	entries int   // still allowed
}

func (u *unpacker) unpack(form form, name string, archive *os.File) error {
	var from io.Reader = &cancelled{u.ctx, archive}
	var err error
	switch form.compression {
	case zipped:
		return u.zip(archive)
	case gzip:
		from, err = gzipreader.NewReader(from)
	case bzip2:
		from = bzip2reader.NewReader(from)
	case xz:
		if err = checkXZ(archive); err == nil {
			from, err = xzreader.NewReader(from)
		}
	case plain:
	}
	if err != nil {
		return err
	}
	if form.tar {
		return u.tar(tar.NewReader(from))
	}
	return u.file(name, 0o644, from)
}

func (u *unpacker) tar(archive *tar.Reader) error {
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := u.tarEntry(archive, header); err != nil {
			return fmt.Errorf("%s: %w", header.Name, err)
		}
	}
}

func (u *unpacker) tarEntry(archive *tar.Reader, header *tar.Header) error {
	name, err := u.admit(header.Name)
	if err != nil {
		return err
	}
	mode := fs.FileMode(header.Mode) & fs.ModePerm
	switch header.Typeflag {
	case tar.TypeDir:
		return u.folder(name, mode)
	case tar.TypeReg, tar.TypeGNUSparse:
		return u.file(name, mode, archive)
	case tar.TypeSymlink:
		return u.symlink(name, header.Linkname)
	case tar.TypeLink:
		return u.hardlink(name, header.Linkname)
	case tar.TypeXGlobalHeader:
		return nil
	default:
		return fmt.Errorf("an entry of type %q, which is not unpacked", header.Typeflag)
	}
}

func (u *unpacker) zip(archive *os.File) error {
	info, err := archive.Stat()
	if err != nil {
		return err
	}
	index := &indexReader{from: archive, left: maxZipIndex}
	directory, err := zip.NewReader(index, info.Size())
	if err != nil {
		return err
	}
	index.left = math.MaxInt64 // the files themselves are bounded otherwise
	for _, entry := range directory.File {
		if err := u.zipEntry(entry); err != nil {
			return fmt.Errorf("%s: %w", entry.Name, err)
		}
	}
	return nil
}

// maxZipIndex is how much of a zip file may be its index, all of which is held in memory, several times as large.
const maxZipIndex = 32 << 20

// indexReader reads a bounded number of bytes.
type indexReader struct {
	from io.ReaderAt
	left int64
}

func (r *indexReader) ReadAt(p []byte, offset int64) (int, error) {
	if r.left -= int64(len(p)); r.left < 0 {
		return 0, fmt.Errorf("the index is larger than %d bytes", maxZipIndex)
	}
	return r.from.ReadAt(p, offset)
}

func (u *unpacker) zipEntry(entry *zip.File) error {
	name, err := u.admit(entry.Name)
	if err != nil {
		return err
	}
	mode := entry.Mode()
	switch {
	case mode.IsDir():
		return u.folder(name, mode.Perm())
	case !mode.IsRegular() && mode.Type() != fs.ModeSymlink:
		return fmt.Errorf("an entry of type %v, which is not unpacked", mode.Type())
	}
	from, err := entry.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	if mode.IsRegular() {
		return u.file(name, mode.Perm(), &cancelled{u.ctx, from})
	}
	target, err := io.ReadAll(io.LimitReader(from, maxLink+1))
	if err != nil {
		return err
	}
	return u.symlink(name, string(target))
}

// admit counts an entry and says what it is called in the sandbox. A leading slash is dropped, as tar does.
func (u *unpacker) admit(name string) (string, error) {
	if u.entries--; u.entries < 0 {
		return "", errors.New("the archive has more entries than are allowed")
	}
	name = path.Clean(strings.TrimLeft(name, "/"))
	if !filepath.IsLocal(name) {
		return "", errors.New("it leads out of the sandbox")
	}
	return name, nil
}

func (u *unpacker) folder(name string, mode fs.FileMode) error {
	if err := u.sandbox.MkdirAll(name, 0o755); err != nil {
		return err
	}
	if name == "." {
		return nil // the sandbox's own mode is not the archive's
	}
	return u.sandbox.Chmod(name, mode|0o700) // what comes into it must be possible to write
}

func (u *unpacker) file(name string, mode fs.FileMode, from io.Reader) error {
	return write(u.sandbox, name, mode, func(to io.Writer) error {
		n, err := io.Copy(to, io.LimitReader(from, u.bytes+1))
		if u.bytes -= n; err == nil && u.bytes < 0 {
			err = errors.New("the archive unpacks to more bytes than are allowed")
		}
		return err
	})
}

// symlink makes a link that leads to something in the sandbox, there or not. It is judged by its text, so that must be
// plain: no "..", but at its beginning, and no other link above it, by which it would be somewhere else than it says.
func (u *unpacker) symlink(name, target string) error {
	if len(target) > maxLink {
		return errors.New("the target of the link is too long")
	}
	plain := target
	for strings.HasPrefix(plain, "../") {
		plain = strings.TrimLeft(plain[3:], "/")
	}
	if plain == ".." {
		plain = ""
	}
	for _, part := range strings.Split(plain, "/") {
		if part == ".." {
			return fmt.Errorf("the link to %q is not plain", target)
		}
	}
	if target == "" || path.IsAbs(target) || !filepath.IsLocal(path.Join(path.Dir(name), target)) {
		return fmt.Errorf("the link to %q leads out of the sandbox", target)
	}
	if err := u.parents(name); err != nil {
		return err
	}
	if err := u.sandbox.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return u.sandbox.Symlink(target, name)
}

// hardlink makes another name of a file of the archive.
func (u *unpacker) hardlink(name, target string) error {
	target = path.Clean(strings.TrimLeft(target, "/"))
	if !filepath.IsLocal(target) {
		return fmt.Errorf("the link to %q leads out of the sandbox", target)
	}
	info, err := u.sandbox.Lstat(target)
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("the link to %q is to no file", target)
	}
	if err := u.parents(name); err != nil {
		return err
	}
	if err := u.sandbox.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return u.sandbox.Link(target, name)
}

// parents makes the folders above a name, none of which may be a link.
func (u *unpacker) parents(name string) error {
	parent := path.Dir(name)
	if err := u.sandbox.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	for ; parent != "."; parent = path.Dir(parent) {
		info, err := u.sandbox.Lstat(parent)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return fmt.Errorf("%s above it is a link", parent)
		}
	}
	return nil
}
