package native

import (
	"bytes"
	"debug/buildinfo"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/mesos-modules/mms/manager/finding"
	"github.com/mesos-modules/mms/manager/vehicle"
	"github.com/mesos-modules/mms/manager/vehicle/native/internal/image"
)

// notELF says what a file looks like that is no ELF file.
func notELF(prefix []byte) *vehicle.Refusal {
	return &vehicle.Refusal{Rule: finding.LibraryFormat, Problem: "the file is not an ELF shared library: " + looksLike(prefix),
		Mend: "name the .so file that the linker made"}
}

func looksLike(prefix []byte) string {
	for _, known := range []struct{ magic, is string }{
		{"#!", "it is a script"},
		{"!<arch>\n", "it is an archive of object files (a static library)"},
		{"!<thin>\n", "it is an archive of object files (a static library)"},
		{"/* GNU ld script", "it is a linker script"},
		{"\xcf\xfa\xed\xfe", "it is a library or program for macOS"},
		{"\xca\xfe\xba\xbe", "it is a library or program for macOS, or a Java class"},
		{"MZ", "it is a library or program for Windows"},
		{"\x00asm", "it is a WebAssembly module"},
		{"PK\x03\x04", "it is a zip archive"},
		{"\x1f\x8b", "it is compressed with gzip"},
		{"BZh", "it is compressed with bzip2"},
		{"\xfd7zXZ", "it is compressed with xz"},
		{"\x28\xb5\x2f\xfd", "it is compressed with zstd"},
	} {
		if bytes.HasPrefix(prefix, []byte(known.magic)) {
			return known.is
		}
	}
	switch {
	case len(prefix) == 0:
		return "it is empty"
	case bytes.Count(prefix, []byte{0}) == len(prefix):
		return "it begins with nothing but zeros"
	case len(prefix) > 257+5 && string(prefix[257:262]) == "ustar":
		return "it is a tar archive"
	case isText(prefix):
		return "it is text"
	default:
		return "its format is unknown"
	}
}

// isText allows for a character that the end of the prefix cuts in two.
func isText(prefix []byte) bool {
	for cut := 0; cut < utf8.UTFMax && cut < len(prefix); cut++ {
		if utf8.Valid(prefix[:len(prefix)-cut]) {
			return !bytes.ContainsRune(prefix, 0)
		}
	}
	return false
}

// fromGo tells Go plugins, which are another vehicle's, from C libraries made by
// Go, which are nobody's.
func fromGo(file io.ReaderAt, im *image.Image) (plugin bool, refusal *vehicle.Refusal) {
	if !im.HasSection(".go.buildinfo") && !im.Defines("_cgo_topofstack") && !im.Defines("crosscall2") {
		return false, nil
	}
	mode := "c-shared"
	version := "Go"
	if info, err := buildinfo.Read(file); err == nil {
		version = info.GoVersion
		for _, s := range info.Settings {
			if s.Key == "-buildmode" {
				mode = s.Value
			}
		}
	}
	if mode == "plugin" {
		return true, nil
	}
	return false, &vehicle.Refusal{Rule: finding.LibraryFormat,
		Problem: fmt.Sprintf("the library was built by %s with -buildmode=%s: it brings a Go runtime of its own, and two in one process are not supported", printable(version), printable(mode)),
		Mend:    "build it as a Go plugin: mesos-module build --as=goplugin"}
}

// foreign says what a shared library is that has no descriptor of ours.
func foreign(im *image.Image, ourHeader bool) *vehicle.Refusal {
	if ourHeader {
		return &vehicle.Refusal{Rule: finding.Handshake, Problem: "the library was built with mesos/module.hpp and exports neither MESOS_MODULE_LIBRARY() nor a module",
			Mend: "declare a module by MESOS_MODULE; with -fvisibility=hidden, write MESOS_EXPORT before a Module object"}
	}
	if what, ok := forUpstream(im); ok {
		return &vehicle.Refusal{Rule: finding.Handshake, Problem: fmt.Sprintf("the library was built for Apache Mesos itself (%s), whose modules run only in the exact release they were compiled for", what),
			Mend: "port it by compiling it again with this project's headers instead of those of Apache Mesos: \"mesos-module headers DIR\" writes them, then g++ -I DIR -shared -fPIC; Module objects stay as they are"}
	}
	return &vehicle.Refusal{Rule: finding.Handshake, Problem: "the library exports no module: it is a plain shared library",
		Mend: "put MESOS_MODULE_LIBRARY() and a module into it, and do not hide their symbols (\"mesos-module new\" shows how)"}
}

// forUpstream recognises libraries that need Apache Mesos' own code.
func forUpstream(im *image.Image) (what string, ok bool) {
	for _, name := range im.Needed {
		if strings.HasPrefix(name, "libmesos") {
			return "it needs " + printable(name), true
		}
	}
	// Mangled names of namespace mesos: functions, constants, type information
	// and tables of virtual functions.
	prefixes := [][]byte{[]byte("_ZN5mesos"), []byte("_ZNK5mesos"), []byte("_ZTIN5mesos"), []byte("_ZTVN5mesos"), []byte("_ZTSN5mesos"), []byte("_ZN7process"), []byte("_ZNK7process")}
	symbol, ok := im.Any(func(name []byte) bool {
		for _, p := range prefixes {
			if bytes.HasPrefix(name, p) {
				return true
			}
		}
		return false
	})
	if !ok {
		return "", false
	}
	if len(symbol) > 80 {
		symbol = symbol[:80] + "…"
	}
	return "it has the symbol " + printable(symbol), true
}
