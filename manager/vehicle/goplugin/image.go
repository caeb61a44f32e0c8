package goplugin

import (
	"bytes"
	"debug/buildinfo"
	"debug/elf"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"runtime/debug"
	"strings"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
)

// image is what the bytes of a Go binary say.
type image struct {
	info    *debug.BuildInfo
	machine elf.Machine

	// packages maps the import path of every linked package to the linker's
	// fingerprint of it. Empty where the toolchain leaves none.
	packages map[string]string

	// library says that the main package exports the name Library. The symbol
	// is there in plugins only.
	library bool
}

const (
	// The runtime compares what these symbols hold when it opens a plugin.
	fingerprintPrefix = "go:link.pkghashbytes."
	librarySuffix     = ".Library"

	// maxFingerprint bounds what is read at a symbol: 8 bytes today.
	maxFingerprint = 64
)

// readImage reads a file without running anything of it. A *vehicle.Refusal says
// that it is a Go binary and cannot be used; any other error that it is none.
func readImage(path string) (image, error) {
	f, err := os.Open(path)
	if err != nil {
		return image{}, err
	}
	defer f.Close() // read only
	stat, err := f.Stat()
	if err != nil {
		return image{}, err
	}
	e, err := elf.NewFile(f)
	if err != nil {
		return image{}, err
	}
	info, err := buildinfo.Read(f)
	if err != nil {
		return image{}, err
	}
	for _, p := range e.Progs {
		// The dynamic loader maps what is not there, and dies on touching it.
		if size := uint64(stat.Size()); p.Type == elf.PT_LOAD && (p.Filesz > size || p.Off > size-p.Filesz) {
			return image{}, &vehicle.Refusal{
				Rule:    finding.LibraryFormat,
				Problem: fmt.Sprintf("the file is cut short: it has %d bytes, and a segment ends at %d", size, p.Off+p.Filesz),
				Mend:    "copy or build it again",
			}
		}
	}
	im := image{info: info, machine: e.Machine, packages: map[string]string{}}
	if err := im.readSymbols(e); err != nil && !errors.Is(err, errNoSymbols) {
		return image{}, &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: "the dynamic symbols of the Go binary are damaged", Mend: "build it again", Cause: err}
	}
	return im, nil
}

var errNoSymbols = errors.New("there are no dynamic symbols")

// readSymbols picks the few symbols of interest out of the many thousand. The
// reader of debug/elf makes a string of each, which takes ten times as long.
func (im *image) readSymbols(e *elf.File) error {
	table := e.SectionByType(elf.SHT_DYNSYM)
	if table == nil || int(table.Link) >= len(e.Sections) {
		return errNoSymbols
	}
	symbols, err := content(table)
	if err != nil {
		return fmt.Errorf("symbol table: %w", err)
	}
	names, err := content(e.Sections[table.Link])
	if err != nil {
		return fmt.Errorf("symbol names: %w", err)
	}

	entry := elf.Sym64Size
	if e.Class == elf.ELFCLASS32 {
		entry = elf.Sym32Size
	}
	for ; len(symbols) >= entry; symbols = symbols[entry:] {
		name := cstring(names, e.ByteOrder.Uint32(symbols))
		switch {
		case bytes.HasPrefix(name, []byte(fingerprintPrefix)):
			content, err := symbolContent(e, symbols)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			im.packages[string(name[len(fingerprintPrefix):])] = hex.EncodeToString(content)
		case bytes.HasSuffix(name, []byte(librarySuffix)):
			im.library = im.library || isMain(string(name[:len(name)-len(librarySuffix)]), im.info.Path)
		}
	}
	return nil
}

// content reads a section that the dynamic loader uses. It knows none that is
// compressed: a megabyte could claim to be a gigabyte.
func content(s *elf.Section) ([]byte, error) {
	if s.Flags&elf.SHF_COMPRESSED != 0 {
		return nil, fmt.Errorf("section %q is compressed", s.Name)
	}
	return s.Data()
}

// isMain reports whether symbols of a package are those of the main package. The
// linker escapes dots, and calls a package that was built from a list of files by
// the hash of these.
func isMain(pkg, path string) bool {
	if path == "command-line-arguments" {
		return strings.HasPrefix(pkg, "plugin/unnamed-")
	}
	plain, err := url.PathUnescape(pkg)
	return err == nil && plain == path
}

// cstring returns the text at an offset, without its final zero byte.
func cstring(table []byte, offset uint32) []byte {
	if uint64(offset) >= uint64(len(table)) {
		return nil
	}
	text := table[offset:]
	if end := bytes.IndexByte(text, 0); end >= 0 {
		return text[:end]
	}
	return nil
}

// symbolContent reads what the symbol at the head of symbols names.
func symbolContent(e *elf.File, symbols []byte) ([]byte, error) {
	var section uint16
	var value, size uint64
	if e.Class == elf.ELFCLASS32 {
		value, size = uint64(e.ByteOrder.Uint32(symbols[4:])), uint64(e.ByteOrder.Uint32(symbols[8:]))
		section = e.ByteOrder.Uint16(symbols[14:])
	} else {
		section = e.ByteOrder.Uint16(symbols[6:])
		value, size = e.ByteOrder.Uint64(symbols[8:]), e.ByteOrder.Uint64(symbols[16:])
	}
	if int(section) >= len(e.Sections) || size > maxFingerprint {
		return nil, fmt.Errorf("section %d, size %d", section, size)
	}
	s := e.Sections[section]
	if value < s.Addr || value-s.Addr > s.Size || size > s.Size-(value-s.Addr) {
		return nil, fmt.Errorf("address %#x is outside of section %s", value, s.Name)
	}
	content := make([]byte, size)
	if _, err := s.ReadAt(content, int64(value-s.Addr)); err != nil {
		return nil, err
	}
	return content, nil
}

func (im image) setting(key string) string {
	for _, s := range im.info.Settings {
		if s.Key == key {
			return s.Value
		}
	}
	return ""
}

func (im image) buildMode() string { return im.setting("-buildmode") }

// settings is the build as reports show it.
func (im image) settings() []vehicle.Setting {
	all := []vehicle.Setting{
		{Key: "go", Value: im.info.GoVersion},
		{Key: "path", Value: im.info.Path},
	}
	if m := im.info.Main; m.Path != "" {
		all = append(all, vehicle.Setting{Key: "module", Value: spell(&m)})
	}
	for _, s := range im.info.Settings {
		all = append(all, vehicle.Setting{Key: s.Key, Value: s.Value})
	}
	return append(all,
		vehicle.Setting{Key: "modules", Value: fmt.Sprint(len(im.info.Deps))},
		vehicle.Setting{Key: "packages", Value: fmt.Sprint(len(im.packages))})
}
