package ldso

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"os"
)

const (
	cachePath  = "/etc/ld.so.cache"
	cacheMagic = "glibc-ld.so.cache1.1"
	maxCache   = 16 << 20
)

// readCache reads the loader's own index of libraries: name to path, for this
// machine. A file that is not there, or of another form, gives nothing; the
// default folders are searched in any case.
func readCache(path string, machine elf.Machine) map[string]string {
	info, err := os.Stat(path)
	if err != nil || info.Size() > maxCache {
		return nil
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return parseCache(content, machine)
}

// parseCache follows sysdeps/generic/dl-cache.h of glibc: a header of 48 bytes,
// entries of 24, texts. Offsets count from the header, which an older form may
// precede.
func parseCache(content []byte, machine elf.Machine) map[string]string {
	start := bytes.Index(content, []byte(cacheMagic))
	if start < 0 || len(content)-start < 48 {
		return nil
	}
	content = content[start:]
	count := int(binary.LittleEndian.Uint32(content[20:]))
	if count < 0 || count > (len(content)-48)/24 {
		return nil
	}
	want := cacheFlags(machine)
	found := make(map[string]string, count)
	for i := range count {
		entry := content[48+24*i:]
		if int32(binary.LittleEndian.Uint32(entry)) != want {
			continue
		}
		name, path := cacheText(content, binary.LittleEndian.Uint32(entry[4:])), cacheText(content, binary.LittleEndian.Uint32(entry[8:]))
		// Entries for better processors come first. Any of them answers
		// whether the library is there.
		if _, known := found[name]; !known && name != "" && path != "" {
			found[name] = path
		}
	}
	return found
}

// cacheFlags is how the cache marks libraries of glibc for a machine.
func cacheFlags(machine elf.Machine) int32 {
	switch machine {
	case elf.EM_X86_64:
		return 0x0303
	case elf.EM_AARCH64:
		return 0x0a03
	default:
		return -1
	}
}

func cacheText(content []byte, at uint32) string {
	if int64(at) >= int64(len(content)) {
		return ""
	}
	rest := content[at:min(int64(len(content)), int64(at)+4096)]
	return string(rest[:max(bytes.IndexByte(rest, 0), 0)])
}
