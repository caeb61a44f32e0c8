package image

import (
	"debug/elf"
	"encoding/binary"
)

const maxTags = 4096

// readTags keeps the tags that are used; lists of libraries wait for the string
// table.
func (im *Image) readTags(s segment) error {
	size := min(s.end-s.start, maxTags*16)
	table := im.src.all(s.offset, int(size))
	if table == nil {
		return fault(copyAgain, "the file is damaged: its dynamic section is empty")
	}
	im.tags = map[elf.DynTag]uint64{}
	for ; len(table) >= 16; table = table[16:] {
		tag, value := elf.DynTag(binary.LittleEndian.Uint64(table)), binary.LittleEndian.Uint64(table[8:])
		if tag == elf.DT_NULL {
			break
		}
		if tag == elf.DT_NEEDED {
			im.neededAt = append(im.neededAt, value)
			continue
		}
		im.tags[tag] = value
	}
	return nil
}

func (im *Image) readDynamic() error {
	symbols, err := im.readSymbols()
	if err != nil {
		return err
	}
	im.Exports = symbols
	text := func(tag elf.DynTag) string {
		at, ok := im.tags[tag]
		if !ok {
			return ""
		}
		return symbols.short(at)
	}
	im.Soname, im.Rpath, im.Runpath = text(elf.DT_SONAME), text(elf.DT_RPATH), text(elf.DT_RUNPATH)
	for _, at := range im.neededAt {
		if name := symbols.short(at); name != "" {
			im.Needed = append(im.Needed, name)
		}
	}
	flags := elf.DynFlag1(im.tags[elf.DT_FLAGS_1])
	// libc itself names an interpreter, because it can be run; it has a name to
	// be linked by, which a program has not.
	if flags&elf.DF_1_PIE != 0 || im.program && im.Soname == "" {
		return fault(buildShared, "the file is an executable program and not a shared library")
	}
	im.Stays = flags&elf.DF_1_NODELETE != 0
	im.BuildID = im.readBuildID()
	im.readVersions()
	return nil
}
