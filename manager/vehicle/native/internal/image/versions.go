package image

import (
	"debug/elf"
	"encoding/binary"
	"slices"
)

const maxVersions = 1024

// VersionNeed is one symbol version that a library wants of another, such as
// GLIBC_2.34 of libc.so.6.
type VersionNeed struct {
	Library, Version string
	Weak             bool // the loader opens the library without it
}

// Needs returns the symbol versions that the library wants, in its own order. The
// slice must not be written to.
func (x *Exports) Needs() []VersionNeed { return x.needs }

// HasVersion reports whether the library defines the symbol version. One that
// defines none at all satisfies every version, as it does for the loader.
func (x *Exports) HasVersion(version string) bool {
	return len(x.versions) == 0 || slices.Contains(x.versions, version)
}

// readVersions reads the symbol versions that the library defines and needs. What
// cannot be read is left out: the loader will say so in the trial.
func (im *Image) readVersions() {
	at := im.tags[elf.DT_VERDEF]
	for range min(im.tags[elf.DT_VERDEFNUM], maxVersions) {
		def := im.table(at, 20)
		if def == nil {
			break
		}
		if aux := im.table(at+uint64(binary.LittleEndian.Uint32(def[12:])), 8); aux != nil {
			im.versions = append(im.versions, im.short(uint64(binary.LittleEndian.Uint32(aux))))
		}
		next := binary.LittleEndian.Uint32(def[16:])
		if next == 0 {
			break
		}
		at += uint64(next)
	}
	at = im.tags[elf.DT_VERNEED]
	for range min(im.tags[elf.DT_VERNEEDNUM], maxVersions) {
		need := im.table(at, 16)
		if need == nil {
			break
		}
		library := im.short(uint64(binary.LittleEndian.Uint32(need[4:])))
		im.readAux(library, at+uint64(binary.LittleEndian.Uint32(need[8:])), binary.LittleEndian.Uint16(need[2:]))
		next := binary.LittleEndian.Uint32(need[12:])
		if next == 0 {
			break
		}
		at += uint64(next)
	}
}

func (im *Image) readAux(library string, at uint64, count uint16) {
	for range count {
		aux := im.table(at, 16)
		if aux == nil || len(im.needs) >= maxVersions {
			return
		}
		im.needs = append(im.needs, VersionNeed{
			Library: library,
			Version: im.short(uint64(binary.LittleEndian.Uint32(aux[8:]))),
			Weak:    binary.LittleEndian.Uint16(aux[4:])&2 != 0, // VER_FLG_WEAK
		})
		next := binary.LittleEndian.Uint32(aux[12:])
		if next == 0 {
			return
		}
		at += uint64(next)
	}
}
